"""Archives: what is in them, when they are made, and what happens when making them fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import mysql.connector
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from log_rows import add_site, add_visit, touch

from footfall.archiving.archiver import Archiver
from footfall.archiving.blob import StoredTable, stored, to_blobs
from footfall.archiving.datatable import DataTable
from footfall.archiving.daylog import DayLog
from footfall.archiving.invalidations import Invalidations, InvalidationStatus
from footfall.archiving.locks import LockLost, SiteLock
from footfall.archiving.logreader import LogReader
from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.plan import Plans
from footfall.archiving.purging import purge
from footfall.archiving.reader import ArchiveReader, table_of
from footfall.archiving.records import Computed, NumericRecord, RecordBuilder
from footfall.archiving.scope import VISITS, Scope
from footfall.archiving.setup import SiteSetup
from footfall.archiving.site_round import RoundOptions, SiteRounds
from footfall.archiving.tables import ArchiveTables, DoneStatus
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.errors import FootfallError, InvalidInput
from footfall.plugins import archived
from footfall.settings import Settings

MONDAY = date(2026, 8, 10)
DAY = Period.of(PeriodKind.DAY, MONDAY)
WEEK = Period.of(PeriodKind.WEEK, MONDAY)
MONTH = Period.of(PeriodKind.MONTH, MONDAY)
YEAR = Period.of(PeriodKind.YEAR, MONDAY)


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 8, day, hour, minute)


def day_of(number: int) -> Period:
    return Period.of(PeriodKind.DAY, date(2026, 8, number))


@dataclass
class Events:
    """What a round says."""

    made: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def site_started(self, idsite: int, archives: int) -> None: ...

    def archive_made(self, idsite: int, period: Period, seconds: float) -> None:
        self.made.append(str(period))

    def archive_failed(self, idsite: int, period: Period, error: Exception) -> None:
        self.failed.append(str(period))

    def archive_waits(self, idsite: int, period: Period) -> None:
        self.waiting.append(str(period))

    def site_finished(self, idsite: int) -> None: ...


class Fault:
    """A record whose computing fails, or does something else, on chosen days."""

    def __init__(self) -> None:
        self.days: set[date] = set()
        self.act: Callable[[], None] = self._fail

    def _fail(self) -> None:
        raise ValueError("this day cannot be computed")

    def compute(self, log: DayLog) -> Computed:
        moments = log.visits["visit_last_action_time"].to_list()
        if any(datetime.fromtimestamp(moment, UTC).date() in self.days for moment in moments):
            self.act()
        return {}

    @property
    def builder(self) -> RecordBuilder:
        return RecordBuilder((NumericRecord("fault"),), {"log_visit": ("visit_last_action_time",)}, self.compute)


@pytest.fixture
def site(database: Database) -> int:
    return add_site(database)


@pytest.fixture
def fault() -> Fault:
    return Fault()


@pytest.fixture
def archiver(database: Database, clock: FixedClock, fault: Fault) -> Archiver:
    return Archiver(database, archived().with_builders("Fault", fault.builder), clock)


@pytest.fixture
def reader(settings: Settings) -> Iterator[ArchiveReader]:
    database = Database(settings)
    yield ArchiveReader(database)
    database.close()


@pytest.fixture
def queue(database: Database, clock: FixedClock) -> Invalidations:
    return Invalidations(database, clock)


@pytest.fixture
def run(database: Database, archiver: Archiver, clock: FixedClock) -> Callable[..., Events]:
    """Works the sites for one round; the options are those of RoundOptions."""

    def work(*sites: int, **options: object) -> Events:
        events = Events()
        chosen = replace(RoundOptions(today_seconds=0), **options)  # type: ignore[arg-type]
        rounds = SiteRounds(database, archiver, clock, chosen, events)
        for idsite in sites or (1,):
            rounds.run(idsite)
        return events

    return work


def visits(reader: ArchiveReader, period: Period, idsite: int = 1) -> float | None:
    numbers = reader.numeric(idsite, period, ["nb_visits"])
    return None if numbers is None else numbers.get("nb_visits", 0)


# What is in an archive


def test_a_touched_day_is_archived_with_the_week_month_and_year_above_it(
    database: Database, site: int, run: Callable[..., Events], reader: ArchiveReader
) -> None:
    add_visit(database, site, at(10), ["a", "b"])
    add_visit(database, site, at(12), ["a"], visitor=2, user="ann")
    assert run().made == [
        "day 2026-08-12",
        "day 2026-08-10",
        "week 2026-08-10,2026-08-16",
        "month 2026-08",
        "year 2026",
    ]
    names = ["nb_visits", "nb_actions", "max_actions", "bounce_count", "sum_visit_length", "Actions_nb_pageviews"]
    for period in (WEEK, MONTH, YEAR):
        assert reader.numeric(site, period, names) == dict(zip(names, (2, 3, 2, 1, 10, 3), strict=True))


def test_visitors_of_a_week_and_month_are_counted_once_and_not_at_all_for_a_year(
    database: Database, site: int, run: Callable[..., Events], reader: ArchiveReader
) -> None:
    for day in (10, 11, 12):
        add_visit(database, site, at(day), visitor=7, user="ann")
    run()
    names = ["nb_uniq_visitors", "nb_users"]
    assert reader.numeric(site, WEEK, names) == {"nb_uniq_visitors": 1, "nb_users": 1}
    assert reader.numeric(site, MONTH, names) == {"nb_uniq_visitors": 1, "nb_users": 1}
    assert reader.numeric(site, YEAR, names) == {}


def test_a_visit_belongs_to_the_day_of_its_last_action_in_the_timezone_of_the_site(
    database: Database, run: Callable[..., Events], reader: ArchiveReader
) -> None:
    add_site(database, 1, "America/New_York")
    add_visit(database, 1, at(11, 3, 59), ["a"])
    touch(database, 1, at(10))
    add_visit(database, 1, at(11, 4, 0), ["b"])
    run()
    assert (visits(reader, day_of(10)), visits(reader, day_of(11))) == (1, 1)


def test_zero_is_not_stored(database: Database, site: int, run: Callable[..., Events]) -> None:
    add_visit(database, site, at(10), ["a", "b"])
    run()
    stored = database.query("SELECT name, value FROM archive_numeric_2026_08 WHERE name NOT LIKE 'done%'")
    assert "bounce_count" not in dict(stored)
    assert all(value for _, value in stored)


def test_sums_may_be_larger_than_what_they_are_sums_of(
    database: Database, site: int, run: Callable[..., Events], reader: ArchiveReader
) -> None:
    for visitor in range(300):
        add_visit(database, site, at(10), ["a"], visitor=visitor)
    database.execute("UPDATE log_visit SET visit_total_time = 4000000000")
    database.execute(
        "UPDATE log_link_visit_action SET time_server = 16000000, idaction_url_ref = idaction_url, "
        "time_spent_ref_action = 4000000000"
    )
    run()
    names = ["sum_visit_length", "PagePerformance_servery_time"]
    assert reader.numeric(site, day_of(10), names) == dict(zip(names, (1.2e12, 4.8e9), strict=True))
    columns = one(reader.table(site, MONTH, "Actions_actions_url")).columns
    assert (columns["sum_time_server"], columns["sum_time_spent"]) == (4.8e6, 1.2e12)
    assert columns["entry_sum_visit_length"] == 1.2e12


def test_subtables_are_read_one_by_one_or_all_at_once(
    database: Database, site: int, run: Callable[..., Events], reader: ArchiveReader
) -> None:
    add_visit(database, site, at(10), ["docs/x/1", "docs/x/2"])
    run()
    folder = one(reader.table(site, WEEK, "Actions_actions_url"))
    assert (folder.label, folder.subtable, folder.subtable_id) == ("docs", None, 1)
    assert one(reader.table(site, WEEK, "Actions_actions_url", subtable_id=1)).label == "x"
    whole = one(reader.table(site, WEEK, "Actions_actions_url", expanded=True))
    assert sorted(row.label for row in one(whole.subtable).subtable or ()) == ["/1", "/2"]


def one(table: DataTable | None):  # type: ignore[no-untyped-def]
    assert table is not None and len(table) == 1
    return table.rows[0]


def test_what_was_never_archived_has_no_archive(site: int, reader: ArchiveReader) -> None:
    assert reader.numeric(site, DAY, ["nb_visits"]) is None
    assert reader.table(site, DAY, "Actions_actions_url") is None


def test_the_numbers_of_the_days_of_a_period_are_read_together(
    database: Database, site: int, run: Callable[..., Events], archiver: Archiver, reader: ArchiveReader
) -> None:
    add_visit(database, site, at(10))
    add_visit(database, site, at(31), ["a", "b"])
    add_visit(database, site, datetime(2026, 9, 2, 12))
    run()
    found = reader.numeric_of_days(site, YEAR, ["nb_actions", "bounce_count"])
    assert found == {
        MONDAY: {"nb_actions": 1, "bounce_count": 1},
        date(2026, 8, 31): {"nb_actions": 2},
        date(2026, 9, 2): {"nb_actions": 1, "bounce_count": 1},
    }
    database.execute("DELETE FROM log_visit WHERE idvisit = 1")
    lock = SiteLock(database, site)
    assert lock.acquire()
    archiver.make(archiver.site(site), DAY, lock, [Scope("", "VisitsSummary", is_overlay=True)])
    lock.release()
    assert reader.numeric_of_days(site, WEEK, ["nb_visits", "bounce_count"]) == {MONDAY: {}}


LOGS = st.lists(
    st.tuples(
        st.integers(1, 31),
        st.integers(0, 23),
        st.lists(st.sampled_from(["a", "docs/a", "docs/b", "docs/deep/c", "x/"]), min_size=1, max_size=4),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=12,
)


def emptied(settings: Settings) -> Database:
    """The database without what another example left."""
    database = Database(settings)
    for table in ("site", "log_visit", "log_link_visit_action", "footfall_touched_day", "archive_invalidations"):
        database.execute(f"TRUNCATE TABLE {table}")
    for month in ArchiveTables(database).existing_months():
        database.execute(f"TRUNCATE TABLE archive_numeric_{month}")
        database.execute(f"TRUNCATE TABLE archive_blob_{month}")
    return database


@given(LOGS)
@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_archiving_days_and_summing_equals_computing_the_period_from_the_log(
    settings: Settings, clock: FixedClock, logs: list[tuple[int, int, list[str], int]]
) -> None:
    database = emptied(settings)
    add_site(database)
    for day, hour, pages, visitor in logs:
        add_visit(database, 1, at(day, hour), pages, visitor=visitor)
    plan = Plans(archived()).of(SiteSetup())
    SiteRounds(database, Archiver(database, archived(), clock), clock, RoundOptions(0), Events()).run(1)
    reader = ArchiveReader(database)
    whole = LogReader(database).read(plan.reading([VISITS]), 1, datetime(2026, 8, 1), datetime(2026, 9, 1))
    computed = {name: value for builder in plan.builders(VISITS) for name, value in builder.compute(whole).items()}
    for name in ("nb_visits", "nb_actions", "max_actions", "bounce_count", "sum_visit_length", "Actions_nb_pageviews"):
        assert (reader.numeric(1, MONTH, [name]) or {}).get(name, 0) == computed[name]
    found = computed["Actions_actions_url"]
    assert isinstance(found, DataTable | StoredTable)
    direct = table_of(to_blobs("r", found if isinstance(found, StoredTable) else stored(found)), "r", expanded=True)
    summed = reader.table(1, MONTH, "Actions_actions_url", expanded=True)
    assert summed is not None
    assert additive(summed) == additive(direct)
    database.close()


def additive(table: DataTable, above: str = "") -> dict[str, dict[str, object]]:
    """The columns that can be summed, by path."""
    found = {}
    for row in table:
        path = f"{above}>{row.label}"
        found[path] = {n: v for n, v in row.columns.items() if v and "uniq" not in n and n != "label"}
        if row.subtable is not None:
            found |= additive(row.subtable, path)
    return found


# When archives are made


def test_a_site_without_news_has_nothing_to_do(
    database: Database, site: int, run: Callable[..., Events], queue: Invalidations
) -> None:
    add_visit(database, site, at(10))
    run()
    assert run().made == []
    assert queue.sites_with_work([site]) == set()


def test_new_data_of_a_past_day_reaches_every_period_above_it(
    database: Database, site: int, run: Callable[..., Events], reader: ArchiveReader, archiver: Archiver
) -> None:
    add_visit(database, site, at(10))
    run()
    days = Period.range(date(2026, 8, 3), date(2026, 8, 12))
    archiver.ensure(site, days)
    add_visit(database, site, at(11))
    assert str(days) in run().made
    assert [visits(reader, p) for p in (day_of(11), WEEK, MONTH, YEAR, days)] == [1, 2, 2, 2, 2]


def test_days_come_before_weeks_months_years_and_ranges_and_the_newest_first(
    database: Database, site: int, run: Callable[..., Events], queue: Invalidations
) -> None:
    add_visit(database, site, at(4))
    add_visit(database, site, at(11))
    wanted = [Period.range(date(2026, 8, 1), date(2026, 8, 15)), YEAR, MONTH, WEEK, day_of(4), day_of(11)]
    queue.add(site, [*wanted, Period.of(PeriodKind.WEEK, date(2026, 8, 4))])
    assert run().made == [
        "day 2026-08-11",
        "day 2026-08-04",
        "week 2026-08-10,2026-08-16",
        "week 2026-08-03,2026-08-09",
        "month 2026-08",
        "year 2026",
        "range 2026-08-01,2026-08-15",
    ]


def test_all_visits_come_before_segments_of_the_same_kind_of_period(site: int, queue: Invalidations) -> None:
    queue.add(site, [DAY, WEEK], Scope("userId==ann"))
    queue.add(site, [day_of(3), WEEK])
    order = [(inv.period.kind.label, inv.name == "done") for inv in queue.of_site(site)]
    assert order == [("day", True), ("day", False), ("week", True), ("week", False)]


def test_equal_rows_of_the_queue_are_worked_once_and_all_removed(
    database: Database, site: int, run: Callable[..., Events], queue: Invalidations
) -> None:
    add_visit(database, site, at(10))
    run()
    for _ in range(3):
        database.execute(
            "INSERT INTO archive_invalidations (name, idsite, date1, date2, period, status) "
            "VALUES ('done', 1, '2026-08-10', '2026-08-10', 1, 0)"
        )
    assert run().made == ["day 2026-08-10"]
    assert queue.of_site(site) == []


def test_what_arrives_during_the_work_is_kept_for_the_next_round(
    database: Database, site: int, run: Callable[..., Events], reader: ArchiveReader, fault: Fault, settings: Settings
) -> None:
    other = Database(settings)
    fault.days = {MONDAY}

    def arrive() -> None:
        fault.days = set()
        add_visit(other, site, at(10, 13))

    fault.act = arrive
    add_visit(database, site, at(10))
    run()
    other.close()
    assert visits(reader, DAY) == 1
    run()
    assert [visits(reader, p) for p in (DAY, WEEK, MONTH, YEAR)] == [2, 2, 2, 2]


def test_a_failed_archive_is_tried_again_and_blocks_only_what_contains_it(
    database: Database,
    site: int,
    run: Callable[..., Events],
    reader: ArchiveReader,
    fault: Fault,
    queue: Invalidations,
) -> None:
    add_visit(database, site, at(3))
    add_visit(database, site, at(10))
    fault.days = {MONDAY}
    events = run()
    assert events.failed == ["day 2026-08-10"]
    assert events.made == ["day 2026-08-03", "week 2026-08-03,2026-08-09"]
    assert events.waiting == ["week 2026-08-10,2026-08-16", "month 2026-08", "year 2026"]
    assert [i.status for i in queue.of_site(site) if i.period == DAY] == [InvalidationStatus.FAILED]
    fault.days = set()
    assert run().failed == []
    assert visits(reader, YEAR) == 2


def test_today_is_archived_again_only_when_its_archive_is_old(
    database: Database, site: int, run: Callable[..., Events], reader: ArchiveReader, clock: FixedClock
) -> None:
    add_visit(database, site, at(20, 9))
    run(today_seconds=900)
    add_visit(database, site, at(20, 10))
    clock.moment += timedelta(seconds=899)
    assert run(today_seconds=900).made == []
    clock.moment += timedelta(seconds=1)
    run(today_seconds=900)
    assert visits(reader, day_of(20)) == 2


def test_a_recent_day_is_archived_again_while_requests_wait_in_the_queue(
    database: Database,
    site: int,
    run: Callable[..., Events],
    queue: Invalidations,
    caplog: pytest.LogCaptureFixture,
) -> None:
    add_visit(database, site, at(19))
    add_visit(database, site, at(3))
    with caplog.at_level("INFO"):
        run(pending=lambda: 7)
    assert "7 tracking requests are still in the queue; 2026-08-19 will be archived again" in caplog.text
    assert queue.touched_days(site) == [date(2026, 8, 19)]
    run(pending=lambda: 0)
    assert queue.touched_days(site) == []


def test_a_round_stops_after_the_archive_in_hand_and_the_next_goes_on(
    database: Database, site: int, run: Callable[..., Events], reader: ArchiveReader
) -> None:
    for day in (10, 11, 12):
        add_visit(database, site, at(day))
    answers = iter([False, True])
    assert run(should_stop=lambda: next(answers)).made == ["day 2026-08-12"]
    assert len(run().made) == 5
    assert visits(reader, WEEK) == 3


def test_only_the_chosen_kinds_are_made_and_none_before_those_inside_it(
    database: Database, site: int, run: Callable[..., Events]
) -> None:
    add_visit(database, site, at(10))
    assert run(kinds=(PeriodKind.WEEK,)).waiting == ["week 2026-08-10,2026-08-16"]
    assert run(kinds=(PeriodKind.DAY,)).made == ["day 2026-08-10"]
    assert run(kinds=(PeriodKind.WEEK,)).made == ["week 2026-08-10,2026-08-16"]


# Replacing and invalidating


def test_an_invalidated_archive_stays_in_use_until_a_newer_one_is_there(
    database: Database, site: int, run: Callable[..., Events], reader: ArchiveReader, queue: Invalidations
) -> None:
    add_visit(database, site, at(10))
    run()
    queue.add(site, [DAY])
    archive = reader.archive(site, DAY)
    assert archive is not None and archive.status is DoneStatus.INVALIDATED
    assert visits(reader, DAY) == 1
    run()
    archive = reader.archive(site, DAY)
    assert archive is not None and archive.status is DoneStatus.OK


Step = Callable[[Invalidations, Callable[[], bool]], object]

STEPS: dict[str, Step] = {
    "a day": lambda queue, _: queue.add(1, [DAY]),
    "a day and what is above it": lambda queue, _: queue.add(1, [DAY, *DAY.above()]),
    "a day without visits": lambda queue, _: queue.add(1, [day_of(3)]),
    "a week": lambda queue, _: queue.add(1, [WEEK]),
    "a month": lambda queue, _: queue.add(1, [MONTH]),
    "a year": lambda queue, _: queue.add(1, [YEAR]),
    "a range": lambda queue, _: queue.add(1, [Period.range(MONDAY, date(2026, 8, 12))]),
    "a plugin": lambda queue, _: queue.add(1, [DAY, WEEK], Scope("", "Actions", is_overlay=True)),
    "a segment": lambda queue, _: queue.add(1, [DAY, MONTH], Scope("visitCount>1")),
    "new data": lambda queue, _: queue.touch(1, MONDAY),
    "a run": lambda _, run: run(),
}


@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=8))
@hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_invalidating_in_any_order_gives_the_same_archives(
    settings: Settings, clock: FixedClock, steps: list[str]
) -> None:
    database = emptied(settings)
    add_site(database)
    for day, pages in ((10, ["a", "docs/b"]), (12, ["a"]), (31, ["docs/b", "x/"])):
        add_visit(database, 1, at(day), pages, visitor=day % 2)
    queue, archiver = Invalidations(database, clock), Archiver(database, archived(), clock)
    rounds = SiteRounds(database, archiver, clock, RoundOptions(0), Events())
    rounds.run(1)
    before = in_use(database)
    for step in steps:
        STEPS[step](queue, lambda: rounds.run(1))
    rounds.run(1)
    after = in_use(database)
    assert {key: after[key] for key in before} == before
    assert all(key[0].startswith("range") for key in after.keys() - before.keys())
    assert queue.of_site(1) == []
    database.close()


def in_use(database: Database) -> dict[tuple[str, str], object]:
    """What readers find of each record: by period and name, of the newest archive that has it; zeros left out."""
    found: dict[tuple[str, str], object] = {}
    for month in ArchiveTables(database).existing_months():
        for table in ("numeric", "blob"):
            rows = database.query(
                f"SELECT period, date1, date2, name, value FROM archive_{table}_{month} "
                f"WHERE idarchive NOT IN (SELECT idarchive FROM archive_numeric_{month} WHERE name LIKE 'done_%%' "
                "AND name NOT LIKE 'done.%%') ORDER BY idarchive"
            )
            for kind, first, last, name, value in rows:
                found[str(Period(PeriodKind(kind), first, last)), name] = value
    return {key: value for key, value in found.items() if value and not key[1].startswith("done")}


def test_an_older_archive_is_removed_as_soon_as_a_newer_one_is_there(
    database: Database, site: int, run: Callable[..., Events], queue: Invalidations
) -> None:
    add_visit(database, site, at(10))
    run()
    queue.add(site, [DAY])
    run()
    flags: dict[int, str] = dict(
        database.query(
            "SELECT idarchive, name FROM archive_numeric_2026_08 WHERE period = 1 AND date1 = '2026-08-10' "
            "AND name LIKE 'done%'"
        )
    )
    assert len(set(flags.values())) == len(flags)
    for table in ("numeric", "blob"):
        ids = database.query(
            f"SELECT DISTINCT idarchive FROM archive_{table}_2026_08 WHERE period = 1 AND date1 = '2026-08-10'"
        )
        assert {idarchive for (idarchive,) in ids} <= set(flags)


def test_a_range_is_made_on_demand_and_only_once(
    database: Database, site: int, archiver: Archiver, reader: ArchiveReader
) -> None:
    add_visit(database, site, at(10))
    add_visit(database, site, at(14))
    days = Period.range(date(2026, 8, 9), date(2026, 8, 12))
    assert archiver.ensure(site, days) is True
    assert archiver.ensure(site, days) is False
    assert visits(reader, days) == 1


def test_purge_removes_what_nobody_reads(
    database: Database, site: int, run: Callable[..., Events], reader: ArchiveReader, clock: FixedClock
) -> None:
    add_visit(database, site, at(10))
    run()
    database.execute("UPDATE archive_numeric_2026_08 SET idarchive = idarchive + 1000")
    database.execute("UPDATE archive_blob_2026_08 SET idarchive = idarchive + 1000")
    row = "INSERT INTO archive_numeric_2026_08 VALUES (%s, %s, 1, %s, %s, %s, '2026-08-01', %s)"
    for number, name, day, kind, value in (
        (1, "done", "2026-08-10", 1, 1),  # an older one of the same day
        (2, "done", "2026-08-09", 1, 2),  # failed
        (3, "nb_visits", "2026-08-10", 1, 5),  # never finished
        (4, "done", "2026-08-09", 5, 1),  # a range of some days ago
    ):
        database.execute(row, (number, name, day, day, kind, value))
    assert purge(database, clock) == {"superseded": 1, "erroneous": 1, "unfinished": 1, "range": 1}
    assert database.query("SELECT COUNT(*) FROM archive_numeric_2026_08 WHERE idarchive < 1000") == [(0,)]
    assert visits(reader, DAY) == 1
    assert purge(database, clock) == {}


# Failures


def test_an_archive_that_cannot_be_written_leaves_the_old_one_in_use(
    database: Database,
    site: int,
    run: Callable[..., Events],
    reader: ArchiveReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_visit(database, site, at(10))
    run()
    add_visit(database, site, at(10, 13))
    insert = ArchiveTables._insert

    def fail(self: ArchiveTables, month: str, kind: str, rows: Sequence[tuple[bytes, str, float | bytes]]) -> None:
        if kind == "numeric":
            raise mysql.connector.Error("the disk is full", errno=1021)
        insert(self, month, kind, rows)

    monkeypatch.setattr(ArchiveTables, "_insert", fail)
    assert run().failed == ["day 2026-08-10"]
    assert visits(reader, DAY) == 1
    assert database.query(
        "SELECT COUNT(*) FROM archive_blob_2026_08 "
        "WHERE idarchive NOT IN (SELECT idarchive FROM archive_numeric_2026_08 WHERE name LIKE 'done%')"
    ) == [(0,)]


def test_a_site_that_is_worked_is_left_to_the_one_who_works_it(
    database: Database, site: int, run: Callable[..., Events], settings: Settings, archiver: Archiver
) -> None:
    add_visit(database, site, at(10))
    other = Database(settings)
    theirs = SiteLock(other, site)
    assert theirs.acquire()
    assert run().made == []
    with pytest.raises(FootfallError, match="by another process"):
        archiver.ensure(site, DAY, wait_seconds=0)
    theirs.release()
    other.close()
    assert "day 2026-08-10" in run().made


def test_nothing_is_written_once_the_lock_is_lost(
    database: Database, site: int, run: Callable[..., Events], fault: Fault, reader: ArchiveReader
) -> None:
    add_visit(database, site, at(10))
    fault.days, fault.act = {MONDAY}, database.close
    with pytest.raises(LockLost):
        run()
    assert visits(reader, DAY) is None
    fault.days = set()
    run()
    assert visits(reader, DAY) == 1


def test_nothing_of_segments_is_stored_when_all_visits_cannot_be(
    database: Database, site: int, archiver: Archiver, fault: Fault, reader: ArchiveReader
) -> None:
    add_visit(database, site, at(10))
    fault.days = {MONDAY}
    lock, segment = SiteLock(database, site), "pageUrl=@shop"
    lock.acquire()
    with pytest.raises(ValueError, match="cannot be computed"):
        archiver.make(archiver.site(site), DAY, lock, archiver.scopes(archiver.site(site), [segment, ""]))
    assert reader.numeric(site, DAY, ["nb_visits"], segment) is None


def test_an_unknown_site_is_an_error(archiver: Archiver) -> None:
    with pytest.raises(InvalidInput, match="There is no site 77"):
        archiver.ensure(77, DAY)


def test_archives_have_the_prefix_of_the_installation(new_settings: Callable[..., Settings], clock: FixedClock) -> None:
    database = Database(new_settings(table_prefix="matomo_"))
    add_site(database)
    add_visit(database, 1, at(10))
    SiteRounds(database, Archiver(database, archived(), clock), clock, RoundOptions(0), Events()).run(1)
    assert visits(ArchiveReader(database), DAY) == 1
    assert database.query("SELECT name FROM matomo_sequence WHERE value > 0 ORDER BY name LIMIT 1") == [
        ("matomo_archive_numeric_2026_01",)
    ]
    database.close()
