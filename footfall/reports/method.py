"""Methods of the Reporting API that are no report about one site and period."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from footfall.archiving.periods import Period
from footfall.archiving.segment import Segment
from footfall.archiving.segments import SegmentName
from footfall.clock import Clock
from footfall.database import Database
from footfall.reports.answer import Answer
from footfall.reports.site import ReportSite
from footfall.reports.source import Source
from footfall.users import Caller


class Desk(Protocol):
    """What a method can ask for; footfall.reports.reporting.Reporting."""

    def sites(self, idsite: str, caller: Caller) -> Sequence[ReportSite]:
        """The sites that a text names (`1`, `1,2`, `all`).

        Raises:
            ReportError: one does not exist or the caller may not see it.
        """

    def periods(self, site: ReportSite, period: str, date: str) -> Period | list[Period]:
        """The periods that a request names, in the site's calendar.

        Raises:
            ReportError: they cannot be read.
        """

    def source(self, site: ReportSite, period: Period, segment: str, parameters: Mapping[str, str]) -> Source:
        """The archives of a site and period.

        Raises:
            ReportError: the segment cannot be read.
        """

    def segment(self, site: ReportSite, definition: str) -> Segment | None:
        """The segment of a definition; None for all visits.

        Raises:
            ReportError: it cannot be read.
        """

    def segment_names(self, site: ReportSite) -> Mapping[str, SegmentName]:
        """What conditions of segments about the site can use, by name."""

    def answer(self, parameters: Mapping[str, str], caller: Caller) -> Answer:
        """What the parameters of another request ask for.

        Raises:
            ReportError: it cannot be answered.
        """


@dataclass(frozen=True)
class Call:
    """A call of a method.

    Args:
        parameters: as given.
        desk: gives sites, periods and archives.
        database: for methods about the log itself.
    """

    parameters: Mapping[str, str]
    caller: Caller
    desk: Desk
    database: Database
    clock: Clock


@dataclass(frozen=True)
class Method:
    """A method.

    Args:
        method: its name in the Reporting API, `Live.getCounters`.
        run: answers a call; it raises ReportError with what is wrong with it.
    """

    method: str
    run: Callable[[Call], Answer]
