"""The endpoint while Redis is away, frozen, full or back: what was acknowledged is in the queue once, in order."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
import uvloop
from falcon import testing
from faults.proxy import Cut, Proxy
from private_redis import PrivateRedis, private_redis
from queues import queue_on
from stack import wait_for

from footfall.clock import FixedClock, SystemClock
from footfall.database import Database
from footfall.errors import QueueUnavailable
from footfall.metrics.declared import ACCEPTED, IGNORED
from footfall.queue import counters
from footfall.queue.capacity import Capacity
from footfall.queue.keeper import SpoolKeeper
from footfall.queue.lanes import LIVE
from footfall.queue.memory import Memory, Overloaded
from footfall.queue.push import Pusher
from footfall.queue.redis import keys
from footfall.queue.redis.backend import RedisBackend
from footfall.queue.redis.connection import connect_async
from footfall.queue.redis.pushing import AsyncRedisPusher
from footfall.queue.shards import layout
from footfall.queue.spool import Spool
from footfall.queue.state import read_state
from footfall.settings import Settings
from footfall.users import Users
from tracker_api.app import create_app

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateRedis]:
    with private_redis(tmp_path) as server:
        yield server


class Endpoint:
    """What one endpoint process pushes with, in a loop of its own; its keeper looks when it is told to."""

    def __init__(self, url: str, directory: Path, **values: int) -> None:
        self.spool = Spool(str(directory), values.get("spool_bytes", 10_000_000), "no")
        self.capacity = Capacity(values.get("most_requests", 1_000_000), 1_000_000_000)
        self.memory = Memory(values.get("memory", 1_000_000))
        queue = RedisBackend(Settings(redis_url=url), answer_seconds=0.3)
        self.keeper = SpoolKeeper(queue, self.spool, self.capacity, lambda _: None)
        self.runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)  # as gunicorn's processes do
        self.client = connect_async(url, 0.3)
        pusher = AsyncRedisPusher(self.client, url, 16, LIVE)
        self.pusher = Pusher(pusher, self.spool, self.capacity, self.memory, SystemClock(), lambda _: None)

    def push(self, *records: str, visitor: int = 0) -> None:
        self.runner.run(self.pusher.push([(visitor, record.encode()) for record in records]))

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.keeper._measured_at = float("-inf")
            self.keeper.look()

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.close()


@pytest.fixture
def endpoint(server: PrivateRedis, tmp_path: Path) -> Iterator[Callable[..., Endpoint]]:
    """Makes endpoint processes of one machine."""
    made: list[Endpoint] = []

    def make(url: str = server.url, **values: int) -> Endpoint:
        made.append(Endpoint(url, tmp_path / "spool", **values))
        return made[-1]

    yield make
    for one in made:
        one.close()


def queued(client: redis.Redis, shard: str = "16-00") -> list[str]:
    return [record.decode() for record in client.lrange(keys.requests(shard), 0, -1)]  # type: ignore[union-attr]


def test_what_is_sent_while_redis_is_away_is_in_the_queue_in_order_when_it_is_back(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    one = endpoint()
    one.push("1")
    server.kill()
    one.push("2", "3")
    one.push("4")
    one.look()
    assert one.spool.usage().requests == 3
    assert "cannot be reached" in one.keeper.queue_error
    server.start()
    one.push("5")
    one.look()
    one.push("6")
    assert queued(server.client) == ["1", "2", "3", "4", "5", "6"]
    assert not one.spool.holds()
    assert counters.read(queue_on(server.client).board).of(ACCEPTED) == 6


def test_a_connection_that_broke_while_nothing_was_sent_costs_no_request(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    between = Proxy(server.port)
    between.start()
    one = endpoint(f"redis://127.0.0.1:{between.port}/0")
    one.push("1")
    between.cut(Cut.RESET)
    one.runner.run(asyncio.sleep(0.05))  # it learns of that
    one.push("2")
    one.look()
    between.stop()
    assert queued(server.client) == ["1", "2"]


def test_while_anything_is_spooled_no_request_of_the_machine_overtakes_it(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    first, second = endpoint(), endpoint()
    server.kill()
    first.push("1")
    server.start()
    second.push("2")
    first.push("3")
    assert queued(server.client) == []
    second.look()
    assert queued(server.client) == ["1", "2", "3"]


def test_a_push_whose_answer_was_lost_is_in_the_queue_once(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    one = endpoint()
    one.push("1")
    server.freeze()
    one.push("2")  # sent, and never answered
    one.push("3")
    server.thaw()
    wait_for(lambda: queued(server.client) == ["1", "2"], 5, "Redis works off what it was sent while it was frozen")
    one.look()
    one.push("4")
    assert queued(server.client) == ["1", "2", "3", "4"]
    assert counters.read(queue_on(server.client).board).of(ACCEPTED) == 4


def test_a_lost_push_that_arrives_after_its_repetition_does_nothing(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    one = endpoint()
    server.kill()
    one.push("1")
    server.start()
    flush = None
    with one.spool.replaying() as reader:
        assert reader is not None
        flush = reader.next()
    assert flush is not None
    one.look()
    one.push("2")
    one.keeper._pusher.push(flush)
    assert queued(server.client) == ["1", "2"]


def test_a_process_that_never_comes_back_leaves_its_requests_to_the_others(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    server.kill()
    endpoint().push("1", "2")
    server.start()
    endpoint().look()
    assert queued(server.client) == ["1", "2"]


def test_a_keeper_that_was_killed_in_the_middle_has_pushed_nothing_twice(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    one = endpoint()
    server.kill()
    for number in range(5):
        one.push(str(number))
    server.start()
    with one.spool.replaying() as reader:
        assert reader is not None
        for _ in range(3):
            flush = reader.next()
            assert flush is not None
            one.keeper._pusher.push(flush)
            if flush.records != [b"2"]:  # killed before it was noted
                reader.done()
    endpoint().look()
    assert queued(server.client) == ["0", "1", "2", "3", "4"]


def test_counts_wait_while_requests_are_spooled(server: PrivateRedis, endpoint: Callable[..., Endpoint]) -> None:
    one = endpoint()
    server.kill()
    one.push("1")
    server.start()

    async def count() -> None:
        one.pusher.count(IGNORED.field())
        await one.pusher.finish()

    one.runner.run(count())
    one.look()
    assert queued(server.client) == ["1"]
    one.push("2")
    assert counters.read(queue_on(server.client).board).of(IGNORED) == 1


# When the spool cannot take it either


def test_a_request_is_refused_only_when_neither_redis_nor_spool_takes_it(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    one = endpoint(spool_bytes=600)
    server.kill()
    spooled = 0
    with pytest.raises(QueueUnavailable, match=r"cannot be reached.*SPOOL_BYTES"):
        for _ in range(20):
            one.push(f"s{spooled}")
            spooled += 1
    server.start()
    one.push("direct")
    assert queued(server.client) == ["direct"], "rather out of turn than refused"
    one.look()
    one.push("last")
    assert queued(server.client) == ["direct", *(f"s{number}" for number in range(spooled)), "last"]


def test_without_memory_left_a_request_is_refused_at_once(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    one = endpoint(memory=1000)
    with pytest.raises(Overloaded, match="MAX_MEMORY_BYTES"):
        one.push("x" * 2000)
    one.push("x" * 500)
    one.push("x" * 500)
    assert one.memory.held == 0


# A full queue


def test_a_queue_at_its_limit_leaves_the_rest_to_the_spool_until_there_is_room(
    server: PrivateRedis, endpoint: Callable[..., Endpoint], caplog: pytest.LogCaptureFixture
) -> None:
    one = endpoint(most_requests=10)
    one.push(*(str(number) for number in range(10)))
    one.look()
    assert "QUEUE_MAX_REQUESTS" in one.capacity.full
    one.push("10")
    one.look()
    assert len(queued(server.client)) == 10
    server.client.ltrim(keys.requests("16-00"), 1, -1)
    one.look()
    assert one.spool.holds(), "nine tenths of the limit count as full still"
    server.client.ltrim(keys.requests("16-00"), 5, -1)
    one.look()
    assert queued(server.client) == ["6", "7", "8", "9", "10"]
    one.look()
    assert one.capacity.full == ""


def test_the_bytes_of_the_queue_have_a_limit_too(server: PrivateRedis, endpoint: Callable[..., Endpoint]) -> None:
    one = endpoint()
    one.capacity._most_bytes = 100_000
    one.push(*("x" * 1000 for _ in range(90)))
    one.look()
    assert one.capacity.full == ""
    one.push(*("x" * 1000 for _ in range(20)))
    one.look()
    assert "QUEUE_MAX_BYTES" in one.capacity.full


def test_a_redis_that_is_nearly_full_counts_as_full_whoever_filled_it(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    one = endpoint()
    one.push("1")
    used = int(server.client.info("memory")["used_memory"])
    server.client.config_set("maxmemory", int(used / 0.85))
    one.look()
    assert "maxmemory" in one.capacity.full
    one.push("2")
    server.client.config_set("maxmemory", used * 10)
    one.look(2)
    assert queued(server.client) == ["1", "2"]


def test_a_redis_out_of_memory_takes_nothing_of_a_push_and_the_spool_all(
    server: PrivateRedis, endpoint: Callable[..., Endpoint]
) -> None:
    one = endpoint()
    one.push("1")
    server.client.config_set("maxmemory", 1)
    one.push("2", "3")
    assert one.spool.usage().requests == 2
    server.client.config_set("maxmemory", 0)
    one.look(2)
    one.push("4")
    assert queued(server.client) == ["1", "2", "3", "4"]


# What people see


def test_readyz_and_metrics_say_what_is_spooled_and_why(
    settings: Settings, clock: FixedClock, database: Database
) -> None:
    token = Users(database, settings, clock).create_token("admin", "test", superuser=True)
    settings = replace(settings, redis_url=NOBODY)
    client = testing.TestClient(create_app(settings, clock))
    assert client.simulate_get("/matomo.php", query_string="idsite=1&rec=1").status_code == 200
    ready = client.simulate_get("/readyz")
    assert ready.status_code == 200
    assert "spool" in ready.text and "1 requests" in ready.text
    metrics = client.simulate_get("/metrics", headers={"Authorization": f"Bearer {token}"}).text
    for line in ("footfall_redis_up 0.0", "footfall_spool_requests 1.0", "footfall_spool_ready 1.0"):
        assert line in metrics


def test_what_lies_in_spools_counts_as_pending_everywhere(
    settings: Settings, clock: FixedClock, redis_client: redis.Redis, tmp_path: Path
) -> None:
    one = Endpoint(settings.redis_url, tmp_path / "spool", most_requests=1)
    one.push("1")
    one.look()
    one.push("2")
    one.look()
    state = read_state(queue_on(redis_client), clock, 1000)
    assert (state.queued, state.spooled, state.pending) == (1, 1, 2)
    assert state.spools[0].machine.endswith(str(tmp_path / "spool"))
    redis_client.delete(keys.requests("16-00"))
    one.look()
    assert read_state(queue_on(redis_client), clock, 1000).spools == []
    one.close()


def test_a_former_version_s_shards_are_known_to_be_older(redis_client: redis.Redis, settings: Settings) -> None:
    redis_client.sadd(keys.layouts(), 8)
    redis_client.rpush(keys.requests("8-00"), b"older")
    shards = [shard.shard for shard in read_state(queue_on(redis_client), SystemClock(), 1).shards]
    assert shards == [*layout(16), *layout(8)]
