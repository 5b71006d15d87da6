"""Draining: what is in the log tables after crashes, lost leases and requests that cannot be recorded.

The recorder here writes one row per request, so that the tests see exactly which request was recorded how often; the
real one has tests of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import mysql.connector
import pytest
import redis
from queues import queue_on
from row_recorder import RowRecorder, new_row_recorder, recorded

from footfall.clock import FixedClock
from footfall.database import Database
from footfall.metrics.declared import EXCLUDED
from footfall.options import Options
from footfall.queue import counters
from footfall.queue.dead_letters import DeadLetters
from footfall.queue.lease import Lease, holders
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, decode, encode
from footfall.settings import Settings
from footfall.users import Users
from queue_workers.draining import drain
from queue_workers.load_report import read_report
from queue_workers.sweep import Sweep
from queue_workers.tools import IMPATIENT, Tools, new_tools

SHARD = "16-03"
NOBODY = "gone-1"


class Crash(BaseException):
    """Stands for kill -9: nothing of ours runs afterwards."""


@pytest.fixture
def recorder(database: Database) -> RowRecorder:
    return new_row_recorder(database)


@pytest.fixture
def tools(
    settings: Settings, clock: FixedClock, database: Database, redis_client: redis.Redis, recorder: RowRecorder
) -> Tools:
    settings = replace(settings, queue_batch_size=10)
    return new_tools(settings, clock, database, queue_on(redis_client), recorder, patience=IMPATIENT)


@pytest.fixture
def other_worker(settings: Settings, clock: FixedClock, recorder: RowRecorder) -> Callable[[str], int]:
    """Drains as a second process would."""

    def work(shard: str) -> int:
        database, client = Database(settings), redis.Redis.from_url(settings.redis_url)
        try:
            second = new_tools(settings, clock, database, queue_on(client), RowRecorder(database), patience=IMPATIENT)
            return drain(second, shard)
        finally:
            database.close()
            client.close()

    return work


def push(client: redis.Redis, *queries: str, shard: str = SHARD) -> None:
    for query in queries:
        request = TrackingRequest(1_785_000_000.0, "192.0.2.1", query.encode(), b"", {})
        client.rpush(keys.requests(shard), encode(request))


def numbered(count: int) -> list[str]:
    return [f"{n:03d}" for n in range(count)]


def test_everything_is_recorded_once_and_leaves_the_queue(
    tools: Tools, redis_client: redis.Redis, database: Database, recorder: RowRecorder
) -> None:
    push(redis_client, *numbered(25))
    assert drain(tools, SHARD) == 25
    assert recorded(database) == numbered(25)
    assert recorder.writes == [10, 10, 5]
    assert redis_client.llen(keys.requests(SHARD)) == 0
    assert holders(queue_on(redis_client), [SHARD]) == {}


def test_the_load_report_is_logged_and_kept(
    tools: Tools, redis_client: redis.Redis, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    push(redis_client, *numbered(3))
    drain(tools, SHARD)
    line = "Loaded 3 visits, 0 page views, 0 goals - Duration 0s - Logs since 2010-09-08 04:02:52"
    assert line in caplog.messages
    report = read_report(Options(database))
    assert report is not None
    assert (report["line"], report["requests"]) == (line, 3)


# Crashes


def test_a_crash_between_commit_and_trim_records_nothing_twice(
    tools: Tools, redis_client: redis.Redis, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(redis_client, *numbered(15))
    with monkeypatch.context() as patch:
        patch.setattr(tools.queue, "trim", crash)
        with pytest.raises(Crash):
            drain(tools, SHARD)
    assert recorded(database) == numbered(10)
    assert redis_client.llen(keys.requests(SHARD)) == 15
    assert drain(tools, SHARD) == 5
    assert recorded(database) == numbered(15)
    assert redis_client.llen(keys.requests(SHARD)) == 0


def test_a_crash_before_the_commit_records_the_batch_the_next_time(
    tools: Tools, redis_client: redis.Redis, database: Database, recorder: RowRecorder
) -> None:
    push(redis_client, *numbered(5))
    recorder.meanwhile = crash
    with pytest.raises(Crash):
        drain(tools, SHARD)
    assert recorded(database) == []
    recorder.meanwhile = lambda: None
    assert drain(tools, SHARD) == 5
    assert recorded(database) == numbered(5)


def test_a_commit_whose_answer_was_lost_is_not_done_again(
    tools: Tools, redis_client: redis.Redis, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(redis_client, "before")
    drain(tools, SHARD)
    push(redis_client, *numbered(5))
    execute = database.execute

    def loses_commits(sql: str | bytes, values: Sequence[Any] | dict[str, Any] = ()) -> int:
        changed = execute(sql, values)
        if sql == "COMMIT":
            raise mysql.connector.OperationalError(errno=2013, msg="Lost connection to MySQL server during query")
        return changed

    monkeypatch.setattr(database, "execute", loses_commits)
    assert drain(tools, SHARD) == 0
    assert recorded(database) == [*numbered(5), "before"]
    assert redis_client.llen(keys.requests(SHARD)) == 0


def crash(*_: object) -> None:
    raise Crash


# Leases


def test_a_shard_that_another_worker_drains_is_left_alone(
    tools: Tools, redis_client: redis.Redis, database: Database
) -> None:
    push(redis_client, *numbered(5))
    Lease.acquire(queue_on(redis_client), SHARD, "another", 30)
    assert drain(tools, SHARD) == 0
    assert recorded(database) == []


def test_a_worker_that_lost_its_lease_in_the_middle_of_a_batch_cannot_write(
    tools: Tools,
    redis_client: redis.Redis,
    database: Database,
    recorder: RowRecorder,
    monkeypatch: pytest.MonkeyPatch,
    other_worker: Callable[[str], int],
) -> None:
    push(redis_client, *numbered(5))
    prepare = recorder.prepare

    def stopped_for_longer_than_the_lease(requests: Sequence[TrackingRequest]) -> list[str]:
        monkeypatch.undo()
        redis_client.delete(keys.lease(SHARD))
        assert other_worker(SHARD) == 5
        return prepare(requests)

    monkeypatch.setattr(recorder, "prepare", stopped_for_longer_than_the_lease)
    assert drain(tools, SHARD) == 0
    assert recorded(database) == numbered(5)
    push(redis_client, "next")
    assert drain(tools, SHARD) == 1
    assert recorded(database) == [*numbered(5), "next"]


# Generations


def test_requests_in_a_redis_that_was_emptied_are_recorded_from_the_first_on(
    tools: Tools, redis_client: redis.Redis, database: Database
) -> None:
    push(redis_client, *numbered(10))
    drain(tools, SHARD)
    redis_client.flushdb()
    push(redis_client, "after")
    assert drain(tools, SHARD) == 1
    assert recorded(database) == [*numbered(10), "after"]


def test_a_database_that_is_younger_than_the_queue_takes_over_where_the_queue_stands(
    tools: Tools, redis_client: redis.Redis, database: Database
) -> None:
    push(redis_client, *numbered(10))
    drain(tools, SHARD)
    database.execute("TRUNCATE TABLE footfall_shard")
    push(redis_client, *numbered(12))
    assert drain(tools, SHARD) == 12
    push(redis_client, "more")
    assert drain(tools, SHARD) == 1


# Requests that cannot be recorded


@pytest.mark.parametrize("culprit", ["poison", "bug"])
def test_a_request_that_cannot_be_recorded_becomes_a_dead_letter_alone(
    tools: Tools, redis_client: redis.Redis, database: Database, clock: FixedClock, culprit: str
) -> None:
    good = numbered(12)
    push(redis_client, *good[:7], culprit, *good[7:])
    assert drain(tools, SHARD) == 13
    assert recorded(database) == good
    (buried,) = DeadLetters(database, clock).newest(10)
    assert decode(buried.letter.record).query == culprit.encode()
    assert buried.letter.reason.startswith("It cannot be recorded")
    assert buried.received_at == datetime.fromtimestamp(1_785_000_000, UTC)


def test_what_the_recorder_rejects_becomes_a_dead_letter_with_its_reason(
    tools: Tools, redis_client: redis.Redis, database: Database, clock: FixedClock
) -> None:
    push(redis_client, "a", "rejected", "b")
    drain(tools, SHARD)
    assert recorded(database) == ["a", "b"]
    (buried,) = DeadLetters(database, clock).newest(10)
    assert (buried.letter.reason, buried.letter.idsite, buried.letter.shard) == ("The site is unknown", 9, SHARD)


def test_a_dead_letter_holds_the_hash_of_a_token_and_not_the_token(
    tools: Tools, redis_client: redis.Redis, database: Database, clock: FixedClock, recorder: RowRecorder
) -> None:
    token = Users(database, tools.settings, clock).create_token("admin", "test", superuser=True)
    push(redis_client, f"idsite=1&token_auth={token}&cip=192.0.2.9")
    recorder.meanwhile = lambda: database.execute("INSERT INTO no_such_table VALUES (1)")
    assert drain(tools, SHARD) == 1
    ((record,),) = database.query("SELECT record FROM footfall_dead_letter")
    assert token.encode() not in bytes(record)
    request = decode(bytes(record))
    assert request.query == b"idsite=1&cip=192.0.2.9"
    caller = Users(database, tools.settings, clock).authenticate_hash(request.token_hash)
    assert caller is not None and caller.superuser


def test_what_is_left_out_on_purpose_is_counted_and_nothing_else(
    tools: Tools, redis_client: redis.Redis, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    push(redis_client, "a", "excluded", "excluded")
    assert drain(tools, SHARD) == 3
    assert recorded(database) == ["a"]
    assert database.query("SELECT COUNT(*) FROM footfall_dead_letter") == [(0,)]
    assert counters.read(queue_on(redis_client).board).values(EXCLUDED) == {("excluded address",): 2}
    assert any(message.endswith(" - Excluded 2: excluded address 2") for message in caplog.messages)


def test_a_record_of_garbage_becomes_a_dead_letter(
    tools: Tools, redis_client: redis.Redis, database: Database, clock: FixedClock
) -> None:
    push(redis_client, "a")
    redis_client.rpush(keys.requests(SHARD), b"\xff\x00garbage")
    push(redis_client, "rejected", "b")
    drain(tools, SHARD)
    assert recorded(database) == ["a", "b"]
    letters = DeadLetters(database, clock).newest(10)
    assert {letter.letter.record[:1] for letter in letters} == {b"\xff", encode(decode(letters[0].letter.record))[:1]}
    assert len(letters) == 2


def test_a_deadlock_is_tried_again_and_nothing_is_lost(
    tools: Tools, redis_client: redis.Redis, database: Database, recorder: RowRecorder
) -> None:
    def deadlock_once() -> None:
        recorder.meanwhile = lambda: None
        raise mysql.connector.InternalError(errno=1213, msg="Deadlock found when trying to get lock")

    recorder.meanwhile = deadlock_once
    push(redis_client, *numbered(5))
    assert drain(tools, SHARD) == 5
    assert recorded(database) == numbered(5)
    assert database.query("SELECT COUNT(*) FROM footfall_dead_letter") == [(0,)]


# Asking


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
