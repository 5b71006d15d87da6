"""Purging old log data and old archives, beside workers that record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

import pytest
from click.testing import Result
from log_rows import add_site, add_visit

from footfall.archiving.action_purge import ActionPurge
from footfall.archiving.archiver import Archiver
from footfall.archiving.freshness import Freshness, OnDemandRules
from footfall.archiving.log_purge import UNARCHIVED, LogPurge
from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.purging import purge_reports
from footfall.archiving.reader import ArchiveReader
from footfall.archiving.scope import done_flag
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.errors import Conflict
from footfall.plugins import archived
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.tracking.action_ids import ActionsRemoved
from footfall.tracking.recorder import Recorder

Run = Callable[..., Result]
OLD, NEW = datetime(2026, 3, 10, 12), datetime(2026, 8, 10, 12)
HORIZON = date(2026, 6, 1)
LOG_TABLES = ("log_visit", "log_link_visit_action", "log_conversion", "log_conversion_item")


def day_of(moment: datetime) -> Period:
    return Period.of(PeriodKind.DAY, moment.date())


@pytest.fixture
def site(database: Database) -> int:
    add_site(database)
    add_visit(database, 1, OLD, ["old", "both"])
    add_visit(database, 1, NEW, ["new", "both"], visitor=2)
    (idvisit,) = database.query("SELECT MIN(idvisit) FROM log_visit")[0]
    database.execute(
        "INSERT INTO log_conversion (idvisit, idsite, idvisitor, server_time, idgoal, buster, url) "
        "VALUES (%s, 1, %s, %s, 1, 0, '')",
        (idvisit, bytes(8), OLD),
    )
    return 1


def purge(database: Database, clock: FixedClock) -> dict[str, int]:
    return dict(LogPurge(database, clock, lambda seconds: None).run(HORIZON))


def actions(database: Database) -> list[str]:
    return sorted(name for (name,) in database.query("SELECT name FROM log_action"))


def test_old_log_data_goes_with_the_actions_that_only_it_had(
    database: Database, site: int, run_command: Run, clock: FixedClock
) -> None:
    run_command("archive_cli run")
    assert purge(database, clock) == {"visits": 1, "actions": 1}
    assert database.query("SELECT visit_last_action_time FROM log_visit") == [(NEW + timedelta(seconds=10),)]
    assert [database.query(f"SELECT COUNT(*) FROM {table}")[0][0] for table in LOG_TABLES] == [1, 2, 0, 0]
    assert actions(database) == ["shop.example/both", "shop.example/new"]
    assert database.query("SELECT COUNT(*) FROM footfall_suspect_action") == [(0,)]


PEOPLE = ("nb_visits", "nb_uniq_visitors")


def numbers_around_old(database: Database, segment: str = "") -> list[dict[str, float] | None]:
    """The visits and visitors of the old day, its week and its month."""
    kinds = (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH)
    reader = ArchiveReader(database)
    return [reader.numeric(1, Period.of(kind, OLD.date()), PEOPLE, segment) for kind in kinds]


@pytest.fixture
def purged(database: Database, site: int, run_command: Run, clock: FixedClock) -> None:
    """The log of the old visit is gone."""
    assert run_command("archive_cli run").exit_code == 0
    assert purge(database, clock)["visits"] == 1


ONE_VISIT = [{"nb_visits": 1, "nb_uniq_visitors": 1}] * 3


def test_an_invalidation_of_a_purged_day_leaves_its_reports_as_they_are(
    database: Database, purged: None, run_command: Run
) -> None:
    said = run_command("archive_cli invalidate --sites 1 --dates 2026-03-10").stdout
    assert "1 archives stay as they are" in said
    assert run_command("archive_cli run").exit_code == 0
    assert numbers_around_old(database) == ONE_VISIT
    year = Period.of(PeriodKind.YEAR, OLD.date())
    assert ArchiveReader(database).numeric(1, year, ["nb_visits"]) == {"nb_visits": 2}
    assert database.query("SELECT COUNT(*) FROM archive_invalidations") == [(0,)]


def test_a_late_visit_of_a_purged_day_leaves_its_reports_as_they_are(
    database: Database, purged: None, run_command: Run
) -> None:
    add_visit(database, 1, OLD + timedelta(hours=1), ["late"], visitor=3)
    assert run_command("archive_cli run").exit_code == 0
    assert numbers_around_old(database) == ONE_VISIT
    assert database.query("SELECT COUNT(*) FROM archive_invalidations") == [(0,)]


def test_a_plugin_archived_again_leaves_reports_of_purged_days_as_they_are(
    database: Database, purged: None, run_command: Run
) -> None:
    run_command("archive_cli rearchive --plugin VisitsSummary --since 2026-01-01")
    assert run_command("archive_cli run").exit_code == 0
    assert numbers_around_old(database) == ONE_VISIT


def test_a_report_of_a_purged_day_waits_for_nothing(
    database: Database, purged: None, clock: FixedClock, run_command: Run
) -> None:
    add_visit(database, 1, OLD + timedelta(hours=1), ["late"], visitor=3)
    clock.moment += timedelta(days=1)
    freshness = Freshness(database, clock, OnDemandRules("all", 1, 900))
    archiver = Archiver(database, archived(), clock)
    for segment in ("", "visitCount>=0"):
        assert freshness.wanted(1, UTC, day_of(OLD), segment) is None
        assert not archiver.ensure(1, day_of(OLD), segment)
    assert numbers_around_old(database) == ONE_VISIT


def test_a_new_segment_knows_nothing_of_days_that_were_purged_before(
    database: Database, purged: None, run_command: Run
) -> None:
    database.execute(
        "INSERT INTO segment (name, definition, hash, login, enable_all_users, enable_only_idsite, auto_archive, "
        "ts_created, deleted) VALUES ('All', 'visitCount>=0', %s, 'a', 1, 0, 1, '2026-08-20', 0)",
        (done_flag("visitCount>=0").removeprefix("done"),),
    )
    assert run_command("archive_cli run").exit_code == 0
    assert numbers_around_old(database, "visitCount>=0") == [None] * 3
    new = ArchiveReader(database).numeric(1, day_of(NEW), PEOPLE, "visitCount>=0")
    assert new == {"nb_visits": 1, "nb_uniq_visitors": 1}


def test_a_day_whose_archive_was_purged_too_does_not_come_back_with_what_came_late(
    database: Database, purged: None, run_command: Run
) -> None:
    purge_reports(database, HORIZON, lambda: None)
    add_visit(database, 1, OLD + timedelta(hours=1), ["late"], visitor=3)
    assert run_command("archive_cli run").exit_code == 0
    assert numbers_around_old(database) == [None] * 3


def test_an_old_day_without_an_archive_is_made_when_visits_come_late(
    database: Database, purged: None, run_command: Run
) -> None:
    add_visit(database, 1, OLD + timedelta(days=1), ["late"], visitor=3)
    assert run_command("archive_cli run").exit_code == 0
    found = ArchiveReader(database).numeric(1, day_of(OLD + timedelta(days=1)), PEOPLE)
    assert found == {"nb_visits": 1, "nb_uniq_visitors": 1}


def test_days_that_are_not_archived_stay(database: Database, site: int, run_command: Run, clock: FixedClock) -> None:
    assert purge(database, clock) == {UNARCHIVED: 1, "actions": 0}
    run_command("archive_cli run")
    add_visit(database, 1, OLD + timedelta(hours=1), ["late"], visitor=3)
    assert purge(database, clock) == {UNARCHIVED: 1, "actions": 0}
    assert database.query("SELECT COUNT(*) FROM log_visit") == [(3,)]


def test_the_command_says_what_it_removed(database: Database, site: int, run_command: Run) -> None:
    run_command("archive_cli run")
    result = run_command("archive_cli purge --logs-older-than 30d --reports-older-than 1m")
    assert result.exit_code == 0
    assert "visits and" in result.stdout
    assert "archives of periods that ended before" in result.stdout
    for wrong in ("--logs-older-than soon", "--reports-older-than 0d", "--logs-older-than 99999999y"):
        assert run_command(f"archive_cli purge {wrong}").exit_code == 2


def test_old_archives_go_and_are_not_made_again(
    database: Database, site: int, run_command: Run, clock: FixedClock
) -> None:
    run_command("archive_cli run")
    assert purge_reports(database, date(2026, 4, 1), lambda: None) > 0
    reader = ArchiveReader(database)
    assert reader.archive(1, day_of(OLD)) is None
    assert reader.archive(1, Period.of(PeriodKind.MONTH, OLD.date())) is None
    year = Period.of(PeriodKind.YEAR, OLD.date())
    assert reader.numeric(1, year, ["nb_visits"]) == {"nb_visits": 2}
    database.execute("DELETE FROM log_visit WHERE visit_last_action_time < '2026-06-01'")
    run_command("archive_cli invalidate --sites 1 --dates 2026-08-10")
    assert run_command("archive_cli run").exit_code == 0
    assert reader.numeric(1, year, ["nb_visits"]) == {"nb_visits": 2}


# Beside workers


def page(name: str, visitor: int, moment: datetime = NEW) -> TrackingRequest:
    query = {"idsite": 1, "rec": 1, "_id": f"{visitor:016x}", "url": f"https://shop.example/{name}"}
    return TrackingRequest(moment.replace(tzinfo=UTC).timestamp(), "127.0.0.1", urlencode(query).encode(), b"", {})


@pytest.fixture
def recorder(settings: Settings, clock: FixedClock) -> Iterator[tuple[Recorder, Database]]:
    database = Database(settings)
    yield Recorder(database, settings, clock), database
    database.close()


def record(recorder: Recorder, database: Database, *requests: TrackingRequest) -> None:
    def attempt() -> None:
        batch = recorder.prepare(requests)
        with database.transaction():
            report = recorder.write(batch)
        assert report.rejected == []

    database.retrying(attempt)


def dangling(database: Database) -> list[tuple[str, str, int]]:
    """References to actions that are not there."""
    pause = lambda: None  # noqa: E731
    return [
        (table, column, count)
        for table, columns in ActionPurge(database, pause).columns().items()
        for column in columns
        if (
            count := database.query(
                f"SELECT COUNT(*) FROM {table} WHERE {column} > 0 AND {column} NOT IN (SELECT idaction FROM log_action)"
            )[0][0]
        )
    ]


def test_every_column_that_names_an_action_is_known(database: Database) -> None:
    columns = ActionPurge(database, lambda: None).columns()
    assert list(columns) == ["log_visit", "log_conversion", "log_conversion_item", "log_link_visit_action"]
    assert len(columns["log_visit"]) == 4
    assert "idaction_url_ref" in columns["log_link_visit_action"]


def test_an_id_in_memory_is_not_used_once_its_action_is_gone(
    database: Database, clock: FixedClock, recorder: tuple[Recorder, Database]
) -> None:
    add_site(database)
    record(*recorder, page("rare", 1, OLD))
    database.execute("DELETE FROM log_visit")
    database.execute("DELETE FROM log_link_visit_action")
    purger = ActionPurge(database, lambda: None)
    purger.suspect({idaction for (idaction,) in database.query("SELECT idaction FROM log_action")})
    assert purger.run() == 1
    record(*recorder, page("rare", 1))
    assert dangling(database) == []
    assert actions(database) == ["shop.example/rare"]


def test_a_batch_that_was_prepared_before_a_removal_is_prepared_again(
    database: Database, recorder: tuple[Recorder, Database]
) -> None:
    add_site(database)
    writer, connection = recorder
    batch = writer.prepare([page("rare", 1)])
    purger = ActionPurge(database, lambda: None)
    purger.suspect({idaction for (idaction,) in database.query("SELECT idaction FROM log_action")})
    assert purger.run() == 1
    with pytest.raises(ActionsRemoved), connection.transaction():
        writer.write(batch)
    record(writer, connection, page("rare", 1))
    assert dangling(database) == []


def test_an_action_that_is_looked_up_meanwhile_stays(database: Database, settings: Settings, clock: FixedClock) -> None:
    add_site(database)
    add_visit(database, 1, NEW, ["rare"])
    database.execute("DELETE FROM log_visit")
    database.execute("DELETE FROM log_link_visit_action")
    database.execute("UPDATE log_action SET hash = CRC32(name)")
    other = Database(settings)
    purger = ActionPurge(database, lambda: None)
    purger.suspect({idaction for (idaction,) in database.query("SELECT idaction FROM log_action")})
    batch = Recorder(other, settings, clock).prepare([page("rare", 1)])  # not written yet
    assert batch.action_ids
    assert purger.run() == 0
    assert actions(database) == ["shop.example/rare"]
    other.close()


def test_who_removes_actions_waits_for_a_batch_in_hand_and_not_for_ever(
    database: Database, recorder: tuple[Recorder, Database]
) -> None:
    add_site(database)
    writer, connection = recorder
    batch = writer.prepare([page("a", 1)])
    pauses: list[float] = []
    purger = ActionPurge(database, lambda: pauses.append(time.monotonic()))
    purger.suspect({1})
    with connection.transaction():
        writer.write(batch)  # holds the barrier
        with pytest.raises(Conflict, match="next purge"):
            purger.run(tries=2)
    assert len(pauses) == 2
    purger.run()
    assert dangling(database) == []


def test_a_worker_beside_a_purge_loses_nothing_and_waits_for_no_more_than_moments(
    database: Database, settings: Settings, clock: FixedClock, recorder: tuple[Recorder, Database]
) -> None:
    add_site(database)
    writer, connection = recorder
    for number in range(20):
        record(writer, connection, *[page(f"p{number}-{n % 7}", n, OLD + timedelta(minutes=number)) for n in range(50)])
    archiver = Archiver(database, archived(), clock)
    archiver.ensure(1, day_of(OLD))
    database.execute("DELETE FROM archive_invalidations")
    own = Database(settings)
    purging = threading.Thread(target=lambda: LogPurge(own, clock, lambda seconds: time.sleep(0.001)).run(HORIZON))
    purging.start()
    batches, longest = 0, 0.0
    while purging.is_alive() or batches < 20:
        began = time.monotonic()
        record(writer, connection, *[page(f"p{batches % 20}-{n % 7}", 1000 + n, NEW) for n in range(50)])
        longest = max(longest, time.monotonic() - began)
        batches += 1
    purging.join()
    own.close()
    assert database.query("SELECT COUNT(*) FROM log_visit WHERE visit_last_action_time < '2026-06-01'") == [(0,)]
    assert database.query("SELECT COUNT(*) FROM log_link_visit_action") == [(50 * batches,)]
    assert dangling(database) == []
    assert longest < 5
