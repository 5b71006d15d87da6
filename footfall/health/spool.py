"""The spool: whether it would take requests, and what lies in it."""

import os
import shutil
import socket
from pathlib import Path

from footfall.health.finding import Check, Finding, Need, ok, problem, warning
from footfall.health.installation import Installation
from footfall.queue import spools

_MIB = 1024**2
_LATE_SECONDS = 300
_MOUNTS = Path("/proc/mounts")
_IN_MEMORY = ("tmpfs", "ramfs")


def directory(installation: Installation) -> Finding:
    """Whether it can be written. It is not made here: it belongs to the user that the endpoint runs as."""
    path = installation.spool.directory
    if path is None:
        return warning("there is no spool (SPOOL_DIRECTORY is empty)", "set it: without Redis the answer is 503.")
    if not path.exists():
        parent = next(above for above in path.parents if above.exists())
        if not os.access(parent, os.W_OK):
            return problem(
                f"{path} (SPOOL_DIRECTORY) does not exist, and this user cannot make it in {parent}",
                "make it, for the user that the endpoint runs as.",
            )
        return ok(f"{path} is made when it is first needed")
    if not path.is_dir():
        return problem(f"{path} (SPOOL_DIRECTORY) is no directory", "name a directory of its own.")
    if not os.access(path, os.W_OK | os.X_OK):
        return problem(
            f"{path} (SPOOL_DIRECTORY) cannot be written by this user", "give it to the user that the endpoint runs as."
        )
    if path.stat().st_mode & 0o077:
        return warning(f"{path} can be read by other users: it holds addresses and tokens", f"`chmod 700 {path}`.")
    return ok(f"{path} can be written")


def space(installation: Installation) -> Finding:
    """Whether the disk has room for what the spool may hold."""
    path, settings = installation.spool.directory, installation.settings
    if path is None:
        return ok("there is no spool")
    existing = path if path.exists() else next(above for above in path.parents if above.exists())
    free = shutil.disk_usage(existing).free
    needed = max(0, settings.spool_bytes - installation.spool.usage().bytes)
    text = f"{free / _MIB:,.0f} MiB are free for the spool, which may take {needed / _MIB:,.0f} MiB more (SPOOL_BYTES)"
    if free < needed:
        return warning(text, "make room, or lower SPOOL_BYTES: a full disk is answered 503.")
    if _file_system(existing) in _IN_MEMORY:
        return warning(
            f"{existing} is in memory: what is spooled is lost when the machine restarts", "use a directory on a disk."
        )
    return ok(text)


def contents(installation: Installation) -> Finding:
    """What lies in it."""
    if installation.spool.directory is None:
        return ok("there is no spool")
    usage = installation.spool.usage()
    if not usage.requests and not usage.bytes:
        return ok("the spool is empty")
    age = 0.0 if usage.oldest_at is None else installation.clock.now().timestamp() - usage.oldest_at
    return warning(
        f"{usage.requests} requests ({usage.bytes} bytes) wait in this machine's spool, the oldest for {age:.0f} s",
        "an endpoint process brings them back once Redis has room: look that one runs here, and that Redis is well.",
    )


def damaged(installation: Installation) -> Finding:
    """Bytes that were no whole frame."""
    path = installation.spool.directory
    files = (
        [file for file in (path / "damaged").iterdir() if file.is_file()]
        if path and (path / "damaged").is_dir()
        else []
    )
    if files:
        size = sum(file.stat().st_size for file in files)
        return warning(
            f"{size} bytes in {len(files)} files of {path}/damaged were no whole frame; nobody was told of them",
            "without a process that was killed, look at the disk; then delete them.",
        )
    return ok("nothing damaged was found in the spool")


def elsewhere(installation: Installation) -> Finding:
    """What other machines said that lies in their spools."""
    now, own = installation.clock.now().timestamp(), socket.gethostname()
    late = [
        state
        for state in spools.read(installation.queue.board)
        if not state.machine.startswith(f"{own}:")
        and state.oldest_at is not None
        and now - state.oldest_at > _LATE_SECONDS
    ]
    if late:
        names = ", ".join(f"{state.machine} ({state.requests} requests)" for state in late)
        return warning(
            f"requests wait for long in spools of other machines: {names}",
            "look that an endpoint process runs there; it brings them back.",
        )
    return ok("nothing waits for long in spools of other machines")


def _file_system(path: Path) -> str:
    """The kind of the file system that a path is on; empty where nobody can tell."""
    if not _MOUNTS.is_file():
        return ""
    mounts = [line.split(" ")[1:3] for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
    inside = [(len(where), kind) for where, kind in mounts if path.resolve().is_relative_to(where)]
    return max(inside)[1] if inside else ""


CHECKS = (
    Check("spool.directory", directory),
    Check("spool.space", space),
    Check("spool.contents", contents),
    Check("spool.damaged", damaged),
    Check("spool.elsewhere", elsewhere, Need.QUEUE),
)
