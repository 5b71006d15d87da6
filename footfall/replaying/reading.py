"""What is replayed: lines of JSON, or the log of a web server that tracking requests went through."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from footfall.clock import Clock
from footfall.errors import FootfallError
from footfall.importing.choice import Choice, ChoiceOptions
from footfall.importing.counts import Counts
from footfall.importing.formats.recognition import FormatOptions
from footfall.importing.log import Log, beginning_of
from footfall.importing.requests import ReplayedRequests
from footfall.importing.streams import STDIN, LogStream
from footfall.queue.request import TrackingRequest
from footfall.replaying import lines
from footfall.replaying.lines import InvalidLine

_LONGEST = 64 * 1024 * 1024  # bytes of a line
_SAMPLES = 5


class Numbered(NamedTuple):
    """A request and the number of its line, from 1."""

    number: int
    request: TrackingRequest


@dataclass
class Found:
    """What was read of a file, so far.

    Args:
        lines: with anything in them.
        ignored: lines of a log that are no tracking requests.
        invalid: that cannot be understood; `samples` says where and why of the first.
        consumed: bytes of the file.
    """

    lines: int = 0
    ignored: int = 0
    invalid: int = 0
    consumed: int = 0

    def __post_init__(self) -> None:
        self.samples: list[str] = []

    def note_invalid(self, number: int, why: str) -> None:
        """Count a line that cannot be understood."""
        self.invalid += 1
        if len(self.samples) < _SAMPLES:
            self.samples.append(f"line {number}: {why}")


class ReplayFile:
    """One file.

    Args:
        path: of lines of JSON or of a log, compressed ones too; STDIN for lines of JSON on standard input.

    Raises:
        FootfallError: it cannot be read, or nobody can tell what it is.
    """

    def __init__(self, path: str, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self.found = Found()
        self.is_log = path != STDIN and not _is_ours(path)
        if self.is_log:
            Log(path, FormatOptions(), Counts(), clock).recognise(beginning_of(path).lines)

    @property
    def identity(self) -> str:
        """A name for the content of the file, whatever it is called; empty for standard input."""
        if self.path == STDIN:
            return ""
        stream, digest = LogStream(self.path), sha256()
        try:
            while block := stream.read():
                digest.update(block)
        finally:
            stream.close()
        return digest.hexdigest()[:32]

    def requests(self, after: int = 0) -> Iterator[Numbered]:
        """The requests of the lines behind this one.

        Raises:
            Damaged: it cannot be decompressed from here on.
        """
        return self._of_log(after) if self.is_log else self._of_lines(after)

    def _of_lines(self, after: int) -> Iterator[Numbered]:
        found = self.found
        for number, line in enumerate(self._lines(), 1):
            if number <= after or not line.strip():
                continue
            found.lines += 1
            try:
                request = lines.read(line)
            except InvalidLine as error:
                found.note_invalid(number, str(error))
                continue
            yield Numbered(number, request)

    def _lines(self) -> Iterator[bytes]:
        stream, rest = LogStream(self.path), b""
        try:
            while block := stream.read():
                self.found.consumed = stream.consumed
                *whole, rest = (rest + block).split(b"\n")
                if len(rest) > _LONGEST:
                    raise FootfallError(f"A line of {self.path} is longer than {_LONGEST >> 20} MiB: it is no export.")
                yield from whole
        finally:
            stream.close()
        if rest:
            yield rest

    def _of_log(self, after: int) -> Iterator[Numbered]:
        found, counts = self.found, Counts()
        log = Log(self.path, FormatOptions(), counts, self._clock)
        log.recognise(beginning_of(self.path).lines)
        choice = Choice(ChoiceOptions(parts=True, bots=True, errors=True, redirects=True))
        maker = ReplayedRequests(choice)
        number = 0
        for line in log.read():
            if line is None:
                continue
            number += 1
            found.consumed, found.invalid, found.samples = log.consumed, counts.invalid, counts.samples
            if number <= after:
                continue
            found.lines += 1
            made = maker.make(line)
            if isinstance(made, str):
                found.ignored += 1
            else:
                yield Numbered(number, made.request)


def _is_ours(path: str) -> bool:
    """Whether the first line is one of ours; also for an empty file."""
    first = beginning_of(path).data.lstrip()
    if not first:
        return True
    line, end, _ = first.partition(b"\n")
    if not end:
        return first.startswith((b'{"received_at"', b'{"address"'))  # cut off, or the only one
    try:
        lines.read(line)
    except InvalidLine:
        return False
    return True
