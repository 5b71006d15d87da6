"""The bytes of logs: files, compressed ones too, and standard input."""

import bz2
import gzip
import io
import os
import select
import sys
import zlib
from collections.abc import Sequence
from glob import glob
from pathlib import Path
from typing import IO, Protocol, cast

from backports import zstd

from footfall.errors import FootfallError

STDIN = "-"
_BLOCK_BYTES = 1024 * 1024
_STDIN_SECONDS = 0.25
_DAMAGES = (EOFError, zlib.error, OSError, zstd.ZstdError)


class Damaged(FootfallError):
    """A compressed log that cannot be read from here on: cut off, or with wrong bytes."""


class _Readable(Protocol):
    def read1(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class LogStream:
    """The bytes of one log, in order.

    Args:
        path: of a file; STDIN for standard input.
        position: how many bytes are passed over.

    Raises:
        FootfallError: it cannot be opened.
        Damaged: it ends before `position`, or cannot be decompressed.
    """

    def __init__(self, path: str, position: int = 0) -> None:
        self.path = path
        self._raw: IO[bytes]
        self._stream: IO[bytes]
        try:
            self._raw = sys.stdin.buffer if path == STDIN else Path(path).open("rb")  # noqa: SIM115
        except OSError as error:
            raise FootfallError(f"{path} cannot be read: {error.strerror or error}.") from None
        self.is_compressed, self._stream = _decompressed(self._raw) if path != STDIN else (False, self._raw)
        self._readable = cast(_Readable, self._stream)
        if position:
            self._skip(position)

    def read(self) -> bytes:
        """The next bytes; none at the (present) end.

        Raises:
            Damaged: they cannot be decompressed.
        """
        try:
            return self._readable.read1(_BLOCK_BYTES)
        except _DAMAGES as error:
            reason = "it is cut off" if isinstance(error, EOFError) else str(error)
            raise Damaged(f"{self.path} cannot be read to its end: {reason}.") from error

    def is_ready(self) -> bool:
        """Whether reading would not wait; for standard input, which may, after a moment."""
        return self.path != STDIN or bool(select.select([self._raw], [], [], _STDIN_SECONDS)[0])

    @property
    def consumed(self) -> int:
        """How many bytes of the file itself have been read; 0 for one that cannot tell."""
        return self._raw.tell() if self._raw.seekable() else 0

    def was_replaced(self) -> bool:
        """Whether another file is to be found under the path by now, or this one was emptied."""
        try:
            there, own = Path(self.path).stat(), os.fstat(self._raw.fileno())
        except OSError:
            return False
        return (there.st_ino, there.st_dev) != (own.st_ino, own.st_dev) or there.st_size < self._raw.tell()

    def written_at(self) -> float:
        """When the file was written to last, in Unix seconds."""
        return os.fstat(self._raw.fileno()).st_mtime

    def close(self) -> None:
        """Close the file."""
        if self._stream is not self._raw:
            self._stream.close()
        if self.path != STDIN:
            self._raw.close()

    def _skip(self, position: int) -> None:
        if not self.is_compressed:
            self._raw.seek(position)
            return
        while position > 0:
            data = self._readable.read1(min(position, _BLOCK_BYTES))
            if not data:
                raise Damaged(f"{self.path} is shorter than it was when it was read before.")
            position -= len(data)


def _decompressed(raw: IO[bytes]) -> tuple[bool, IO[bytes]]:
    """Whether the file is compressed, and its content; told by its first bytes."""
    head = cast(io.BufferedReader, raw).peek(4)[:4]
    if head.startswith(b"\x1f\x8b"):
        return True, cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    if head.startswith(b"BZh"):
        return True, cast(IO[bytes], bz2.BZ2File(raw))
    if head == b"\x28\xb5\x2f\xfd":
        return True, cast(IO[bytes], zstd.ZstdFile(raw))
    return False, raw


def find(patterns: Sequence[str]) -> list[str]:
    """The files that names and patterns (`/var/log/nginx/*.gz`) stand for, none twice; URLs stand for themselves.

    Raises:
        FootfallError: one stands for none.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        if pattern == STDIN or "://" in pattern or Path(pattern).is_file():
            names = [pattern]
        else:
            names = sorted(name for name in glob(pattern, recursive=True) if Path(name).is_file())  # noqa: PTH207
        if not names:
            raise FootfallError(f"There is no file {pattern}.")
        found.update(dict.fromkeys(names))
    return list(found)
