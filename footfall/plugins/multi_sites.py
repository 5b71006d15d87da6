"""All sites beside each other, each with what became of it since the period before."""

from __future__ import annotations

from typing import Any, Final

from babel.dates import format_date, format_interval
from babel.numbers import get_currency_symbol

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.periods import Period, PeriodKind
from footfall.plugins import Plugin
from footfall.reports.answer import Answer, Numbers, Table
from footfall.reports.errors import ReportError
from footfall.reports.formatting import percent
from footfall.reports.method import Call, Method
from footfall.reports.numbers import rounded
from footfall.reports.request import parse_shape, required
from footfall.reports.shape import Shape
from footfall.reports.site import ReportSite
from footfall.reports.sorting import natural

_LOCALE: Final = "en"
_VISITS: Final = "nb_visits"
# The archived number by the name it is shown under, and the name of its change.
_METRICS: Final = {
    "nb_visits": ("nb_visits", "visits"),
    "nb_actions": ("nb_actions", "actions"),
    "nb_pageviews": ("Actions_nb_pageviews", "pageviews"),
    "revenue": ("Goal_revenue", "revenue"),
}
Values = dict[str, Any]


def _all(call: Call) -> Answer:
    """MultiSites.getAll: every site that the caller may see and that had visits, the busiest first."""
    rows = [row for site in call.desk.sites("all", call.caller) if (row := _row(call, site)) is not None]
    rows.sort(key=lambda row: natural(row.label))
    rows.sort(key=lambda row: row.columns[_VISITS], reverse=True)
    return Table(DataTable(_window(rows, parse_shape(call.parameters))))


def _one(call: Call) -> Answer:
    """MultiSites.getOne: one site."""
    sites = call.desk.sites(required(call.parameters, "idSite"), call.caller)
    if len(sites) != 1:
        raise ReportError("MultiSites.getOne takes one site: give one idSite, or ask MultiSites.getAll.")
    period = _period(call, sites[0])
    return Numbers(_compared(_values(call, sites[0], period), _values(call, sites[0], period.shifted(-1))))


def _window(rows: list[Row], shape: Shape) -> list[Row]:
    return rows[shape.offset : None if shape.limit is None else shape.offset + shape.limit]


def _period(call: Call, site: ReportSite) -> Period:
    period = call.desk.periods(site, required(call.parameters, "period"), required(call.parameters, "date"))
    if not isinstance(period, Period):
        raise ReportError("MultiSites compares one period with the one before: give one date.")
    return period


def _values(call: Call, site: ReportSite, period: Period) -> Values:
    source = call.desk.source(site, period, call.parameters.get("segment", ""), call.parameters)
    found = source.numbers([stored for stored, _ in _METRICS.values()])
    return {shown: found.get(stored, 0) for shown, (stored, _) in _METRICS.items()}


def _row(call: Call, site: ReportSite) -> Row | None:
    period = _period(call, site)
    before = period.shifted(-1)
    now, previous = _values(call, site, period), _values(call, site, before)
    if not any(now.values()) and not any(previous.values()):
        return None
    beside: Values = {"idsite": site.idsite, "group": "", "main_url": site.main_url}
    beside |= {f"previous_{stored}": previous[shown] for shown, (stored, _) in _METRICS.items()}
    beside |= {
        "periodName": period.kind.label,
        "previousRange": _range(before),
        "ratio": 1,
        "currencySymbol": get_currency_symbol(site.currency, locale=_LOCALE),
    }
    return Row({"label": site.name} | _compared(now, previous), beside)


def _compared(now: Values, previous: Values) -> Values:
    """The values, and by how much they grew."""
    columns = dict(now)
    for shown, (_, name) in _METRICS.items():
        change = _change(now[shown], previous[shown])
        columns[f"{name}_evolution"] = percent(rounded(change, 3))
        columns[f"{name}_evolution_trend"] = (change > 0) - (change < 0)
    return columns


def _change(now: float, before: float) -> float:
    if not before:
        return 1 if now else 0
    return (now - before) / before


def _range(period: Period) -> str:
    """The period as people write it."""
    if period.kind is PeriodKind.DAY:
        return str(format_date(period.first, "EEE, MMM d", locale=_LOCALE))
    if period.kind is PeriodKind.MONTH:
        return str(format_date(period.first, "MMM y", locale=_LOCALE))
    if period.kind is PeriodKind.YEAR:
        return str(period.first.year)
    return str(format_interval(period.first, period.last, "yMMMd", locale=_LOCALE))


PLUGIN = Plugin("MultiSites", methods=(Method("MultiSites.getAll", _all), Method("MultiSites.getOne", _one)))
