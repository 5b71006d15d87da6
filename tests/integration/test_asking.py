"""Asking for drains in Redis: RQ jobs, the keys that say that one is asked for, and the sweep."""

from dataclasses import replace

import mysql.connector
import pytest
import redis
from queues import queue_on
from row_recorder import RowRecorder, new_row_recorder

from footfall.clock import FixedClock
from footfall.database import Database
from footfall.queue.lease import Lease, holders
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.settings import Settings
from queue_workers.draining import drain
from queue_workers.sweep import Sweep
from queue_workers.tools import IMPATIENT, Tools, new_tools

SHARD = "16-03"
NOBODY = "gone-1"


@pytest.fixture
def recorder(database: Database) -> RowRecorder:
    return new_row_recorder(database)


@pytest.fixture
def tools(
    settings: Settings, clock: FixedClock, database: Database, redis_client: redis.Redis, recorder: RowRecorder
) -> Tools:
    settings = replace(settings, queue_batch_size=10)
    return new_tools(settings, clock, database, queue_on(redis_client), recorder, patience=IMPATIENT)


def push(client: redis.Redis, *queries: str, shard: str = SHARD) -> None:
    for query in queries:
        request = TrackingRequest(1_785_000_000.0, "192.0.2.1", query.encode(), b"", {})
        client.rpush(keys.requests(shard), encode(request))


def numbered(count: int) -> list[str]:
    return [f"{n:03d}" for n in range(count)]


def waiting_jobs(client: redis.Redis) -> int:
    return int(client.llen("rq:queue:" + keys.drain_queue()))


def test_a_drain_that_leaves_nothing_clears_what_was_asked(
    tools: Tools, redis_client: redis.Redis, database: Database
) -> None:
    tools.drains.ask(SHARD)
    push(redis_client, "a")
    drain(tools, SHARD)
    assert not redis_client.exists(keys.asked(SHARD))


def test_a_request_that_comes_at_the_very_end_of_a_drain_is_asked_for(
    tools: Tools, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.drains.ask(SHARD)
    redis_client.delete("rq:queue:" + keys.drain_queue())  # the job runs: it is this drain
    clear = tools.drains.clear

    def pushed_before(shard: str) -> None:
        push(redis_client, "late")
        assert not tools.drains.ask(shard), "the push finds that a drain is asked for"
        clear(shard)

    monkeypatch.setattr(tools.drains, "clear", pushed_before)
    drain(tools, SHARD)
    assert waiting_jobs(redis_client) == 1
    assert holders(queue_on(redis_client), [SHARD]) == {}, "the new job must find the lease free"


def test_a_turn_that_is_over_leaves_the_rest_to_the_next_job(
    tools: Tools, redis_client: redis.Redis, database: Database
) -> None:
    push(redis_client, *numbered(25))
    assert drain(replace(tools, stopping=iter([False, True]).__next__), SHARD) == 10
    assert waiting_jobs(redis_client) == 1
    assert redis_client.exists(keys.asked(SHARD))


def test_shards_of_a_former_layout_are_drained_first(
    tools: Tools, redis_client: redis.Redis, database: Database
) -> None:
    redis_client.sadd(keys.layouts(), 8, 16)
    push(redis_client, "older", shard="8-05")
    push(redis_client, "newer")
    assert drain(tools, SHARD) == 0
    assert tools.drains.waiting() == {"8-05"}
    assert drain(tools, "8-05") == 1
    assert drain(tools, SHARD) == 1


# The sweep


@pytest.fixture
def sweep(tools: Tools) -> Sweep:
    return Sweep(tools.queue)


def test_the_sweep_asks_for_a_stranded_shard_once(sweep: Sweep, redis_client: redis.Redis) -> None:
    push(redis_client, "stranded")
    assert sweep.run() == [SHARD]
    assert sweep.run() == []
    assert waiting_jobs(redis_client) == 1


def test_the_sweep_leaves_shards_alone_that_are_drained_or_asked_for(
    sweep: Sweep, redis_client: redis.Redis, tools: Tools
) -> None:
    push(redis_client, "x", shard="16-01")
    Lease.acquire(queue_on(redis_client), "16-01", "worker", 30)
    push(redis_client, "x", shard="16-02")
    redis_client.set(keys.asked("16-02"), 1, ex=10)
    assert sweep.run() == []


def test_the_sweep_asks_at_once_for_a_shard_whose_drain_failed(
    sweep: Sweep, redis_client: redis.Redis, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(redis_client, "x")
    redis_client.set(keys.asked(SHARD), 1, ex=10)

    def away(*_: object) -> int:
        raise mysql.connector.errors.OperationalError(errno=2006, msg="Server has gone away")

    monkeypatch.setattr(tools.offsets, "recorded", away)
    with pytest.raises(mysql.connector.errors.OperationalError):
        drain(tools, SHARD)
    assert sweep.run() == [SHARD]


def test_the_shard_of_a_worker_that_died_is_asked_for_at_once(sweep: Sweep, redis_client: redis.Redis) -> None:
    push(redis_client, "x")
    redis_client.set(keys.asked(SHARD), 1, ex=10)
    Lease.acquire(queue_on(redis_client), SHARD, NOBODY, 30)
    assert sweep.run() == []
    assert sweep.bury(NOBODY) == [SHARD]
    assert waiting_jobs(redis_client) == 1
    assert Lease.acquire(queue_on(redis_client), SHARD, "next", 30) is not None
