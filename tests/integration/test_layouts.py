"""Changing QUEUE_SHARDS while requests are queued, and a shard with far more to do than the others."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
import redis
from queues import queue_on
from row_recorder import RowRecorder, in_order, new_row_recorder

from footfall.clock import FixedClock
from footfall.database import Database
from footfall.queue.flush import Flush
from footfall.queue.layouts import known_shards
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.queue.shards import layout
from footfall.settings import Settings
from queue_workers import draining
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, Tools, new_tools


@pytest.fixture
def recorder(database: Database) -> RowRecorder:
    return new_row_recorder(database)


@pytest.fixture
def tools(
    settings: Settings, clock: FixedClock, database: Database, redis_client: redis.Redis, recorder: RowRecorder
) -> Tools:
    return new_tools(
        replace(settings, queue_batch_size=20), clock, database, queue_on(redis_client), recorder, patience=IMPATIENT
    )


class Process:
    """An endpoint process with a QUEUE_SHARDS of its own."""

    def __init__(self, client: redis.Redis, shard_count: int) -> None:
        self._pusher = queue_on(client, shard_count).pusher()
        self._name = uuid4().hex
        self._sequence = 0

    def push(self, visitor: int, *names: str) -> list[str]:
        self._sequence += 1
        records = [encode(TrackingRequest(1_785_000_000.0, "192.0.2.1", name.encode(), b"", {})) for name in names]
        return self._pusher.push(Flush(self._name, self._sequence, [visitor] * len(names), records, 0.0))


def work_off(tools: Tools, until: Callable[[], bool]) -> None:
    """Take jobs from the RQ queue in its order, as workers do, until something is true."""
    name, end = f"rq:queue:{keys.drain_queue()}", time.monotonic() + 30
    while not until():
        assert time.monotonic() < end
        job = tools.queue.redis.lpop(name)
        if job is None:
            for shard, depth in tools.queue.depths(known_shards(tools.queue)).items():
                if depth:
                    tools.drains.ask(shard)
            continue
        drain(tools, job.decode().rpartition("_")[0])


def is_empty(tools: Tools) -> Callable[[], bool]:
    return lambda: not any(tools.queue.depths(known_shards(tools.queue)).values())


def by_visitor(names: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.partition(" ")[0], []).append(name)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_a_changed_number_of_shards_loses_and_reorders_nothing_of_a_visitor(
    tools: Tools, redis_client: redis.Redis, database: Database, seed: int
) -> None:
    chance = random.Random(seed)
    processes = [Process(redis_client, 16), Process(redis_client, 16)]
    sent: dict[int, int] = {}
    for _ in range(300):
        event = chance.random()
        if event < 0.05:  # one process after the other is started anew, with another number
            processes[chance.randrange(2)] = Process(redis_client, chance.choice([4, 7, 16, 30]))
        elif event < 0.15:
            waiting = [shard for shard, depth in tools.queue.depths(known_shards(tools.queue)).items() if depth]
            for shard in chance.sample(waiting, min(len(waiting), 3)):
                drain(tools, shard)
        else:
            visitor = chance.randrange(12)
            sent[visitor] = sent.get(visitor, 0) + 1
            chance.choice(processes).push(visitor, f"{visitor} {sent[visitor]:04d}")
    work_off(tools, is_empty(tools))
    assert by_visitor(in_order(database)) == {
        str(visitor): [f"{visitor} {n + 1:04d}" for n in range(count)] for visitor, count in sent.items()
    }


def test_the_process_that_was_started_last_decides_and_the_others_follow(redis_client: redis.Redis) -> None:
    old = Process(redis_client, 16)
    old.push(9, "a")
    assert queue_on(redis_client).layouts() == [16]
    Process(redis_client, 4).push(9, "b")
    old.push(9, "c")
    assert queue_on(redis_client).layouts() == [16, 4]
    assert redis_client.llen(keys.requests("4-01")) == 2


def test_a_former_layout_comes_back_into_use_once_it_is_empty(redis_client: redis.Redis) -> None:
    Process(redis_client, 16).push(9, "a")
    Process(redis_client, 4).push(9, "b")
    Process(redis_client, 16).push(9, "c")
    assert queue_on(redis_client).layouts() == [16, 4]
    redis_client.delete(keys.requests("16-09"))
    Process(redis_client, 16).push(9, "d")
    assert queue_on(redis_client).layouts() == [4, 16]


def test_layouts_that_an_older_version_used_come_first(redis_client: redis.Redis) -> None:
    redis_client.sadd(keys.layouts(), 8, 4)
    Process(redis_client, 16).push(9, "a")
    assert queue_on(redis_client).layouts()[-1] == 16
    assert sorted(queue_on(redis_client).layouts()) == [4, 8, 16]


# A hot shard


def test_a_visitor_who_sends_most_of_the_traffic_holds_up_nobody_outside_the_own_shard(
    tools: Tools, redis_client: redis.Redis, database: Database, recorder: RowRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a single worker, which needs many turns for the hot shard's backlog."""
    monkeypatch.setattr(draining, "_FAIR_SECONDS", 0.05)
    process = Process(redis_client, 16)
    drains = queue_on(redis_client).drains
    for shard in process.push(3, *(f"3 {n:05d}" for n in range(3000))):
        drains.ask(shard)
    for visitor in range(16):
        if visitor != 3:
            for shard in process.push(visitor, *(f"{visitor} {n:05d}" for n in range(10))):
                drains.ask(shard)
    others = [shard for shard in layout(16) if shard != "16-03"]
    work_off(tools, lambda: not any(queue_on(redis_client).depths(others).values()))
    assert redis_client.llen(keys.requests("16-03")) > 1500, "the others are done long before the hot shard"
    work_off(tools, is_empty(tools))
    found = by_visitor(in_order(database))
    assert found["3"] == [f"3 {n:05d}" for n in range(3000)]
    assert all(len(names) == 10 for visitor, names in found.items() if visitor != "3")
