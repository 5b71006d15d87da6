"""What workers keep of sites, goals, options and users: read once, dropped as soon as something changes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import redis
from click.testing import Result
from queues import queue_on

from footfall.changes import NAME, Changes, ChangeWatch
from footfall.clock import FixedClock, SystemClock
from footfall.database import Database, Row
from footfall.entities.defaults import EXCLUDED_USER_AGENTS, Defaults
from footfall.entities.goals import GoalRepository, GoalSettings
from footfall.entities.sites import SiteRepository, SiteSettings
from footfall.options import Options
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from footfall.users import Users
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, new_tools

SHARD = "16-03"
SET_UP = (
    "`site`",
    "`site_url`",
    "`goal`",
    "`custom_dimensions`",
    "`option`",
    "`user`",
    "`user_token_auth`",
    "`access`",
)


class ListeningDatabase(Database):
    """Remembers the SELECT statements that it ran."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.selects: list[str] = []

    def query(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        self.selects.append(sql)
        return super().query(sql, values)

    def of_what_people_set_up(self) -> list[str]:
        """Those that read what people set up."""
        return [sql for sql in self.selects if any(table in sql for table in SET_UP)]


class Worker:
    """A worker's process: its caches live as long as it."""

    def __init__(self, settings: Settings, client: redis.Redis) -> None:
        self.database = ListeningDatabase(settings)
        self._redis = client
        recorder = Recorder(self.database, settings, SystemClock())
        self._tools = new_tools(settings, SystemClock(), self.database, queue_on(client), recorder, patience=IMPATIENT)

    def record(self, *queries: str, agent: str = "Mozilla/5.0") -> None:
        """Queue these requests and record them in one batch."""
        for query in queries:
            request = TrackingRequest(time.time(), "127.0.0.1", query.encode(), b"", {"user-agent": agent})
            self._redis.rpush(keys.requests(SHARD), encode(request))
        self.database.selects.clear()
        assert drain(self._tools, SHARD) == len(queries)


@pytest.fixture
def worker(settings: Settings, redis_client: redis.Redis) -> Worker:
    return Worker(settings, redis_client)


@pytest.fixture
def changes(redis_client: redis.Redis) -> Changes:
    return Changes(queue_on(redis_client).board)


@pytest.fixture
def sites(database: Database, clock: FixedClock, changes: Changes) -> SiteRepository:
    """With a site of number 1."""
    sites = SiteRepository(database, clock, changes)
    sites.create(SiteSettings(name="Shop", urls=["https://shop.example.com"]))
    return sites


def page(number: int, extra: str = "") -> str:
    return (
        f"idsite=1&rec=1&cid=00000000000000{number:02d}&url=https%3A%2F%2Fshop.example.com%2F{number}%3Flamp%3D7{extra}"
    )


def pages(database: Database) -> list[str]:
    return [str(name) for (name,) in database.query("SELECT name FROM log_action WHERE type = 1 ORDER BY idaction")]


def test_a_page_view_of_a_warm_worker_reads_no_row_of_what_people_set_up(
    worker: Worker, sites: SiteRepository, database: Database, settings: Settings
) -> None:
    token = Users(database, settings, SystemClock()).create_token("admin", "test", superuser=True)
    worker.record(page(1, f"&token_auth={token}&cip=203.0.113.9"))
    assert worker.database.of_what_people_set_up()
    worker.record(page(2, f"&token_auth={token}&cip=203.0.113.9"), page(1), page(3))
    assert worker.database.of_what_people_set_up() == []
    assert len(database.query("SELECT 1 FROM log_link_visit_action")) == 4


def test_the_statements_of_a_warm_batch_do_not_grow_with_it(worker: Worker, sites: SiteRepository) -> None:
    worker.record(*(page(number) for number in range(60)))
    worker.record(page(1))
    of_one = len(worker.database.selects)
    worker.record(*(page(number) for number in range(60)))
    assert len(worker.database.selects) <= of_one + 1


def test_a_changed_site_is_seen_by_the_next_batch_of_every_worker(
    worker: Worker, sites: SiteRepository, settings: Settings, redis_client: redis.Redis, database: Database
) -> None:
    other = Worker(settings, redis_client)
    worker.record(page(1))
    other.record(page(2))
    sites.update(1, SiteSettings(excluded_parameters="lamp"))
    worker.record(page(3))
    other.record(page(4))
    assert pages(database) == [
        "shop.example.com/1?lamp=7",
        "shop.example.com/2?lamp=7",
        "shop.example.com/3",
        "shop.example.com/4",
    ]


def test_a_deleted_site_records_nothing_any_more(worker: Worker, sites: SiteRepository, database: Database) -> None:
    sites.create(SiteSettings(name="Other", urls=["https://other.example"]))
    worker.record(page(1))
    sites.delete(1)
    worker.record(page(2))
    assert pages(database) == ["shop.example.com/1?lamp=7"]
    assert len(database.query("SELECT 1 FROM footfall_dead_letter")) == 1


def test_a_site_that_was_asked_for_before_it_existed_is_there_at_once(
    worker: Worker, sites: SiteRepository, database: Database
) -> None:
    query = page(1).replace("idsite=1", "idsite=2")
    worker.record(query)
    sites.create(SiteSettings(name="Other", urls=["https://shop.example.com"]))
    worker.record(query)
    assert database.query("SELECT idsite FROM log_visit") == [(2,)]


def test_a_new_goal_is_known_to_the_next_batch(
    worker: Worker, sites: SiteRepository, database: Database, changes: Changes
) -> None:
    worker.record(page(1))
    settings = GoalSettings(name="Two", match_attribute="url", pattern="/2", pattern_type="contains")
    GoalRepository(database, changes).create(1, settings)
    worker.record(page(2))
    assert [sql for sql in worker.database.of_what_people_set_up() if "`goal`" in sql]


def test_an_option_that_was_changed_holds_for_the_next_batch(
    worker: Worker, sites: SiteRepository, database: Database, changes: Changes
) -> None:
    worker.record(page(1), agent="Lamp 7 browser")
    Defaults(Options(database, 0), changes).set(EXCLUDED_USER_AGENTS, "Lamp 7")
    worker.record(page(2), agent="Lamp 7 browser")
    assert pages(database) == ["shop.example.com/1?lamp=7"]


def test_a_token_that_was_withdrawn_is_refused_by_the_next_batch(
    worker: Worker, sites: SiteRepository, settings: Settings, database: Database, run_command: Callable[..., Result]
) -> None:
    token = run_command("footfall token create --login robot --superuser").stdout.strip()
    run_command("footfall token create --login other --superuser")
    worker.record(page(1, f"&token_auth={token}&cip=203.0.113.9"))
    assert run_command("footfall user delete --login robot --yes").exit_code == 0
    worker.record(page(2, f"&token_auth={token}&cip=203.0.113.9"))
    assert pages(database) == ["shop.example.com/1?lamp=7"]


def test_what_is_changed_behind_our_back_is_seen_when_what_is_kept_expires(
    worker: Worker, sites: SiteRepository, settings: Settings, redis_client: redis.Redis, database: Database
) -> None:
    keeps_nothing = Worker(replace(settings, tracker_cache_seconds=0), redis_client)
    worker.record(page(1))
    keeps_nothing.record(page(2))
    database.execute("UPDATE site SET excluded_parameters = 'lamp'")
    worker.record(page(3))
    keeps_nothing.record(page(4))
    assert pages(database)[2:] == ["shop.example.com/3?lamp=7", "shop.example.com/4"]


def test_a_change_is_made_although_redis_is_away(
    database: Database, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = Changes(queue_on(redis.Redis.from_url("redis://127.0.0.1:1/0")).board)
    assert SiteRepository(database, clock, nowhere).create(SiteSettings(name="x", urls=["https://x.example"])) == 1
    assert "TRACKER_CACHE_SECONDS" in caplog.text


def test_a_watch_forgets_once_per_change(redis_client: redis.Redis, clock: FixedClock, changes: Changes) -> None:
    forgotten: list[int] = []
    watch = ChangeWatch(lambda: forgotten.append(1))
    for announced in (False, False, True, False):
        if announced:
            changes.announce()
        watch.look(queue_on(redis_client).board, clock)
    assert len(forgotten) == 2  # at the first look, and for the change
    redis_client.delete(keys.value(NAME))  # a Redis that was emptied
    watch.look(queue_on(redis_client).board, clock)
    assert len(forgotten) == 3


def test_a_watch_leaves_a_silent_redis_alone_for_a_while(redis_client: redis.Redis, clock: FixedClock) -> None:
    forgotten: list[int] = []
    watch = ChangeWatch(lambda: forgotten.append(1))
    watch.look(queue_on(redis.Redis.from_url("redis://127.0.0.1:1/0")).board, clock)
    watch.look(queue_on(redis_client).board, clock)
    assert not forgotten


def test_options_marked_autoload_are_read_together(settings: Settings, database: Database) -> None:
    for name in "abc":
        Options(database).set(name, name.upper(), autoload=True)
    Options(database).set("other", "O")
    listening = ListeningDatabase(settings)
    options = Options(listening, 60)
    assert [options.get(name) for name in ("a", "b", "c", "a")] == ["A", "B", "C", "A"]
    assert len(listening.selects) == 1
    assert (options.get("other"), options.get("none"), options.get("none")) == ("O", None, None)
    assert len(listening.selects) == 3
    options.set("a", "new", autoload=True)
    options.delete("b")
    assert (options.get("a"), options.get("b")) == ("new", None)


def test_options_without_a_cache_are_read_each_time(database: Database) -> None:
    options = Options(database, 0)
    assert options.get("a") is None
    Options(database).set("a", "1")
    assert options.get("a") == "1"
