"""The recorded archives of the reference give the recorded answers of the reference."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import pytest
import recorded

from footfall.archiving.freshness import ArchivesWanted, WantedArchive
from footfall.archiving.periods import Period, PeriodKind, parse_period
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.plugins import reports
from footfall.reports import formats
from footfall.reports.errors import ReportError
from footfall.reports.reporting import Reporting
from footfall.reports.site import ReportSite
from footfall.settings import Settings
from footfall.users import Caller

NOW = datetime(2026, 8, 12, 23, 30, tzinfo=UTC)
ARCHIVED = {(archive.idsite, archive.period) for archive in recorded.archives()}
ANSWERS = [
    line
    for line in recorded.reports()
    if (line["idSite"], parse_period(line["period"], line["date"], NOW.date())) in ARCHIVED
]
NO_DATABASE = Database(Settings())  # never connected to
SUPERUSER = Caller("admin", superuser=True)


class Directory:
    def sites(self, idsites: Sequence[int] | None = None) -> dict[int, ReportSite]:
        zones = {1: "UTC", 2: "Pacific/Auckland"}
        return {
            idsite: ReportSite(idsite, "Shop", "https://example.com", zone, "USD", ecommerce=False, sitesearch=True)
            for idsite, zone in zones.items()
            if idsites is None or idsite in idsites
        }


class OnDemand:
    """Wants the archives of these periods made first."""

    def __init__(self, *periods: Period) -> None:
        self.periods = periods

    def wanted(self, idsite: int, zone: tzinfo, period: Period, segment: str, plugin: str = "") -> WantedArchive | None:
        return WantedArchive(idsite, period, segment) if period in self.periods else None


def reporting(on_demand: OnDemand | None = None) -> Reporting:
    return Reporting(
        reports(),
        {},
        (),
        recorded.RecordedArchives(),
        Directory(),
        on_demand or OnDemand(),
        FixedClock(NOW),
        NO_DATABASE,
    )


def ask(caller: Caller = SUPERUSER, **parameters: object) -> Any:
    """The JSON answer to a request, read back."""
    request = {name: str(value) for name, value in parameters.items()}
    return json.loads(formats.find("JSON").render(reporting().answer(request, caller)))


def plain(value: Any) -> Any:
    """With strings that are numbers as numbers: the reference mixes them."""
    if isinstance(value, dict):
        return {key: value if key == "label" else plain(value) for key, value in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and value.replace(".", "", 1).isdigit():
        return float(value)
    return value


def test_the_corpus_is_whole() -> None:
    assert len(ANSWERS) == 96
    assert {line["method"] for line in ANSWERS} <= set(reports())


@pytest.mark.parametrize(
    "line", ANSWERS, ids=lambda a: f"{a['method']}-{a['shape']}-{a['idSite']}-{a['period']}-{a['date']}"
)
def test_a_report_answers_as_the_reference_does_decoration_and_order_included(line: dict[str, Any]) -> None:
    answer = ask(
        method=line["method"], idSite=line["idSite"], period=line["period"], date=line["date"], **line["parameters"]
    )
    assert plain(answer) == plain(line["answer"])


PAGES: dict[str, object] = {"method": "Actions.getPageUrls", "idSite": 1, "period": "day", "date": "2026-08-10"}
VISITS: dict[str, object] = PAGES | {"method": "VisitsSummary.get"}


def test_a_table_names_its_subtables_and_a_subtable_is_asked_for_by_that_name() -> None:
    expanded = ask(**PAGES, expanded=1)
    root = ask(**PAGES)
    assert [row["label"] for row in root] == [row["label"] for row in expanded]
    assert not any("subtable" in row for row in root)
    docs = next(row for row in root if row["label"] == "docs")
    below = ask(**PAGES, idSubtable=docs["idsubdatatable"])
    assert [row["label"] for row in below] == [row["label"] for row in expanded[0]["subtable"]]


def test_an_unknown_subtable_has_no_rows() -> None:
    assert ask(**PAGES, idSubtable=999) == []


def test_the_limit_and_offset_count_top_level_rows() -> None:
    everything = ask(**PAGES, filter_limit=-1)
    assert ask(**PAGES, filter_limit=3) == everything[:3]
    assert ask(**PAGES, filter_limit=3, filter_offset=2) == everything[2:5]


def test_rows_can_be_sorted_by_any_metric_and_by_label() -> None:
    by_rate = [float(row["exit_rate"].rstrip("%")) for row in ask(**PAGES, filter_sort_column="exit_rate")]
    assert by_rate == sorted(by_rate, reverse=True)
    labels = [r["label"] for r in ask(**PAGES, filter_sort_column="label", filter_sort_order="asc")]
    # As the reference sorts them (conformance `shapes`, filter_sort_column=label).
    assert labels == ["/about", "/index", "/pricing", "blog", "category", "checkout", "docs", "section-news"]


def test_unformatted_percentages_are_quotients() -> None:
    assert ask(**VISITS, format_metrics=0)["bounce_rate"] == 0.33


def test_a_row_of_numbers_has_no_second_row() -> None:
    assert ask(**VISITS, filter_offset=1) == []


def test_a_period_without_an_archive_shows_zeros_and_empty_tables() -> None:
    nothing = {"date": "2026-08-11"}
    assert ask(**VISITS | nothing) == {
        "nb_uniq_visitors": 0,
        "nb_users": 0,
        "nb_visits": 0,
        "nb_actions": 0,
        "nb_visits_converted": 0,
        "bounce_count": 0,
        "sum_visit_length": 0,
        "max_actions": 0,
        "bounce_rate": "0%",
        "nb_actions_per_visit": 0,
        "avg_time_on_site": 0,
    }
    assert ask(**PAGES | nothing) == []
    assert ask(**PAGES | nothing, flat=1) == []


def test_several_dates_are_answered_by_date_and_days_without_visits_are_empty() -> None:
    answer = ask(**VISITS | {"date": "2026-08-09,2026-08-11"})
    assert list(answer) == ["2026-08-09", "2026-08-10", "2026-08-11"]
    assert answer["2026-08-10"] == ask(**VISITS)
    assert answer["2026-08-09"] == []


@pytest.mark.parametrize(
    ("period", "date", "keys"),
    [
        ("day", "last2", ["2026-08-11", "2026-08-12"]),
        ("day", "previous2", ["2026-08-10", "2026-08-11"]),
        ("week", "last2", ["2026-08-03,2026-08-09", "2026-08-10,2026-08-16"]),
        ("month", "2026-07-31,2026-08-01", ["2026-07", "2026-08"]),
        ("year", "last2", ["2025", "2026"]),
    ],
)
def test_the_keys_of_several_dates(period: str, date: str, keys: list[str]) -> None:
    assert list(ask(**VISITS | {"period": period, "date": date})) == keys


def test_today_is_that_of_the_site() -> None:
    assert list(ask(**VISITS | {"date": "last1"})) == ["2026-08-12"]
    assert list(ask(**VISITS | {"idSite": 2, "date": "last1"})) == ["2026-08-13"]


def test_several_sites_are_answered_by_site() -> None:
    both = ask(**VISITS | {"idSite": "1,2"})
    assert both == {"1": ask(**VISITS), "2": ask(**VISITS | {"idSite": 2})}
    assert ask(**VISITS | {"idSite": "all"}) == both


def test_all_sites_are_those_the_caller_may_see() -> None:
    assert list(ask(Caller("eve", access={2: "view"}), **VISITS | {"idSite": "all"})) == ["2"]


def test_visitors_are_not_shown_for_a_year() -> None:
    assert "nb_uniq_visitors" not in ask(**VISITS | {"period": "year"})


@pytest.mark.parametrize(
    ("changed", "status", "message"),
    [
        ({"method": "VisitsSummary.nothing"}, 400, "There is no method 'VisitsSummary.nothing'"),
        ({"idSite": 99}, 200, "There is no site 99"),
        ({"idSite": "one"}, 200, "'one' is not a site"),
        ({"idSite": ""}, 200, "idSite is missing"),
        ({"period": "fortnight"}, 200, "There is no period 'fortnight'"),
        ({"date": "not-a-date"}, 200, "'not-a-date' is not a date"),
        ({"date": ""}, 200, "date is missing"),
        ({"date": "2026-08-12,2026-08-10"}, 200, "ends before it begins"),
        ({"period": "range"}, 200, "A range needs two dates"),
        ({"filter_limit": "many"}, 200, "filter_limit must be a whole number"),
        ({"filter_sort_order": "up"}, 200, "filter_sort_order must be asc or desc"),
        ({"pivotBy": "Referrers.Keyword"}, 200, "pivotBy is not supported"),
    ],
)
def test_what_cannot_be_answered_is_told(changed: dict[str, object], status: int, message: str) -> None:
    with pytest.raises(ReportError, match=message) as told:
        ask(**VISITS | changed)
    assert told.value.status == status


def test_a_site_that_the_caller_may_not_see_is_refused() -> None:
    with pytest.raises(ReportError, match="no view access to site 1") as told:
        ask(Caller("eve", access={2: "view"}), **VISITS)
    assert told.value.status == 401


def test_an_unknown_format_names_the_formats() -> None:
    with pytest.raises(ReportError, match="The formats are: csv, json, tsv, xml"):
        formats.find("yaml")


DAYS = [Period.of(PeriodKind.DAY, date(2026, 8, number)) for number in (10, 11, 12)]
REQUEST = {"method": "VisitsSummary.get", "idSite": "1", "period": "day", "date": "2026-08-10"}


def test_an_archive_that_has_to_be_made_first_is_told() -> None:
    with pytest.raises(ArchivesWanted) as wanted:
        reporting(OnDemand(*DAYS)).answer(REQUEST, SUPERUSER)
    assert wanted.value.archives == {WantedArchive(1, DAYS[0], "")}


def test_all_archives_of_several_dates_are_wanted_at_once() -> None:
    with pytest.raises(ArchivesWanted) as wanted:
        reporting(OnDemand(*DAYS[1:])).answer(REQUEST | {"date": "2026-08-10,2026-08-12"}, SUPERUSER)
    assert {archive.period for archive in wanted.value.archives} == set(DAYS[1:])


def test_an_archive_that_need_not_be_made_is_not_waited_for() -> None:
    reporting(OnDemand(*DAYS[1:])).answer(REQUEST, SUPERUSER)
