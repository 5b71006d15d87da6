"""What a log format does: it makes a Line of a line's text."""

from typing import Protocol

from footfall.importing.line import Line


class Format(Protocol):
    """A log format. One object reads one log, from its beginning on: some formats say in a log what follows."""

    @property
    def name(self) -> str:
        """As people choose it (`--format`)."""

    def read(self, text: str) -> Line | None:
        """What a line says; None for one that says nothing about a request (a header, a comment).

        Raises:
            Unreadable: the format does not fit it.
        """

    @property
    def header(self) -> str:
        """What has to be read first when reading goes on later, from the middle; empty for most."""
