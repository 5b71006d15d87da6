"""What an importer reads from: a log file, or a table that a web server logs into."""

from collections.abc import Iterator
from typing import Protocol

from footfall.importing.line import Line


class Source(Protocol):
    """Lines, from a position on.

    Attributes:
        path: what people call it.
        position: where the lines that were used end; the user of the source moves it on.
        ahead: where the line that was given out last ends.
        damage: why it could not be read to its end, as a sentence; empty when it could.
        unfinished: whether its last line was left, because it has no end yet.
        was_replaced: whether it was followed until another file took its place.
        consumed: bytes of its file that were read, for showing progress.
    """

    path: str
    position: int
    ahead: int
    damage: str
    unfinished: bool
    was_replaced: bool
    consumed: int

    @property
    def header(self) -> str:
        """What has to be read first when reading goes on from here."""

    def read(self) -> Iterator[Line | None]:
        """Its lines, until its end; None wherever one that is followed has nothing more at present."""
