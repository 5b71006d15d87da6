"""A request to the Reporting API: its parameters, read and checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from footfall.reports.errors import ReportError
from footfall.reports.table import Shape

DEFAULT_LIMIT = 100
ALL_SITES = "all"

_SITES = re.compile(r"\s*\d{1,9}\s*(,\s*\d{1,9}\s*)*")
_WHOLE = re.compile(r"-?\d{1,9}")
# Ignoring one of these would answer with other rows or numbers than asked for.
_NOT_YET = (
    "segment",
    "label",
    "filter_pattern",
    "filter_pattern_recursive",
    "filter_excludelowpop",
    "filter_truncate",
    "showColumns",
    "hideColumns",
    "pivotBy",
)


@dataclass(frozen=True)
class ReportRequest:
    """What a caller asks for.

    Args:
        method: of the Reporting API, `Actions.getPageUrls`.
        sites: the idsites in the order given; None for all that the caller may see.
        several_sites: whether the answer is by site, even for a list of one.
        period: the kind of period, unchecked.
        date: one or several dates, unchecked: what they mean depends on the site's timezone.
        subtable_id: of the subtable to show instead of the whole table.
        shape: how rows are shown.
    """

    method: str
    sites: tuple[int, ...] | None
    several_sites: bool
    period: str
    date: str
    subtable_id: int | None
    shape: Shape


def parse(parameters: Mapping[str, str]) -> ReportRequest:
    """The request that the parameters make; unknown ones are ignored, as the reference does.

    Raises:
        ReportError: a parameter is missing, makes no sense or is not supported.
    """
    for name in _NOT_YET:
        if parameters.get(name):
            raise ReportError(f"The parameter {name} is not supported yet: ask without it.")
    sites, several = _sites(_required(parameters, "idSite"))
    limit = _whole(parameters, "filter_limit", DEFAULT_LIMIT)
    order = parameters.get("filter_sort_order", "desc").lower()
    if order not in ("asc", "desc"):
        raise ReportError(f"filter_sort_order must be asc or desc, not {order!r}.")
    return ReportRequest(
        method=parameters.get("method", ""),
        sites=sites,
        several_sites=several,
        period=_required(parameters, "period"),
        date=_required(parameters, "date"),
        subtable_id=_whole(parameters, "idSubtable", 0) or None,
        shape=Shape(
            expanded=_switch(parameters, "expanded"),
            flat=_switch(parameters, "flat"),
            sort_column=parameters.get("filter_sort_column") or None,
            descending=order == "desc",
            offset=max(0, _whole(parameters, "filter_offset", 0)),
            limit=None if limit < 0 else limit,
            formatted=parameters.get("format_metrics") != "0",
        ),
    )


def _required(parameters: Mapping[str, str], name: str) -> str:
    value = parameters.get(name, "").strip()
    if not value:
        raise ReportError(f"The parameter {name} is missing: give idSite, period and date.")
    return value


def _sites(text: str) -> tuple[tuple[int, ...] | None, bool]:
    if text.lower() == ALL_SITES:
        return None, True
    if not _SITES.fullmatch(text):
        raise ReportError(f"{text!r} is not a site: idSite is a number, numbers with commas between them, or all.")
    return tuple(dict.fromkeys(int(number) for number in text.split(","))), "," in text


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, "").strip()
    if not text:
        return default
    if not _WHOLE.fullmatch(text):
        raise ReportError(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def _switch(parameters: Mapping[str, str], name: str) -> bool:
    return parameters.get(name, "0").strip().lower() not in ("", "0", "false")
