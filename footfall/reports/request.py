"""A request to the Reporting API: its parameters, read and checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from footfall.reports.errors import ReportError
from footfall.reports.shape import Formatting, LowPopulation, Pattern, Shape

DEFAULT_LIMIT = 100
ALL_SITES = "all"

_SITES = re.compile(r"\s*\d{1,9}\s*(,\s*\d{1,9}\s*)*")
_WHOLE = re.compile(r"-?\d{1,9}")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")
# Ignoring one of these would answer with other rows or numbers than asked for.
_NOT_YET = ("pivotBy", "compareSegments", "comparePeriods", "compareDates")


@dataclass(frozen=True)
class ReportRequest:
    """What a caller asks for.

    Args:
        method: of the Reporting API, `Actions.getPageUrls`.
        sites: the idsites in the order given; None for all that the caller may see.
        several_sites: whether the answer is by site, even for a list of one.
        period: the kind of period, unchecked.
        date: one or several dates, unchecked: what they mean depends on the site's timezone.
        segment: its definition, unchecked; empty for all visits.
        subtable_id: of the subtable to show instead of the whole table.
        shape: how rows are shown.
        parameters: all of them, for reports that take their own.
    """

    method: str
    sites: tuple[int, ...] | None
    several_sites: bool
    period: str
    date: str
    subtable_id: int | None
    shape: Shape
    segment: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(parameters: Mapping[str, str]) -> ReportRequest:
    """The request that the parameters make; unknown ones are ignored, as the reference does.

    Raises:
        ReportError: a parameter is missing, makes no sense or is not supported.
    """
    for name in _NOT_YET:
        if parameters.get(name):
            raise ReportError(f"The parameter {name} is not supported: ask without it.")
    sites, several = parse_sites(required(parameters, "idSite"))
    return ReportRequest(
        method=parameters.get("method", ""),
        sites=sites,
        several_sites=several,
        period=required(parameters, "period"),
        date=required(parameters, "date"),
        segment=parameters.get("segment", "").strip(),
        subtable_id=whole(parameters, "idSubtable", 0) or None,
        shape=parse_shape(parameters),
        parameters=parameters,
    )


def parse_shape(parameters: Mapping[str, str]) -> Shape:
    """How the rows of the answer are to be shown.

    Raises:
        ReportError: a parameter makes no sense.
    """
    limit = whole(parameters, "filter_limit", DEFAULT_LIMIT)
    order = parameters.get("filter_sort_order", "").strip().lower()
    if order not in ("", "asc", "desc"):
        raise ReportError(f"filter_sort_order must be asc or desc, not {order!r}.")
    truncate = whole(parameters, "filter_truncate", -1)
    return Shape(
        expanded=switch(parameters, "expanded"),
        flat=switch(parameters, "flat"),
        with_aggregates=switch(parameters, "include_aggregate_rows"),
        sort_column=parameters.get("filter_sort_column") or None,
        descending=None if not order else order == "desc",
        offset=max(0, whole(parameters, "filter_offset", 0)),
        limit=None if limit < 0 else limit,
        keep_summary=switch(parameters, "keep_summary_row"),
        truncate=None if truncate < 0 else truncate,
        pattern=_pattern(parameters, "filter_pattern", "filter_column"),
        pattern_recursive=_pattern(parameters, "filter_pattern_recursive", "filter_column_recursive"),
        low_population=_low_population(parameters),
        shown=_columns(parameters, "showColumns"),
        hidden=_columns(parameters, "hideColumns"),
        label=parameters.get("label", "").strip() or None,
        formatting=_formatting(parameters.get("format_metrics", "")),
    )


def required(parameters: Mapping[str, str], name: str) -> str:
    """The value of a parameter that must be there.

    Raises:
        ReportError: it is missing.
    """
    value = parameters.get(name, "").strip()
    if not value:
        raise ReportError(f"The parameter {name} is missing: give idSite, period and date.")
    return value


def parse_sites(text: str) -> tuple[tuple[int, ...] | None, bool]:
    """The sites that the text names, None for all; and whether it may name several.

    Raises:
        ReportError: the text names no sites.
    """
    if text.lower() == ALL_SITES:
        return None, True
    if not _SITES.fullmatch(text):
        raise ReportError(f"{text!r} is not a site: idSite is a number, numbers with commas between them, or all.")
    return tuple(dict.fromkeys(int(number) for number in text.split(","))), "," in text


def whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    """The whole number that a parameter gives.

    Raises:
        ReportError: it gives something else.
    """
    text = parameters.get(name, "").strip()
    if not text:
        return default
    if not _WHOLE.fullmatch(text):
        raise ReportError(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def switch(parameters: Mapping[str, str], name: str) -> bool:
    """Whether a parameter that is 0 or 1 is on."""
    return parameters.get(name, "0").strip().lower() not in ("", "0", "false")


def _pattern(parameters: Mapping[str, str], name: str, column: str) -> Pattern | None:
    expression = parameters.get(name, "")
    return Pattern(parameters.get(column) or "label", expression) if expression else None


def _low_population(parameters: Mapping[str, str]) -> LowPopulation | None:
    column = parameters.get("filter_excludelowpop", "")
    if not column:
        return None
    text = parameters.get("filter_excludelowpop_value", "0").strip() or "0"
    if not _NUMBER.fullmatch(text):
        raise ReportError(f"filter_excludelowpop_value must be a number, not {text!r}.")
    return LowPopulation(column, float(text))


def _columns(parameters: Mapping[str, str], name: str) -> frozenset[str]:
    return frozenset(column for part in parameters.get(name, "").split(",") if (column := part.strip()))


def _formatting(text: str) -> Formatting:
    """Nothing for 0, everything for 1 and all, else what the reference does without being asked."""
    word = text.strip().lower()
    if word == "0":
        return "none"
    return "all" if word in ("1", "all") else "percentages"
