"""A Redis that comes back with older data than it had: nothing new is skipped, nothing recorded is recorded again."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from private_redis import PrivateRedis, private_redis
from queues import queue_on
from row_recorder import RowRecorder, in_order, new_row_recorder

from footfall.clock import FixedClock, SystemClock
from footfall.database import Database
from footfall.queue.flush import Flush
from footfall.queue.lease import Lease
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.settings import Settings
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, Tools, new_tools

SHARD = "16-03"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRedis]:
    with private_redis(tmp_path_factory.mktemp("rollback")) as server:
        yield server


@pytest.fixture
def recorder(database: Database) -> RowRecorder:
    return new_row_recorder(database)


@pytest.fixture
def tools(
    server: PrivateRedis, settings: Settings, clock: FixedClock, database: Database, recorder: RowRecorder
) -> Tools:
    server.client.flushall()
    settings = replace(settings, queue_batch_size=10, redis_url=server.url)
    return new_tools(settings, clock, database, queue_on(server.client), recorder, patience=IMPATIENT)


class Producer:
    """Pushes numbered requests of one visitor."""

    def __init__(self, server: PrivateRedis) -> None:
        self._pusher = queue_on(server.client).pusher()
        self._name, self._sequence = uuid4().hex, 0

    def push(self, *names: str) -> None:
        records = [encode(TrackingRequest(1_785_000_000.0, "192.0.2.1", name.encode(), b"", {})) for name in names]
        self._sequence += 1
        self._pusher.push(Flush(self._name, self._sequence, [3] * len(names), records, 0.0))


@pytest.fixture
def push(server: PrivateRedis) -> Callable[..., None]:
    return Producer(server).push


def numbered(first: int, last: int) -> list[str]:
    return [f"{n:03d}" for n in range(first, last)]


def crash(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_restart_that_loses_nothing_changes_nothing(
    server: PrivateRedis, tools: Tools, database: Database, push: Callable[..., None]
) -> None:
    push(*numbered(0, 15))
    drain(tools, SHARD)
    push(*numbered(15, 20))
    server.kill()
    server.start()
    push(*numbered(20, 25))
    drain(tools, SHARD)
    assert in_order(database) == numbered(0, 25)


def test_requests_pushed_after_the_data_went_back_are_not_taken_for_recorded_ones(
    server: PrivateRedis, tools: Tools, database: Database, push: Callable[..., None], tmp_path: Path
) -> None:
    push(*numbered(0, 5))
    server.copy_data("after-5")
    push(*numbered(5, 20))
    drain(tools, SHARD)
    server.restart_with("after-5")
    push(*(f"new {n}" for n in range(30)))  # as many as were recorded, and more
    drain(tools, SHARD)
    assert in_order(database) == [*numbered(0, 20), *(f"new {n}" for n in range(30))]


def test_a_drain_before_the_first_push_records_nothing_twice(
    server: PrivateRedis, tools: Tools, database: Database, push: Callable[..., None]
) -> None:
    push(*numbered(0, 8))
    server.copy_data("after-8")
    drain(tools, SHARD)
    server.restart_with("after-8")
    assert drain(tools, SHARD) == 0
    push("new")
    drain(tools, SHARD)
    assert in_order(database) == [*numbered(0, 8), "new"]


def test_what_lay_in_the_older_data_unrecorded_is_recorded(
    server: PrivateRedis, tools: Tools, database: Database, push: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    push(*numbered(0, 15))
    server.copy_data("after-15")
    with monkeypatch.context() as patch:
        patch.setattr(tools.queue, "trim", crash)  # ten are recorded, and Redis does not know
        with pytest.raises(KeyboardInterrupt):
            drain(tools, SHARD)
    server.restart_with("after-15")
    push("new")
    drain(tools, SHARD)
    assert in_order(database) == [*numbered(0, 15), "new"]


def test_two_restarts_between_two_drains_are_both_taken_into_account(
    server: PrivateRedis, tools: Tools, database: Database, push: Callable[..., None]
) -> None:
    push(*numbered(0, 5))
    server.copy_data("two-5")
    push(*numbered(5, 20))
    drain(tools, SHARD)
    server.restart_with("two-5")
    push(*(f"new {n:02d}" for n in range(25)))  # ends behind what is recorded
    server.kill()
    server.start()
    push("last")
    drain(tools, SHARD)
    assert in_order(database) == [*numbered(0, 20), *(f"new {n:02d}" for n in range(25)), "last"]


def test_a_redis_that_was_emptied_begins_anew(
    server: PrivateRedis, tools: Tools, database: Database, push: Callable[..., None]
) -> None:
    push(*numbered(0, 10))
    drain(tools, SHARD)
    server.client.flushall()
    push("new")
    drain(tools, SHARD)
    assert in_order(database) == [*numbered(0, 10), "new"]


def test_leases_that_went_back_do_not_keep_the_shard_from_being_drained(
    server: PrivateRedis, tools: Tools, database: Database, push: Callable[..., None]
) -> None:
    push("1")
    server.copy_data("early")
    for n in range(50):
        lease = Lease.acquire(queue_on(server.client), SHARD, "x", 30)
        assert lease is not None, n
        lease.release()
    push("2")
    drain(tools, SHARD)
    server.restart_with("early")
    push("3")
    drain(tools, SHARD)
    assert in_order(database) == ["1", "2", "3"]


def test_a_worker_of_before_the_crash_cannot_commit_what_it_read_then(
    server: PrivateRedis, tools: Tools, database: Database, push: Callable[..., None], recorder: RowRecorder
) -> None:
    push(*numbered(0, 5))
    server.copy_data("held")
    other_database = Database(tools.settings)
    other = new_tools(
        tools.settings,
        SystemClock(),
        other_database,
        queue_on(server.client),
        RowRecorder(other_database),
        patience=IMPATIENT,
    )
    prepare = recorder.prepare

    def crashed_meanwhile(requests: list[TrackingRequest]) -> list[str]:
        recorder.prepare = prepare  # type: ignore[method-assign]
        server.restart_with("held")
        server.client.delete(keys.lease(SHARD))
        push("new")
        assert drain(other, SHARD) == 6
        return prepare(requests)

    recorder.prepare = crashed_meanwhile  # type: ignore[method-assign,assignment]
    drain(tools, SHARD)
    other_database.close()
    assert in_order(database) == [*numbered(0, 5), "new"]


def test_a_generation_lasts_as_long_as_the_server_and_its_data(server: PrivateRedis, tools: Tools) -> None:
    first = queue_on(server.client).begin()
    assert queue_on(server.client).begin() == first
    server.kill()
    server.start()
    second = queue_on(server.client).begin()
    assert second != first
    server.client.flushall()
    assert queue_on(server.client).begin() not in (first, second)


_RUNS = itertools.count()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["push", "push", "drain", "save", "back", "restart"]), max_size=14), st.integers())
def test_in_any_order_of_events_each_request_is_recorded_once_unless_redis_lost_it(
    server: PrivateRedis,
    tools: Tools,
    database: Database,
    events: list[str],
    unique: int,
) -> None:
    """Only what was pushed after the copy that came back, and was not recorded by then, may be missing."""
    server.client.flushall()
    database.execute("DELETE FROM recorded")
    # No two requests are the same in real life; those of an earlier example must not be taken for these.
    run, producer, copies, pushed = next(_RUNS), Producer(server), 0, 0
    lost: set[str] = set()
    since_copy: list[str] = []
    for event in [*events, "push", "drain"]:
        if event == "push":
            names = [f"r{run}-{pushed + n:04d}" for n in range(7)]
            producer.push(*names)
            since_copy += names
            pushed += 7
        elif event == "drain":
            drain(tools, SHARD)
        elif event == "save":
            copies += 1
            server.copy_data(f"any-{id(events)}-{unique}-{copies}")
            since_copy = []
        elif event == "back" and copies:
            server.restart_with(f"any-{id(events)}-{unique}-{copies}")
            lost |= set(since_copy) - set(in_order(database))
            since_copy = []
        elif event == "restart":
            server.kill()
            server.start()
    assert in_order(database) == [name for n in range(pushed) if (name := f"r{run}-{n:04d}") not in lost]
