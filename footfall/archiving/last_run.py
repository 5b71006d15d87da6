"""When the archives were last brought up to date: the options of the same names that Matomo's own archiver writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from footfall.clock import Clock
    from footfall.options import Options

STARTED: Final = "LastFullArchivingStartTime"
ENDED: Final = "LastCompletedFullArchiving"


@dataclass(frozen=True)
class LastRun:
    """The latest run of `archive_cli run`, of whichever sites.

    Args:
        started: when the latest one began (UTC); None before the first.
        ended: when the latest one that came to its end did so (UTC); None before the first.
    """

    started: datetime | None
    ended: datetime | None


class Runs:
    """Remembers runs in the database, for every process that asks."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock

    def begins(self) -> None:
        """Note that a run begins now."""
        self._note(STARTED)

    def ends(self) -> None:
        """Note that a run has worked all it found; not for one that was stopped."""
        self._note(ENDED)

    def last(self) -> LastRun:
        """The latest run."""
        return LastRun(self._time(STARTED), self._time(ENDED))

    def _note(self, option: str) -> None:
        self._options.set(option, str(int(self._clock.now().timestamp())))

    def _time(self, option: str) -> datetime | None:
        value = self._options.get(option)
        return datetime.fromtimestamp(int(value), UTC) if value and value.isdigit() else None
