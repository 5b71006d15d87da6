"""One log that is being imported: where reading it stands."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

from footfall.clock import Clock
from footfall.importing.counts import Counts
from footfall.importing.formats.format import Format
from footfall.importing.formats.recognition import (
    FormatOptions,
    UnknownFormat,
    chosen_format,
    recognise,
)
from footfall.importing.line import Line
from footfall.importing.lines import LONGEST, LineReader, RawLine
from footfall.importing.streams import STDIN, Damaged, LogStream

_FIRST_LINES = 100
_BEGINNING_BYTES = 64 * 1024
_SETTLED_SECONDS = 60  # without a write, after which a last line without an end is taken for whole
_FUTURE_SECONDS = 86_400


class Beginning(NamedTuple):
    """The first bytes of a log, uncompressed, and whether its file is."""

    data: bytes
    is_compressed: bool

    @property
    def lines(self) -> list[str]:
        """Its first lines, whole ones."""
        whole = self.data.split(b"\n")
        kept = whole[:-1] or whole
        return [line.decode("utf-8", "surrogateescape").rstrip("\r") for line in kept[:_FIRST_LINES] if line]


def beginning_of(path: str) -> Beginning:
    """The first bytes of a file.

    Raises:
        FootfallError: it cannot be read, from its very beginning.
    """
    with closing(LogStream(path)) as stream:
        data = b""
        while len(data) < _BEGINNING_BYTES:
            try:
                block = stream.read()
            except Damaged:
                if not data:
                    raise
                break
            if not block:
                break
            data += block
        return Beginning(data[:_BEGINNING_BYTES], stream.is_compressed)


class Log:
    """A log, read line by line from a position on.

    Args:
        path: of its file; STDIN for standard input.
        position: bytes of its content that are passed over.
        header: what its format has to read first, when it goes on from the middle.
        counts: told about lines that cannot be understood.
        follow: go on at its end, until another file takes its place. Standard input is followed in any case.
    """

    def __init__(
        self,
        path: str,
        options: FormatOptions,
        counts: Counts,
        clock: Clock,
        *,
        position: int = 0,
        header: str = "",
        follow: bool = False,
    ) -> None:
        self.path = path
        self.position = position
        """Where the lines that were used end; the user of the log moves it on."""
        self.ahead = position
        """Where the line that was given out last ends."""
        self.damage = ""
        """Why it could not be read to its end; empty when it could."""
        self.unfinished = False
        """Whether its last line was left, because it has no end yet."""
        self.was_replaced = False
        """Whether it was followed until another file took its place."""
        self.consumed = 0
        """Bytes of its file that were read, for showing progress."""
        self._follow = follow
        self._options = options
        self._header = header
        self._counts = counts
        self._clock = clock
        self._format: Format | None = chosen_format(options)
        self._latest = clock.now().timestamp() + _FUTURE_SECONDS
        self._numbered = position == 0
        self._number = 0

    @property
    def format_name(self) -> str:
        """The format; empty before it is known."""
        return self._format.name if self._format else ""

    @property
    def header(self) -> str:
        """What the format has to read first when reading goes on from here."""
        return self._format.header if self._format else self._header

    def recognise(self, first_lines: Sequence[str]) -> float:
        """Find the format out; the time of the first line that has one, or 0.

        Raises:
            UnknownFormat: no format fits.
        """
        try:
            trial = chosen_format(self._options) or recognise(first_lines, self._options)
            self._format = chosen_format(self._options) or recognise(first_lines, self._options)
        except UnknownFormat as error:
            raise UnknownFormat(f"{self.path} cannot be read: {error}.") from None
        for text in self._header.splitlines():
            self._format.read(text)
        for text in first_lines:
            try:
                if (line := trial.read(text)) is not None:
                    return line.time
            except (ValueError, OverflowError):
                continue
        return 0.0

    def read(self) -> Iterator[Line | None]:
        """Its lines, until its end; None wherever one that is followed has nothing more at present."""
        try:
            with closing(LogStream(self.path, self.position)) as stream:
                yield from self._read(stream, LineReader(stream))
        except Damaged as error:
            self.damage = str(error)

    def _read(self, stream: LogStream, reader: LineReader) -> Iterator[Line | None]:
        follows = (self._follow and not stream.is_compressed) or self.path == STDIN
        while True:
            lines = reader.read() if not follows or stream.is_ready() else []
            if lines is None and follows and self.path != STDIN:
                # What came between the last look and the rotation is still read.
                self.was_replaced = stream.was_replaced()
                lines = reader.read() or ([] if not self.was_replaced else None)
            if lines is None:
                break
            if not lines:
                if follows:
                    yield None
                continue
            self.consumed = stream.consumed
            if self._format is None:
                self.recognise([line.text for line in lines if line.text])
            yield from self._understood(lines)
        is_whole = stream.is_compressed or self.path == STDIN or self.was_replaced
        if is_whole or stream.written_at() < self._clock.now().timestamp() - _SETTLED_SECONDS:
            yield from self._understood(list(reader.last()))
        self.unfinished = reader.unfinished > 0

    def _understood(self, lines: Sequence[RawLine]) -> Iterator[Line]:
        assert self._format is not None
        read, latest = self._format.read, self._latest
        for text, size in lines:
            self.ahead += size
            self._number += 1
            if not text:
                if text is None:
                    self._note_invalid(f"it has more than {LONGEST // 1024} KiB", "")
                continue
            try:
                line = read(text)
            except (ValueError, OverflowError, KeyError, TypeError) as error:
                self._note_invalid(str(error), text)
                continue
            if line is None:
                continue
            if not 0 < line.time < latest:
                self._note_invalid("its time cannot be", text)
                continue
            yield line

    def _note_invalid(self, why: str, text: str) -> None:
        where = f"line {self._number}" if self._numbered else f"before byte {self.ahead}"
        self._counts.note_invalid(f"{self.path}, {where}", why, text)
