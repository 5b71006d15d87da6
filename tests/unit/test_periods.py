"""Periods, and dates as people write them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.archiving.periods import Period, PeriodKind, local_date, parse_day, parse_period
from footfall.errors import InvalidInput
from footfall.timezones import site_zone

TODAY = date(2026, 8, 20)  # a Thursday
days = st.dates(date(2019, 12, 1), date(2028, 3, 31))


def period(kind: str, text: str) -> Period:
    found = parse_period(kind, text, TODAY)
    assert isinstance(found, Period)
    return found


def several(kind: str, text: str) -> list[str]:
    found = parse_period(kind, text, TODAY)
    assert isinstance(found, list)
    return [one.date_text for one in found]


@given(st.sampled_from(list(PeriodKind)), days, st.integers(0, 800))
def test_the_parts_of_a_period_are_its_days_without_gap_or_overlap(kind: PeriodKind, day: date, length: int) -> None:
    whole = Period.range(day, day + timedelta(length)) if kind is PeriodKind.RANGE else Period.of(kind, day)
    parts = whole.parts()
    if kind is PeriodKind.DAY:
        assert parts == []
    else:
        assert [d for part in parts for d in part.days()] == list(whole.days())
        assert all(part.kind < kind for part in parts)


def test_a_month_is_made_of_the_weeks_inside_it_and_the_days_around_them() -> None:
    parts = Period.of(PeriodKind.MONTH, date(2026, 8, 1)).parts()
    assert [part.kind.label for part in parts] == ["day"] * 2 + ["week"] * 4 + ["day"]


def test_a_year_is_made_of_months() -> None:
    assert {part.kind for part in Period.of(PeriodKind.YEAR, TODAY).parts()} == {PeriodKind.MONTH}


@given(days)
def test_a_day_lies_in_every_period_above_it(day: date) -> None:
    above = Period.of(PeriodKind.DAY, day).above()
    assert [p.kind.label for p in above] == ["week", "month", "year"]
    assert all(p.contains(day) for p in above)


@given(st.sampled_from(list(PeriodKind)[:4]), days, st.integers(-30, 30))
def test_the_next_period_begins_where_one_ends(kind: PeriodKind, day: date, steps: int) -> None:
    one = Period.of(kind, day)
    assert one.shifted(1).first == one.last + timedelta(1)
    assert one.shifted(steps).shifted(-steps) == one


def test_weeks_begin_on_monday() -> None:
    assert str(period("week", "2026-08-16")) == "week 2026-08-10,2026-08-16"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("day", "today", "day 2026-08-20"),
        ("day", "yesterday", "day 2026-08-19"),
        ("month", "2026-2-3", "month 2026-02"),
        ("year", "lastYear", "year 2025"),
        ("month", "last month", "month 2026-07"),
        ("range", "last7", "range 2026-08-14,2026-08-20"),
        ("range", "previous7", "range 2026-08-13,2026-08-19"),
        ("range", "2026-08-03,yesterday", "range 2026-08-03,2026-08-19"),
    ],
)
def test_a_request_names_one_period(kind: str, text: str, expected: str) -> None:
    assert str(period(kind, text)) == expected


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("day", "last3", ["2026-08-18", "2026-08-19", "2026-08-20"]),
        ("day", "previous2", ["2026-08-18", "2026-08-19"]),
        ("week", "last2", ["2026-08-10,2026-08-16", "2026-08-17,2026-08-23"]),
        ("month", "2026-06-30,2026-08-01", ["2026-06", "2026-07", "2026-08"]),
        ("year", "last1", ["2026"]),
    ],
)
def test_a_request_names_several_periods(kind: str, text: str, expected: list[str]) -> None:
    assert several(kind, text) == expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("day", "2026-02-30"),
        ("day", ""),
        ("day", "20260801"),
        ("day", "2026-08-01; DROP"),
        ("day", "last0"),
        ("day", "last99999"),
        ("day", "1980-01-01"),
        ("day", "2026-08-02,2026-08-01"),
        ("day", "1995-01-01,2026-08-01"),
        ("range", "2026-08-01"),
        ("range", "2026-08-01,"),
        ("fortnight", "today"),
    ],
)
def test_what_is_no_date_is_refused(kind: str, text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_period(kind, text, TODAY)


def test_a_command_takes_only_dates_that_mean_the_same_for_every_site() -> None:
    with pytest.raises(InvalidInput, match="write YYYY-MM-DD"):
        parse_day("today")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("UTC-5.5", date(2026, 3, 29), 24),
    ],
)
def test_a_day_has_the_hours_that_it_has_in_the_timezone_of_the_site(zone: str, day: date, hours: int) -> None:
    begin, end = Period.of(PeriodKind.DAY, day).utc_bounds(site_zone(zone))
    assert end - begin == timedelta(hours=hours)


def test_the_days_of_a_site_begin_at_its_own_midnight() -> None:
    begin, _ = Period.of(PeriodKind.DAY, date(2026, 8, 10)).utc_bounds(site_zone("America/New_York"))
    assert begin == datetime(2026, 8, 10, 4)
    assert local_date(datetime(2026, 8, 10, 3, 59, tzinfo=UTC), site_zone("America/New_York")) == date(2026, 8, 9)
