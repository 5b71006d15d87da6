"""What an import came to, so far."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from footfall.timezones import LocalDays

_SAMPLES = 5
_SAMPLE_LENGTH = 160
_QUARTER = 900  # seconds; offsets of time zones are whole quarters of an hour


@dataclass
class Counts:
    """Numbers of lines, by what became of them.

    Args:
        lines: read, headers and empty ones not among them.
        imported: that became a tracking request.
        downloads: of these, those of files.
        ignored: not imported, by reason (choice.py).
        invalid: that could not be understood.
        samples: the first of these: where, why and what.
        quarters: imported lines by site and quarter of an hour since 1970.
    """

    lines: int = 0
    imported: int = 0
    downloads: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    invalid: int = 0
    samples: list[str] = field(default_factory=list)
    quarters: Counter[tuple[int, int]] = field(default_factory=Counter)

    def note_invalid(self, where: str, why: str, text: str) -> None:
        """Count a line that cannot be understood."""
        self.lines += 1
        self.invalid += 1
        if len(self.samples) < _SAMPLES:
            shown = text[:_SAMPLE_LENGTH] + ("…" if len(text) > _SAMPLE_LENGTH else "")
            printable = "".join(
                character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in shown
            )
            self.samples.append(f"{where}: {why}: {printable}")

    def note_imported(self, idsite: int, time: float, *, download: bool) -> None:
        """Count a line that became a request."""
        self.imported += 1
        self.downloads += download
        self.quarters[idsite, int(time) // _QUARTER] += 1

    def by_day(self, days: dict[int, LocalDays]) -> Counter[tuple[int, date]]:
        """Imported lines by site and day of the site.

        Args:
            days: of each site; those of others are days in UTC.
        """
        counted: Counter[tuple[int, date]] = Counter()
        for (idsite, quarter), count in self.quarters.items():
            counted[idsite, days[idsite].date_of(quarter * _QUARTER)] += count
        return counted
