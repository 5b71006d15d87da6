"""Room on the disks of this machine."""

import shutil
import socket
import tempfile
from pathlib import Path

from footfall.health.finding import Check, Finding, Need, ok, warning
from footfall.health.installation import Installation

_ROOM_BYTES = 2 * 1024**3
_GIB = 1024**3


def temporary_files(_: Installation) -> Finding:
    """Room for temporary files on this machine."""
    return _room("temporary files", tempfile.gettempdir())


def database_files(installation: Installation) -> list[Finding]:
    """Room for the database's data and temporary files, such as those of large sorts, where it runs on this machine."""
    if installation.variables.get("hostname") != socket.gethostname():
        return [ok("the database is on another machine: look at the room on its disk there")]
    paths = {installation.variables.get(name, "").partition(":")[0] for name in ("datadir", "tmpdir")}
    return [_room("the database's files", path) for path in sorted(paths) if path and Path(path).is_dir()]


def _room(what: str, path: str) -> Finding:
    free = shutil.disk_usage(path).free
    text = f"{free / _GIB:.1f} GiB are free for {what} in {path}"
    return ok(text) if free >= _ROOM_BYTES else warning(text, "make room, or use a larger disk.")


CHECKS = (
    Check("programs.temporary-files", temporary_files),
    Check("database.disk", database_files, Need.DATABASE),
)
