"""Lines of a stream of bytes, with a bound on their length."""

from collections.abc import Iterator
from typing import NamedTuple

from footfall.importing.streams import LogStream

LONGEST = 64 * 1024
"""Bytes of the longest line that is read; servers refuse requests long before that."""


class RawLine(NamedTuple):
    """A line as it was written.

    Args:
        text: without its end; None for one that is too long.
        size: its bytes in the stream, those of its end included.
    """

    text: str | None
    size: int


class LineReader:
    """Takes a stream apart into lines. No more of a line that is too long is kept than one block."""

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream
        self._rest = b""
        self._passed = 0  # bytes of a line that is too long, already let go

    @property
    def unfinished(self) -> int:
        """Bytes read of a line whose end has not come yet."""
        return self._passed + len(self._rest)

    def read(self) -> list[RawLine] | None:
        """The lines that end in the next block of the stream; None at its end.

        Raises:
            Damaged: the stream cannot be read on.
        """
        block = self._stream.read()
        if not block:
            return None
        *whole, self._rest = (self._rest + block).split(b"\n")
        lines = [RawLine(_text(line), len(line) + 1) for line in whole]
        if self._passed and lines:
            lines[0] = RawLine(None, self._passed + lines[0].size)
            self._passed = 0
        if len(self._rest) > LONGEST:
            self._passed += len(self._rest)
            self._rest = b""
        return lines

    def last(self) -> Iterator[RawLine]:
        """The line that has no end, at the end of a stream that nothing will be added to."""
        if self.unfinished:
            yield RawLine(None if self._passed else _text(self._rest), self.unfinished)
            self._rest, self._passed = b"", 0


def _text(line: bytes) -> str | None:
    """A line as text; bytes that are no UTF-8 are kept as surrogates."""
    if len(line) > LONGEST:
        return None
    return line.decode("utf-8", "surrogateescape").rstrip("\r")
