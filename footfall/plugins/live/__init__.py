"""Visits one by one, from the log itself: the newest with all that happened in them, and how many there are now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from footfall.archiving.periods import Period
from footfall.plugins import Plugin
from footfall.plugins.live.log import VisitLog
from footfall.plugins.live.visits import visit_details
from footfall.reports.answer import Answer, Keyed, Plain
from footfall.reports.errors import ReportError
from footfall.reports.method import Call, Method
from footfall.reports.request import required, whole
from footfall.reports.site import ReportSite
from footfall.timezones import site_zone

_DEFAULT_VISITS: Final = 100
_MOST_VISITS: Final = 500  # in one answer, however many are asked for
_LONGEST_MINUTES: Final = 2880


def _last_visits(call: Call) -> Answer:
    """Live.getLastVisitsDetails: the newest visits of a site, of a period or of all times, or of a segment."""
    site = _site(call)
    window = None
    if call.parameters.get("date") and call.parameters.get("period"):
        period = call.desk.periods(site, call.parameters["period"], call.parameters["date"])
        if not isinstance(period, Period):
            period = Period.range(period[0].first, period[-1].last)
        window = period.utc_bounds(site_zone(site.timezone))
    limit = whole(call.parameters, "filter_limit", _DEFAULT_VISITS)
    offset = max(0, whole(call.parameters, "filter_offset", 0))
    log = VisitLog(call.database)
    visits = log.newest(
        site.idsite,
        window,
        call.desk.segment(site, call.parameters.get("segment", "")),
        offset,
        _MOST_VISITS if limit < 0 else min(limit, _MOST_VISITS),
    )
    happened = log.happened(visits)
    return Plain([visit_details(visit, happened, site) for visit in visits])


def _counters(call: Call) -> Answer:
    """Live.getCounters: visits, visitors, actions and visits that converted in the last minutes."""
    minutes = whole(call.parameters, "lastMinutes", -1)
    if not 0 < minutes <= _LONGEST_MINUTES:
        raise ReportError(f"lastMinutes must be a whole number from 1 to {_LONGEST_MINUTES}.")
    now = call.clock.now().replace(tzinfo=None)
    log, segment = VisitLog(call.database), call.parameters.get("segment", "")
    answers: dict[str, Answer] = {
        str(site.idsite): Plain([_count(log, call, site, segment, now, minutes)])
        for site in call.desk.sites(required(call.parameters, "idSite"), call.caller)
    }
    return next(iter(answers.values())) if len(answers) == 1 else Keyed("idSite", answers)


def _count(log: VisitLog, call: Call, site: ReportSite, segment: str, now: datetime, minutes: int) -> dict[str, int]:
    until = now + timedelta(seconds=1)
    return log.counters(site.idsite, now - timedelta(minutes=minutes), until, call.desk.segment(site, segment))


def _site(call: Call) -> ReportSite:
    sites = call.desk.sites(required(call.parameters, "idSite"), call.caller)
    if len(sites) != 1:
        raise ReportError(f"{call.parameters['method']} takes one site: give one idSite.")
    return sites[0]


METHODS = (Method("Live.getLastVisitsDetails", _last_visits), Method("Live.getCounters", _counters))

PLUGIN = Plugin("Live", methods=METHODS)
