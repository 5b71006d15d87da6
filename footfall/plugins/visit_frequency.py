"""How new and how returning visitors behave."""

from __future__ import annotations

from typing import Any, Final

from footfall.archiving.periods import PeriodKind
from footfall.archiving.plan import VisitPart
from footfall.archiving.segments import VISIT, SegmentName
from footfall.plugins import Plugin
from footfall.reports.metrics import ratio
from footfall.reports.report import Listing, NumbersReport
from footfall.reports.source import Source

# There are no records: the numbers are those of VisitsSummary for the visits of each kind.

_CONDITIONS: Final = {
    "new": "visitorType==new",
    "returning": "visitorType==returning,visitorType==returningCustomer",
}
_COUNTED: Final = ("nb_visits", "nb_actions")
_PEOPLE: Final = ("nb_uniq_visitors", "nb_users")
_NUMBERS: Final = (
    *_COUNTED,
    "nb_visits_converted",
    "bounce_count",
    "sum_visit_length",
    "max_actions",
)
_PEOPLE_ARE_COUNTED = (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH)


def _new_and_returning(source: Source) -> dict[str, Any]:
    names = (*_PEOPLE, *_NUMBERS) if source.period.kind in _PEOPLE_ARE_COUNTED else _NUMBERS
    found = {}
    for kind, condition in _CONDITIONS.items():
        numbers = source.of_visits(condition, "VisitsSummary").numbers(names)
        found.update({f"{name}_{kind}": numbers.get(name, 0) for name in names})
    return found


_PROCESSED = tuple(
    metric
    for kind in _CONDITIONS
    for metric in (
        ratio(f"bounce_rate_{kind}", f"bounce_count_{kind}", f"nb_visits_{kind}", 2, "percent"),
        ratio(f"nb_actions_per_visit_{kind}", f"nb_actions_{kind}", f"nb_visits_{kind}", 1),
        ratio(f"avg_time_on_site_{kind}", f"sum_visit_length_{kind}", f"nb_visits_{kind}", 0, "seconds"),
    )
)
_LISTED = tuple(f"{name}_{kind}" for kind in ("returning", "new") for name in (*_COUNTED, *_PEOPLE, "max_actions"))
_LISTED_PROCESSED = tuple(
    f"{name}_{kind}"
    for kind in ("returning", "new")
    for name in ("avg_time_on_site", "nb_actions_per_visit", "bounce_rate")
)

_NOT_MERGED = frozenset(
    f"{name}_{kind}" for kind in _CONDITIONS for name in ("nb_visits_converted", "bounce_count", "sum_visit_length")
)

REPORTS = (
    NumbersReport(
        "VisitFrequency.get",
        load=_new_and_returning,
        processed=_PROCESSED,
        not_merged=_NOT_MERGED,
        listing=Listing(None, _LISTED, _LISTED_PROCESSED),
    ),
)

# Segments

SEGMENTS = (
    SegmentName("visitorType", VISIT, "visitor_returning", values={"new": 0, "returning": 1, "returningCustomer": 2}),
)

# Goals.get compares the two as well.
PARTS = tuple(VisitPart(condition, ("VisitsSummary", "Goals")) for condition in _CONDITIONS.values())

PLUGIN = Plugin("VisitFrequency", reports=REPORTS, segments=SEGMENTS, parts=PARTS)
