"""When a report has to wait for an archive: the setting, the size of the site, and the age of what is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from log_rows import add_site, add_visit, touch

from footfall.archiving.archiver import Archiver
from footfall.archiving.freshness import Freshness, OnDemandRules, WantedArchive
from footfall.archiving.invalidations import Invalidations
from footfall.archiving.periods import Period, PeriodKind
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.errors import ConfigurationError
from footfall.plugins import archived

DAY = Period.of(PeriodKind.DAY, date(2026, 8, 10))
WEEK = Period.of(PeriodKind.WEEK, date(2026, 8, 10))
RANGE = Period.range(date(2026, 8, 9), date(2026, 8, 12))
MOMENT = datetime(2026, 8, 10, 12)

Wanted = Callable[..., bool]


@pytest.fixture
def wanted(database: Database, clock: FixedClock) -> Wanted:
    add_site(database)
    for visitor in range(3):
        add_visit(database, 1, MOMENT, visitor=visitor + 1)

    def ask(period: Period, mode: str = "all", segment: str = "", plugin: str = "", most_visits: int = 10) -> bool:
        freshness = Freshness(database, clock, OnDemandRules(mode, most_visits, 900))
        return freshness.wanted(1, UTC, period, segment, plugin) is not None

    return ask


@pytest.mark.parametrize(
    ("mode", "day", "range_"),
    [("none", False, False), ("range", False, True), ("small", True, True), ("all", True, True)],
)
def test_the_setting_says_which_periods_are_made(wanted: Wanted, mode: str, day: bool, range_: bool) -> None:
    assert (wanted(DAY, mode), wanted(RANGE, mode)) == (day, range_)


def test_a_period_with_many_visits_waits_for_the_next_run(wanted: Wanted) -> None:
    assert wanted(DAY, "small", most_visits=3)
    assert not wanted(DAY, "small", most_visits=2)


def test_a_mode_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match="none, range, small, all"):
        OnDemandRules("sometimes", 1, 1)


def test_an_archive_that_is_there_is_enough(wanted: Wanted, database: Database, clock: FixedClock) -> None:
    Archiver(database, archived(), clock).ensure(1, DAY)
    assert not wanted(DAY)
    assert wanted(WEEK)
    assert wanted(DAY, segment="visitCount>1")


def test_new_data_makes_an_archive_outdated_once_it_is_old(
    wanted: Wanted, database: Database, clock: FixedClock
) -> None:
    Archiver(database, archived(), clock).ensure(1, WEEK)
    touch(database, 1, MOMENT)
    assert not wanted(WEEK)
    clock.moment += timedelta(seconds=900)
    assert wanted(WEEK)
    Archiver(database, archived(), clock).ensure(1, WEEK)
    assert not wanted(WEEK)


def test_so_does_an_invalidation(wanted: Wanted, database: Database, clock: FixedClock) -> None:
    Archiver(database, archived(), clock).ensure(1, DAY, "visitCount>=0")
    clock.moment += timedelta(seconds=900)
    assert not wanted(DAY, segment="visitCount>=0")
    Invalidations(database, clock).add(1, [DAY])
    assert wanted(DAY, segment="visitCount>=0")


def test_of_nothing_there_is_nothing_to_make(wanted: Wanted) -> None:
    assert not wanted(Period.of(PeriodKind.DAY, date(2026, 8, 1)))
    assert not wanted(Period.of(PeriodKind.DAY, date(2026, 8, 21)))  # tomorrow


def test_an_archive_that_was_waited_for_is_not_wanted_again(
    wanted: Wanted, database: Database, clock: FixedClock
) -> None:
    freshness = Freshness(database, clock, OnDemandRules("all", 1, 900))
    archive = freshness.wanted(1, UTC, DAY, "")
    assert archive == WantedArchive(1, DAY, "")
    freshness.begin([archive])
    assert freshness.wanted(1, UTC, DAY, "") is None
    freshness.begin()
    assert freshness.wanted(1, UTC, DAY, "") == archive


def test_the_archive_of_a_part_of_the_visits_serves_its_plugins_alone(
    wanted: Wanted, database: Database, clock: FixedClock
) -> None:
    Archiver(database, archived(), clock).ensure(1, DAY)
    assert not wanted(DAY, segment="visitorType==new", plugin="VisitsSummary")
    assert wanted(DAY, segment="visitorType==new", plugin="Actions")
