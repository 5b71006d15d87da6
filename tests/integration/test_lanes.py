"""The import lane: it never holds up what clients send, never fills Redis, and is recorded exactly once."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
import redis
from click.testing import Result
from queues import queue_on
from row_recorder import RowRecorder, in_order, new_row_recorder

from footfall.clock import FixedClock, SystemClock
from footfall.database import Database
from footfall.errors import QueueUnavailable
from footfall.queue.flush import Flush
from footfall.queue.lanes import IMPORT, LANES, LIVE, Lane, lane_of
from footfall.queue.layouts import all_shards
from footfall.queue.lease import Lease
from footfall.queue.producer import Producer
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.queue.state import read_state
from footfall.settings import Settings
from queue_workers.draining import drain
from queue_workers.sweep import Sweep
from queue_workers.tools import IMPATIENT, Tools, new_tools

BATCH = 10


@pytest.fixture
def recorder(database: Database) -> RowRecorder:
    return new_row_recorder(database)


@pytest.fixture
def tools(
    settings: Settings, clock: FixedClock, database: Database, redis_client: redis.Redis, recorder: RowRecorder
) -> Tools:
    settings = replace(settings, queue_batch_size=BATCH)
    return new_tools(settings, clock, database, queue_on(redis_client), recorder, patience=IMPATIENT)


class Source:
    """Pushes numbered requests of a visitor into a lane, as an import or an endpoint does."""

    def __init__(self, producer: Producer) -> None:
        self.producer = producer
        self._name = uuid4().hex
        self._sequence = 0

    def push(self, visitor: int, *names: str) -> Flush:
        self._sequence += 1
        records = [encode(TrackingRequest(1_000_000_000.0, "192.0.2.1", name.encode(), b"", {})) for name in names]
        flush = Flush(self._name, self._sequence, [visitor] * len(names), records, 0.0)
        self.producer.push(flush)
        return flush


@pytest.fixture
def new_source(settings: Settings) -> Iterator[Callable[..., Source]]:
    opened: list[Producer] = []

    def make(lane: Lane = IMPORT, **values: int) -> Source:
        opened.append(Producer(replace(settings, **values), lane))
        return Source(opened[-1])

    yield make
    for producer in opened:
        producer.close()


def next_job(client: redis.Redis) -> str | None:
    """The shard of the job that a worker would take now."""
    for name in keys.JOB_QUEUES:
        job = client.lpop(f"rq:queue:{name}")
        if isinstance(job, bytes):
            return job.decode().rpartition("_")[0]
    return None


def work_off(tools: Tools) -> list[str]:
    """Take jobs as a single worker does until none is left; the shards in the order of their turns."""
    turns = []
    while (shard := next_job(tools.queue.redis)) is not None:
        drain(tools, shard)
        turns.append(shard)
    return turns


def numbered(name: str, count: int) -> list[str]:
    return [f"{name} {n:04d}" for n in range(count)]


def test_an_import_is_recorded_once_in_the_order_of_each_visitor(
    tools: Tools, database: Database, new_source: Callable[..., Source], redis_client: redis.Redis
) -> None:
    source = new_source()
    for start in range(0, 60, 5):
        for visitor in range(4):
            source.push(visitor, *numbered(f"v{visitor}", 60)[start : start + 5])
    work_off(tools)
    found = in_order(database)
    assert len(found) == 240
    for visitor in range(4):
        assert [name for name in found if name.startswith(f"v{visitor}")] == numbered(f"v{visitor}", 60)
    assert not any(queue_on(redis_client).depths(all_shards(queue_on(redis_client))).values())


def test_a_flush_that_is_repeated_is_taken_once(
    tools: Tools, database: Database, new_source: Callable[..., Source]
) -> None:
    source = new_source()
    first = source.push(3, "a", "b")
    source.producer.push(first)
    source.push(3, "c")
    source.producer.push(first)
    work_off(tools)
    assert in_order(database) == ["a", "b", "c"]


def test_live_requests_wait_for_one_batch_of_an_import_at_most(
    tools: Tools, database: Database, new_source: Callable[..., Source], recorder: RowRecorder
) -> None:
    """With one worker and a full import lane, live requests come while a turn of the import is under way."""
    imports, live = new_source(), new_source(LIVE)
    for visitor in range(16):
        imports.push(visitor, *numbered("old", 30 * BATCH))
    arrived: list[int] = []

    def a_live_request_comes_now_and_then() -> None:
        if len(recorder.writes) in (2, 7, 20):
            arrived.append(len(recorder.writes))
            live.push(len(arrived), f"live {len(arrived)}")

    recorder.meanwhile = a_live_request_comes_now_and_then
    work_off(tools)
    names = in_order(database)
    assert len(names) == 16 * 30 * BATCH + 3
    behind = [sum(name.startswith("old") for name in names[: names.index(f"live {n}")]) for n in (1, 2, 3)]
    before = [writes * BATCH for writes in (2, 6, 18)]  # imported when it came, the batch in hand included
    assert behind == before


def test_workers_look_at_live_shards_first_and_at_imports_in_turn(
    tools: Tools, new_source: Callable[..., Source], redis_client: redis.Redis
) -> None:
    imports, live = new_source(), new_source(LIVE)
    for visitor in range(3):
        imports.push(visitor, "old")
    for visitor in range(3):
        live.push(visitor, "new")
    turns = work_off(tools)
    assert [lane_of(shard) for shard in turns] == [LIVE] * 3 + [IMPORT] * 3


def test_a_live_drain_with_nothing_left_makes_way_for_an_import(
    tools: Tools, new_source: Callable[..., Source]
) -> None:
    """It would linger for more requests otherwise, and a trickle of them keep an idle worker from the import."""
    new_source(LIVE).push(1, "new")
    new_source().push(1, "old")
    lingering = replace(tools, patience=replace(IMPATIENT, idle=600.0))
    assert drain(lingering, "16-01") == 1


def test_an_import_gets_on_by_a_batch_a_turn_where_nobody_takes_the_live_jobs(
    tools: Tools, new_source: Callable[..., Source]
) -> None:
    """`queue_workers drain` without workers: the jobs that the endpoint asked for wait for ever."""
    new_source().push(1, *numbered("old", 3 * BATCH))
    tools.drains.ask("16-02")
    assert [drain(tools, "import-16-01") for _ in range(4)] == [BATCH, BATCH, BATCH, 0]


def test_a_changed_number_of_shards_in_one_lane_leaves_the_other_alone(
    tools: Tools, database: Database, new_source: Callable[..., Source], redis_client: redis.Redis
) -> None:
    new_source(LIVE).push(9, "live 1")
    new_source().push(9, "old 1")
    new_source(queue_shards=4).push(9, "old 2")
    assert (queue_on(redis_client).layouts(LIVE), queue_on(redis_client).layouts(IMPORT)) == ([16], [16, 4])
    assert drain(tools, "import-4-01") == 0, "what lies in the former layout comes first"
    work_off(tools)
    assert [name for name in in_order(database) if name.startswith("old")] == ["old 1", "old 2"]


def test_the_lanes_have_generations_of_their_own(redis_client: redis.Redis) -> None:
    """So that a process which knows the live lane alone cannot begin one of the import lane."""
    generations = {queue_on(redis_client).begin(lane) for lane in LANES}
    assert len(generations) == 2
    redis_client.set(keys.run(LIVE), "another server")
    assert queue_on(redis_client).begin(IMPORT) in generations
    assert queue_on(redis_client).begin(LIVE) not in generations


def test_a_redis_that_was_started_anew_records_nothing_of_an_import_twice(
    tools: Tools, database: Database, new_source: Callable[..., Source], redis_client: redis.Redis
) -> None:
    source = new_source()
    source.push(1, "a", "b")
    drain(tools, "import-16-01")
    redis_client.set(keys.run(IMPORT), "another server")
    source.push(1, "c")
    drain(tools, "import-16-01")
    assert in_order(database) == ["a", "b", "c"]


def test_the_sweep_finds_stranded_imports(
    tools: Tools, new_source: Callable[..., Source], redis_client: redis.Redis
) -> None:
    new_source().push(1, "a")
    redis_client.delete(f"rq:queue:{keys.drain_queue(IMPORT)}", keys.asked("import-16-01"))
    sweep = Sweep(tools.queue)
    assert sweep.run() == ["import-16-01"]
    assert sweep.run() == []
    redis_client.delete(f"rq:queue:{keys.drain_queue(IMPORT)}")
    Lease.acquire(queue_on(redis_client), "import-16-01", "gone-1", 30)
    assert sweep.bury("gone-1") == ["import-16-01"]


# Room


def test_an_import_waits_while_its_lane_is_full_and_goes_on_when_there_is_room(
    new_source: Callable[..., Source], redis_client: redis.Redis
) -> None:
    source = new_source(queue_import_max_requests=100)
    source.producer.wait_for_room()
    source.push(1, *numbered("old", 100))
    reasons: list[str] = []

    def a_worker_comes_at_last(reason: str) -> None:
        reasons.append(reason)
        if len(reasons) > 1:
            redis_client.ltrim(keys.requests("import-16-01"), 15, -1)

    source.producer.wait_for_room(a_worker_comes_at_last)
    assert "import lane" in reasons[0] and "QUEUE_IMPORT_MAX_REQUESTS" in reasons[0]
    assert len(reasons) >= 2


def test_whoever_waits_for_room_can_give_up(new_source: Callable[..., Source]) -> None:
    source = new_source(queue_import_max_bytes=1000)
    source.push(1, "x" * 2000)

    def give_up(reason: str) -> None:
        raise TimeoutError(reason)

    with pytest.raises(TimeoutError, match="QUEUE_IMPORT_MAX_BYTES"):
        source.producer.wait_for_room(give_up)


def test_a_lane_has_room_whatever_lies_in_the_other(new_source: Callable[..., Source]) -> None:
    limits = {"queue_max_requests": 10, "queue_import_max_requests": 10}
    imports = new_source(**limits)
    imports.push(1, *numbered("old", 50))
    assert imports.producer.full()
    assert not new_source(LIVE, **limits).producer.full()
    new_source(LIVE, **limits).push(1, *numbered("new", 50))
    imports_alone = new_source(queue_max_requests=10, queue_import_max_requests=60)
    assert not imports_alone.producer.full()


def test_a_redis_that_is_away_is_said_in_a_sentence(settings: Settings) -> None:
    with (
        Producer(replace(settings, redis_url="redis://127.0.0.1:1/0"), IMPORT) as away,
        pytest.raises(QueueUnavailable, match="REDIS_URL"),
    ):
        away.wait_for_room()


# What people see


def test_status_and_state_tell_imports_from_live_requests(
    new_source: Callable[..., Source], redis_client: redis.Redis, run_command: Callable[..., Result]
) -> None:
    new_source().push(1, *numbered("old", 7))
    new_source(LIVE).push(1, *numbered("new", 2))
    state = read_state(queue_on(redis_client), SystemClock(), 1000)
    assert (state.pending, state.pending_in(LIVE), state.pending_in(IMPORT)) == (9, 2, 7)
    ages = {shard.shard: shard.oldest_seconds for shard in state.shards if shard.depth}
    assert ages["import-16-01"] == 0 and ages["16-01"] > time.time() - 1_000_000_100
    document = json.loads(run_command("queue_workers status --json").stdout)
    assert document["pending"] == 9
    assert document["lanes"] == {"live": {"pending": 2}, "import": {"pending": 7}}
    assert "7 of them imports" in run_command("queue_workers status").stdout


def test_a_queue_without_imports_shows_no_shards_of_them(
    new_source: Callable[..., Source], redis_client: redis.Redis
) -> None:
    new_source(LIVE).push(1, "new")
    shards = [shard.shard for shard in read_state(queue_on(redis_client), SystemClock(), 1000).shards]
    assert [lane_of(shard) for shard in shards] == [LIVE] * 16


def test_drain_records_imports_too(
    new_source: Callable[..., Source], redis_client: redis.Redis, run_command: Callable[..., Result]
) -> None:
    new_source().push(1, "idsite=99&rec=1")
    new_source(LIVE).push(1, "idsite=99&rec=1")
    assert run_command("queue_workers drain").stdout.startswith("2 requests drained")
