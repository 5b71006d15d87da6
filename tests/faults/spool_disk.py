"""The disk under the spool, which can be full.

Where a file system may be mounted (as root, or in a user namespace), the spool has a small one of its own, which is
filled up. The mount is in a namespace of the rig's, so that nothing of it is left however the rig ends. Elsewhere the
endpoint's processes may not write any file further (RLIMIT_FSIZE), which needs no rights: the same writes fail in the
same place, with another error and without a short write before it.
"""

import errno
import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_MOUNTS = "FAULTS_MAY_MOUNT"
_MEGABYTES = 16
_UNSHARE = (["unshare", "--mount"], ["unshare", "--mount", "--user", "--map-root-user"])


def enter_namespace() -> None:
    """Begin this program again where it may mount, when there is a way to; it comes by here a second time then."""
    if _MOUNTS in os.environ:
        return
    for unshare in _UNSHARE:
        probe = [*unshare, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
        with suppress(FileNotFoundError):
            if subprocess.run(probe, capture_output=True).returncode == 0:
                # sys.orig_argv has what began Python, `-m` or the path of a package included.
                os.environ[_MOUNTS] = "1"
                os.execvp(unshare[0], [*unshare, sys.executable, *sys.orig_argv[1:]])
    os.environ[_MOUNTS] = ""


class SpoolDisk:
    """The spool's directory, and how its disk becomes full.

    Args:
        directory: made here.
        writers: the processes that write into it.
    """

    def __init__(self, directory: Path, writers: Callable[[], list[int]]) -> None:
        self.directory = directory
        self._writers = writers
        self._filler = directory / "filler"
        self._limited: list[int] = []
        self._is_mounted = bool(os.environ.get(_MOUNTS))
        directory.mkdir()
        if self._is_mounted:
            size = f"size={_MEGABYTES}m"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(directory)], check=True)

    @property
    def spool(self) -> Path:
        """SPOOL_DIRECTORY."""
        return self.directory / "spool"

    @property
    def how(self) -> str:
        """How the disk is made full on this machine."""
        return "a tmpfs, filled" if self._is_mounted else "RLIMIT_FSIZE, since nothing may be mounted here"

    def holds(self) -> bool:
        """Whether anything is spooled."""
        return any((self.spool / "segments").glob("*"))

    def fill(self, chance: random.Random) -> None:
        """Leave no room, or a page or two."""
        if self._is_mounted:
            with self._filler.open("ab", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(65_536))
            with self._filler.open("r+b") as file:
                file.truncate(max(0, self._filler.stat().st_size - chance.choice((0, 0, 4096, 8192))))
            return
        self._limited = self._writers()
        for process in self._limited:
            self._limit(process, 0)

    def clear(self) -> None:
        """There is room again."""
        self._filler.unlink(missing_ok=True)
        for process in self._limited:
            self._limit(process, resource.RLIM_INFINITY)
        self._limited = []

    def _limit(self, process: int, size: int) -> None:
        try:
            resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        except OSError as error:
            if error.errno != errno.ESRCH:  # it was killed meanwhile; its successor has no limit
                raise
