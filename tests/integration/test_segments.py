"""Segments: which visits they are about, held against SQL; their archives, from making to forgetting them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from log_rows import add_site, add_visit

from footfall.archiving.archiver import Archiver
from footfall.archiving.invalidations import Invalidations
from footfall.archiving.locks import SiteLock
from footfall.archiving.logreader import LogReader
from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.plan import Plans
from footfall.archiving.reader import ArchiveReader
from footfall.archiving.scope import Scope, done_flag
from footfall.archiving.segments import VISIT, names_for
from footfall.archiving.setup import SiteSetup
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.errors import InvalidInput
from footfall.plugins import archived
from footfall.settings import Settings

MONDAY = date(2026, 8, 10)
DAY, WEEK, MONTH = (Period.of(kind, MONDAY) for kind in (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH))
PAGES = ("docs/a", "docs/b", "shop", "Shop/Küche", "about")
COUNTRIES = ("de", "fr", "us", None, "")


def fill(database: Database, idsite: int, visits: int) -> None:
    """A site and a week of visits whose facts are drawn by lot."""
    lot = random.Random(7)
    add_site(database, idsite)
    for number in range(visits):
        moment = datetime(2026, 8, 10 + lot.randrange(7), lot.randrange(23), lot.randrange(60))
        pages = [lot.choice(PAGES) for _ in range(lot.randrange(1, 4))]
        add_visit(database, idsite, moment, pages, visitor=lot.randrange(1, 12), user=lot.choice([None, "ann", "ben"]))
        (idvisit,) = database.query("SELECT MAX(idvisit) FROM log_visit")[0]
        database.execute(
            "UPDATE log_visit SET location_country = %s, visitor_count_visits = %s, visitor_returning = %s, "
            "referer_type = %s WHERE idvisit = %s",
            (lot.choice(COUNTRIES), lot.randrange(1, 5), lot.randrange(3), lot.choice([1, 2, 6]), idvisit),
        )
        for idgoal in lot.sample(range(1, 4), lot.randrange(3)):
            database.execute(
                "INSERT INTO log_conversion (idvisit, idsite, idvisitor, server_time, idgoal, buster, url) "
                "VALUES (%s, %s, %s, %s, %s, %s, '')",
                (idvisit, idsite, bytes(8), moment, idgoal, number),
            )


# Conditions, and the same in SQL over a row of log_visit v, log_link_visit_action a, log_conversion c.
PAGE = "a.idaction_url IN (SELECT idaction FROM log_action WHERE type = 1 AND name {})"
OF_VISITS = {
    "countryCode==de": "v.location_country = 'de'",
    "countryCode!=de": "(v.location_country IS NULL OR v.location_country <> 'de')",
    "countryCode==": "(v.location_country IS NULL OR v.location_country IN ('', '0'))",
    "countryCode=@R": "v.location_country LIKE '%r%'",
    "visitCount>=3": "v.visitor_count_visits >= 3",
    "visitorType==returningCustomer": "v.visitor_returning = 2",
    "referrerType==search": "v.referer_type = 2",
    "userId!=": "(v.user_id IS NOT NULL AND v.user_id <> '')",
}
OF_ROWS = {
    "pageUrl=@docs": PAGE.format("LIKE '%docs%'"),
    "pageUrl=@KUCHE": PAGE.format("LIKE '%kuche%'"),
    "pageUrl=^https://www.shop.example/Sho": PAGE.format("LIKE 'shop.example/sho%'"),
    "pageUrl==shop.example/shop": PAGE.format("= 'shop.example/shop' COLLATE utf8mb4_bin"),
    "visitConvertedGoalId==2": "c.idgoal = 2",
    "visitConvertedGoalId>1": "c.idgoal > 1",
    "visitConvertedGoalId==": "(c.idgoal IS NULL OR c.idgoal IN ('', '0'))",
}
OF_NO_ROW = {
    "pageUrl!@docs": "v.idvisit NOT IN (SELECT a.idvisit FROM log_link_visit_action a WHERE "
    + PAGE.format("LIKE '%docs%'")
    + ")",
    "visitConvertedGoalId!=2": "v.idvisit NOT IN (SELECT idvisit FROM log_conversion WHERE idgoal = 2)",
}
CONDITIONS = {**OF_VISITS, **OF_ROWS, **OF_NO_ROW}
CLAUSES = st.lists(st.sampled_from(sorted(CONDITIONS)), min_size=1, max_size=3)
DEFINITIONS = st.lists(CLAUSES, min_size=1, max_size=3)


def matching(database: Database, clauses: Sequence[Sequence[str]], first: date, last: date) -> list[int]:
    """The visits of a segment, by SQL."""
    where = " AND ".join("(" + " OR ".join(CONDITIONS[condition] for condition in clause) + ")" for clause in clauses)
    rows = database.query(
        "SELECT DISTINCT v.idvisit FROM log_visit v LEFT JOIN log_link_visit_action a ON a.idvisit = v.idvisit "
        f"LEFT JOIN log_conversion c ON c.idvisit = v.idvisit WHERE v.idsite = 1 AND DATE(v.visit_last_action_time) "
        f"BETWEEN '{first}' AND '{last}' AND {where}"
    )
    return sorted(idvisit for (idvisit,) in rows)


@pytest.fixture(scope="module")
def week(new_settings: Callable[..., Settings]) -> Database:
    database = Database(new_settings())
    fill(database, 1, 80)
    return database


@given(DEFINITIONS)
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_archives_of_a_segment_are_those_of_the_visits_that_sql_finds(week: Database, clauses: list[list[str]]) -> None:
    definition = ";".join(",".join(clause) for clause in clauses)
    plan = Plans(archived()).of(SiteSetup())
    reading = plan.reading([Scope(definition)])
    log = LogReader(week).read(reading, 1, datetime(2026, 8, 10), datetime(2026, 8, 17))
    segment = plan.segment(definition)
    visits = matching(week, clauses, WEEK.first, WEEK.last)
    assert sorted(segment.visits(log)["idvisit"]) == visits
    assert sorted(segment.apply(log).actions["idvisit"].unique()) == visits


@given(DEFINITIONS)
@hypothesis_settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_of_a_segment_are_those_of_its_visits(
    week: Database, clock: FixedClock, clauses: list[list[str]]
) -> None:
    definition = ";".join(",".join(clause) for clause in clauses)
    Archiver(week, archived(), clock).ensure(1, WEEK, definition)
    for period in (DAY, WEEK):
        visits = matching(week, clauses, period.first, period.last) or [0]
        (expected,) = week.query(
            "SELECT COUNT(*), COUNT(DISTINCT idvisitor), COUNT(DISTINCT user_id), "
            "COALESCE(SUM(visit_total_actions), 0) "
            f"FROM log_visit WHERE idvisit IN ({', '.join(map(str, visits))})"
        )
        names = ["nb_visits", "nb_uniq_visitors", "nb_users", "nb_actions"]
        found = ArchiveReader(week).numeric(1, period, names, definition)
        assert found is not None
        assert [found.get(name, 0) for name in names] == list(expected), (definition, period)


def test_every_name_survives_every_value(week: Database) -> None:
    plan = Plans(archived()).of(SiteSetup())
    log_reader, empty = LogReader(week), datetime(2020, 1, 1)
    for name in names_for(SiteSetup(), archived().segments):
        for value in (
            "",
            "x",
            "0",
            "-1",
            "1e400",
            "9" * 40,
            "%00",
            "127.0.0.1",
            "::1",
            "2026-08-10",
            "a%2Cb",
            "'",
            "ä" * 500,
        ):
            for operator in ("==", "!=", ">", "=@", "!@"):
                try:
                    segment = plan.segment(f"{name}{operator}{value}")
                except InvalidInput:
                    continue
                reading = plan.reading([Scope(segment.definition)])
                assert segment.visits(log_reader.read(reading, 9, empty, empty)).is_empty()
                break


def test_a_visit_that_began_the_day_before_is_looked_at_as_a_whole(database: Database, clock: FixedClock) -> None:
    add_site(database)
    add_visit(database, 1, datetime(2026, 8, 9, 23, 59, 55), ["docs/a", "shop"])
    archiver = Archiver(database, archived(), clock)
    archiver.ensure(1, DAY, "pageUrl=@docs")
    assert ArchiveReader(database).numeric(1, DAY, ["nb_visits"], "pageUrl=@docs") == {"nb_visits": 1}


@pytest.mark.parametrize("plugin", ["Actions", "Events", "Goals", "VisitsSummary"])
def test_one_plugin_of_a_segment_is_made_beside_what_others_read(
    database: Database, clock: FixedClock, plugin: str
) -> None:
    add_site(database)
    add_visit(database, 1, datetime(2026, 8, 9, 23, 59, 55), ["docs/a", "shop"])
    archiver, lock = Archiver(database, archived(), clock), SiteLock(database, 1)
    lock.acquire()
    site, segments = archiver.site(1), ("pageUrl=@docs", "eventValue>0")
    made = archiver.make(site, DAY, lock, [Scope(segment, plugin, is_overlay=True) for segment in segments])
    assert (len(made.archives), made.failed) == (2, {})


# Stored segments

Run = Callable[..., Result]


def store(database: Database, definition: str, only: int | None = None, *, auto_archive: bool = True) -> int:
    return database.insert(
        "INSERT INTO segment (name, definition, hash, login, enable_only_idsite, auto_archive, deleted) "
        "VALUES ('stored', %s, %s, 'admin', %s, %s, 0)",
        (definition, done_flag(definition).removeprefix("done"), only, auto_archive),
    )


def visits(database: Database, period: Period, segment: str, idsite: int = 1) -> float | None:
    found = ArchiveReader(database).numeric(idsite, period, ["nb_visits"], segment)
    return None if found is None else found.get("nb_visits", 0)


@pytest.fixture
def sites(database: Database) -> None:
    for idsite in (1, 2):
        add_site(database, idsite)
        add_visit(database, idsite, datetime(2026, 8, 10, 12), ["docs/a"], user="ann")
        add_visit(database, idsite, datetime(2026, 8, 11, 12), ["shop"], user="ben", visitor=2)


def test_stored_segments_are_archived_with_all_visits(database: Database, sites: None, run_command: Run) -> None:
    store(database, "userId==ann")
    store(database, "pageUrl=@/shop", only=2)
    store(database, "userId==ben", auto_archive=False)
    assert run_command("archive_cli run").exit_code == 0
    for period in (DAY, WEEK, MONTH):
        assert visits(database, period, "userId==ann") == 1
        assert visits(database, period, "userId==ben") is None
        assert visits(database, period, "pageUrl=@/shop") is None
    assert visits(database, WEEK, "pageUrl=@/shop", idsite=2) == 1
    assert visits(database, DAY, "pageUrl=@/shop", idsite=2) == 0


def test_a_site_day_is_read_once_however_many_segments_there_are(
    database: Database, sites: None, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    read = LogReader.read
    monkeypatch.setattr(LogReader, "read", lambda *arguments: reads.append(arguments) or read(*arguments))
    archiver, lock = Archiver(database, archived(), clock), SiteLock(database, 1)
    site = archiver.site(1)
    lock.acquire()
    made = archiver.make(site, DAY, lock, archiver.scopes(site, ["", "userId==ann", "pageUrl=@/shop", "visitCount>1"]))
    assert len(made.archives) >= 4
    assert len(reads) == 1


def test_a_segment_that_is_stored_later_is_archived_for_the_past_as_well(
    database: Database, sites: None, run_command: Run
) -> None:
    run_command("archive_cli run")
    assert "0 archives of 0 sites" in run_command("archive_cli run").stdout
    store(database, "userId==ann")
    run_command("archive_cli run")
    assert [visits(database, period, "userId==ann") for period in (DAY, WEEK, MONTH)] == [1, 1, 1]
    assert "0 archives of 0 sites" in run_command("archive_cli run").stdout


def test_a_deleted_segment_loses_its_archives(database: Database, sites: None, run_command: Run) -> None:
    idsegment = store(database, "userId==ann")
    store(database, "userId==ben")
    run_command("archive_cli run")
    database.execute("UPDATE segment SET deleted = 1 WHERE idsegment = %s", (idsegment,))
    run_command("archive_cli run")
    flags = [name for (name,) in database.query("SELECT name FROM archive_numeric_2026_08 WHERE name LIKE 'done%'")]
    assert not [flag for flag in flags if flag.startswith(done_flag("userId==ann"))]
    assert visits(database, WEEK, "userId==ann") is None
    assert visits(database, WEEK, "userId==ben") == 1
    assert visits(database, WEEK, "") == 2


def test_a_segment_that_cannot_be_read_does_not_hold_the_others_up(
    database: Database, sites: None, run_command: Run
) -> None:
    store(database, "nonsense==1")
    store(database, "dimension7==gold")  # other sites may have it
    store(database, "userId==ann")
    assert run_command("archive_cli run").exit_code == 0
    assert visits(database, WEEK, "userId==ann") == 1


def test_a_segment_alone_can_be_invalidated(database: Database, sites: None, run_command: Run) -> None:
    store(database, "userId==ann")
    run_command("archive_cli run")
    database.execute("UPDATE log_visit SET user_id = 'ann'")
    queued = run_command("archive_cli invalidate --sites 1 --dates 2026-08-11 --segment userId==ann")
    assert "4 archives of 1 sites are waiting" in queued.stdout
    run_command("archive_cli run")
    assert visits(database, WEEK, "userId==ann") == 2
    assert visits(database, WEEK, "userId==ann", idsite=2) == 1


def test_a_segment_that_nobody_stored_is_made_again_on_demand(
    database: Database, sites: None, run_command: Run, clock: FixedClock
) -> None:
    archiver = Archiver(database, archived(), clock)
    archiver.ensure(1, DAY, "userId==ben")
    database.execute("UPDATE log_visit SET user_id = 'ben'")
    queued = run_command("archive_cli invalidate --sites 1 --dates 2026-08-10 --segment userId==ben")
    assert "when a report asks for them" in queued.stdout
    assert database.query("SELECT COUNT(*) FROM archive_invalidations WHERE name <> 'done'") == [(0,)]
    assert archiver.ensure(1, DAY, "userId==ben") is True
    assert visits(database, DAY, "userId==ben") == 1


def test_a_segment_that_makes_no_sense_is_refused(database: Database, sites: None, run_command: Run) -> None:
    result = run_command("archive_cli invalidate --sites 1 --dates 2026-08-10 --segment nonsense==1")
    assert (result.exit_code, "'nonsense' is not a name" in result.stderr) == (1, True)


# Archives of a plugin or a record


def test_rearchiving_a_plugin_leaves_the_others_as_they_are(database: Database, sites: None, run_command: Run) -> None:
    run_command("archive_cli run")
    database.execute("UPDATE log_visit SET visit_total_actions = 5, location_country = 'de'")
    assert "waiting" in run_command("archive_cli rearchive --sites 1 --plugin VisitsSummary --since 2026-08-01").stdout
    assert run_command("archive_cli run").exit_code == 0
    reader = ArchiveReader(database)
    for period, actions in ((DAY, 5), (WEEK, 10), (MONTH, 10)):
        assert reader.numeric(1, period, ["nb_actions", "Actions_nb_pageviews"]) == {
            "nb_actions": actions,
            "Actions_nb_pageviews": actions / 5,
        }
        table = reader.table(1, period, "UserCountry_country")
        assert table is not None
        assert [row.label for row in table] == ["xx"]
    assert reader.numeric(2, WEEK, ["nb_actions"]) == {"nb_actions": 2}


def test_a_number_that_became_zero_is_not_looked_up_in_an_older_archive(
    database: Database, sites: None, run_command: Run
) -> None:
    run_command("archive_cli run")
    assert (ArchiveReader(database).numeric(1, WEEK, ["bounce_count"]) or {})["bounce_count"] == 2
    database.execute("UPDATE log_visit SET visit_total_actions = 5")
    run_command("archive_cli rearchive --sites 1 --plugin VisitsSummary --report bounce_count --since 2026-08-01")
    run_command("archive_cli run")
    assert ArchiveReader(database).numeric(1, WEEK, ["bounce_count", "nb_visits"]) == {"nb_visits": 2}
    partial = database.query(
        "SELECT COUNT(*) FROM archive_numeric_2026_08 WHERE name = 'done.VisitsSummary' AND value = 5"
    )
    assert partial[0][0] > 0


def test_the_next_whole_archive_takes_the_place_of_those_of_a_plugin(
    database: Database, sites: None, run_command: Run, clock: FixedClock
) -> None:
    run_command("archive_cli run")
    run_command("archive_cli rearchive --sites 1 --plugin VisitsSummary --since 2026-08-01")
    run_command("archive_cli run")
    Invalidations(database, clock).add(1, [DAY])
    run_command("archive_cli run")
    flags = database.query(
        "SELECT name FROM archive_numeric_2026_08 WHERE idsite = 1 AND period = 1 AND date1 = '2026-08-10' "
        "AND name IN ('done', 'done.VisitsSummary')"
    )
    assert flags == [("done",)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--plugin Nothing", "There is no plugin 'Nothing'"),
        ("--plugin Goals --report nothing", "Goals has no record 'nothing'"),
        ("--report nb_visits", "--report needs --plugin"),
        ("--since tomorrow", "is not a date"),
    ],
)
def test_what_is_not_there_cannot_be_rearchived(
    database: Database, sites: None, run_command: Run, arguments: str, told: str
) -> None:
    result = run_command(f"archive_cli rearchive {arguments}")
    assert result.exit_code in (1, 2)
    assert told in " ".join(result.stderr.split())


def test_names_of_visits_read_only_visits() -> None:
    plan = Plans(archived()).of(SiteSetup())
    assert plan.segment("countryCode==de;visitCount>1").reads.keys() == {VISIT}
