"""Draining, in whatever store the queue lies: what is in the log tables after crashes, lost leases, failures.

The recorder here writes one row per request, so that the tests see exactly which request was recorded how often; the
real one has tests of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import mysql.connector
import pytest
from row_recorder import RowRecorder, new_row_recorder, recorded

from footfall.clock import FixedClock
from footfall.database import Database
from footfall.metrics.declared import EXCLUDED
from footfall.options import Options
from footfall.queue import counters
from footfall.queue.backend import Backend
from footfall.queue.dead_letters import DeadLetters
from footfall.queue.flush import Flush
from footfall.queue.lease import Lease, holders
from footfall.queue.request import TrackingRequest, decode, encode
from footfall.queue.stores import open_queue
from footfall.settings import Settings
from footfall.users import Users
from queue_workers.draining import drain
from queue_workers.load_report import read_report
from queue_workers.tools import IMPATIENT, Tools, new_tools

SHARD = "16-03"


class Crash(BaseException):
    """Stands for kill -9: nothing of ours runs afterwards."""


@pytest.fixture
def recorder(database: Database) -> RowRecorder:
    return new_row_recorder(database)


@pytest.fixture
def tools(stored: Settings, clock: FixedClock, database: Database, queue: Backend, recorder: RowRecorder) -> Tools:
    settings = replace(stored, queue_batch_size=10)
    return new_tools(settings, clock, database, queue, recorder, patience=IMPATIENT)


@pytest.fixture
def other_worker(stored: Settings, clock: FixedClock, recorder: RowRecorder) -> Callable[[str], int]:
    """Drains as a second process would."""

    def work(shard: str) -> int:
        database, queue = Database(stored), open_queue(stored)
        try:
            return drain(new_tools(stored, clock, database, queue, RowRecorder(database), patience=IMPATIENT), shard)
        finally:
            database.close()
            queue.disconnect()

    return work


def push(queue: Backend, *queries: str) -> None:
    push_records(
        queue, [encode(TrackingRequest(1_785_000_000.0, "192.0.2.1", one.encode(), b"", {})) for one in queries]
    )


def push_records(queue: Backend, records: list[bytes]) -> None:
    queue.pusher().push(Flush(uuid4().hex, 1, [3] * len(records), records, 0.0))


def numbered(count: int) -> list[str]:
    return [f"{n:03d}" for n in range(count)]


def test_everything_is_recorded_once_and_leaves_the_queue(
    tools: Tools, queue: Backend, database: Database, recorder: RowRecorder
) -> None:
    push(queue, *numbered(25))
    assert drain(tools, SHARD) == 25
    assert recorded(database) == numbered(25)
    assert recorder.writes == [10, 10, 5]
    assert queue.depths([SHARD])[SHARD] == 0
    assert holders(queue, [SHARD]) == {}


def test_the_load_report_is_logged_and_kept(
    tools: Tools, queue: Backend, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    push(queue, *numbered(3))
    drain(tools, SHARD)
    line = "Loaded 3 visits, 0 page views, 0 goals - Duration 0s - Logs since 2010-09-08 04:02:52"
    assert line in caplog.messages
    report = read_report(Options(database))
    assert report is not None
    assert (report["line"], report["requests"]) == (line, 3)


# Crashes


def test_a_crash_between_commit_and_trim_records_nothing_twice(
    tools: Tools, queue: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(queue, *numbered(15))
    with monkeypatch.context() as patch:
        patch.setattr(tools.queue, "trim", crash)
        with pytest.raises(Crash):
            drain(tools, SHARD)
    assert recorded(database) == numbered(10)
    assert queue.depths([SHARD])[SHARD] == 15
    assert drain(tools, SHARD) == 5
    assert recorded(database) == numbered(15)
    assert queue.depths([SHARD])[SHARD] == 0


def test_a_crash_before_the_commit_records_the_batch_the_next_time(
    tools: Tools, queue: Backend, database: Database, recorder: RowRecorder
) -> None:
    push(queue, *numbered(5))
    recorder.meanwhile = crash
    with pytest.raises(Crash):
        drain(tools, SHARD)
    assert recorded(database) == []
    recorder.meanwhile = lambda: None
    assert drain(tools, SHARD) == 5
    assert recorded(database) == numbered(5)


def test_a_commit_whose_answer_was_lost_is_not_done_again(
    tools: Tools, queue: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(queue, "before")
    drain(tools, SHARD)
    push(queue, *numbered(5))
    execute = database.execute

    def loses_commits(sql: str | bytes, values: Sequence[Any] | dict[str, Any] = ()) -> int:
        changed = execute(sql, values)
        if sql == "COMMIT":
            raise mysql.connector.OperationalError(errno=2013, msg="Lost connection to MySQL server during query")
        return changed

    monkeypatch.setattr(database, "execute", loses_commits)
    assert drain(tools, SHARD) == 0
    assert recorded(database) == [*numbered(5), "before"]
    assert queue.depths([SHARD])[SHARD] == 0


def crash(*_: object) -> None:
    raise Crash


# Leases


def test_a_shard_that_another_worker_drains_is_left_alone(tools: Tools, queue: Backend, database: Database) -> None:
    push(queue, *numbered(5))
    Lease.acquire(queue, SHARD, "another", 30)
    assert drain(tools, SHARD) == 0
    assert recorded(database) == []


def test_a_worker_that_lost_its_lease_in_the_middle_of_a_batch_cannot_write(
    tools: Tools,
    queue: Backend,
    database: Database,
    recorder: RowRecorder,
    monkeypatch: pytest.MonkeyPatch,
    other_worker: Callable[[str], int],
) -> None:
    push(queue, *numbered(5))
    prepare = recorder.prepare

    def stopped_for_longer_than_the_lease(requests: Sequence[TrackingRequest]) -> list[str]:
        monkeypatch.undo()
        queue.drop_lease(SHARD, queue.leases([SHARD])[SHARD])
        assert other_worker(SHARD) == 5
        return prepare(requests)

    monkeypatch.setattr(recorder, "prepare", stopped_for_longer_than_the_lease)
    assert drain(tools, SHARD) == 0
    assert recorded(database) == numbered(5)
    push(queue, "next")
    assert drain(tools, SHARD) == 1
    assert recorded(database) == [*numbered(5), "next"]


# Generations


def test_requests_in_a_redis_that_was_emptied_are_recorded_from_the_first_on(
    tools: Tools, queue: Backend, database: Database
) -> None:
    push(queue, *numbered(10))
    drain(tools, SHARD)
    queue.empty()
    push(queue, "after")
    assert drain(tools, SHARD) == 1
    assert recorded(database) == [*numbered(10), "after"]


def test_a_database_that_is_younger_than_the_queue_takes_over_where_the_queue_stands(
    tools: Tools, queue: Backend, database: Database
) -> None:
    push(queue, *numbered(10))
    drain(tools, SHARD)
    database.execute("TRUNCATE TABLE footfall_shard")
    push(queue, *numbered(12))
    assert drain(tools, SHARD) == 12
    push(queue, "more")
    assert drain(tools, SHARD) == 1


# Requests that cannot be recorded


@pytest.mark.parametrize("culprit", ["poison", "bug"])
def test_a_request_that_cannot_be_recorded_becomes_a_dead_letter_alone(
    tools: Tools, queue: Backend, database: Database, clock: FixedClock, culprit: str
) -> None:
    good = numbered(12)
    push(queue, *good[:7], culprit, *good[7:])
    assert drain(tools, SHARD) == 13
    assert recorded(database) == good
    (buried,) = DeadLetters(database, clock).newest(10)
    assert decode(buried.letter.record).query == culprit.encode()
    assert buried.letter.reason.startswith("It cannot be recorded")
    assert buried.received_at == datetime.fromtimestamp(1_785_000_000, UTC)


def test_what_the_recorder_rejects_becomes_a_dead_letter_with_its_reason(
    tools: Tools, queue: Backend, database: Database, clock: FixedClock
) -> None:
    push(queue, "a", "rejected", "b")
    drain(tools, SHARD)
    assert recorded(database) == ["a", "b"]
    (buried,) = DeadLetters(database, clock).newest(10)
    assert (buried.letter.reason, buried.letter.idsite, buried.letter.shard) == ("The site is unknown", 9, SHARD)


def test_a_dead_letter_holds_the_hash_of_a_token_and_not_the_token(
    tools: Tools, queue: Backend, database: Database, clock: FixedClock, recorder: RowRecorder
) -> None:
    token = Users(database, tools.settings, clock).create_token("admin", "test", superuser=True)
    push(queue, f"idsite=1&token_auth={token}&cip=192.0.2.9")
    recorder.meanwhile = lambda: database.execute("INSERT INTO no_such_table VALUES (1)")
    assert drain(tools, SHARD) == 1
    ((record,),) = database.query("SELECT record FROM footfall_dead_letter")
    assert token.encode() not in bytes(record)
    request = decode(bytes(record))
    assert request.query == b"idsite=1&cip=192.0.2.9"
    caller = Users(database, tools.settings, clock).authenticate_hash(request.token_hash)
    assert caller is not None and caller.superuser


def test_what_is_left_out_on_purpose_is_counted_and_nothing_else(
    tools: Tools, queue: Backend, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    push(queue, "a", "excluded", "excluded")
    assert drain(tools, SHARD) == 3
    assert recorded(database) == ["a"]
    assert database.query("SELECT COUNT(*) FROM footfall_dead_letter") == [(0,)]
    assert counters.read(queue.board).values(EXCLUDED) == {("excluded address",): 2}
    assert any(message.endswith(" - Excluded 2: excluded address 2") for message in caplog.messages)


def test_a_record_of_garbage_becomes_a_dead_letter(
    tools: Tools, queue: Backend, database: Database, clock: FixedClock
) -> None:
    push(queue, "a")
    push_records(queue, [b"\xff\x00garbage"])
    push(queue, "rejected", "b")
    drain(tools, SHARD)
    assert recorded(database) == ["a", "b"]
    letters = DeadLetters(database, clock).newest(10)
    assert {letter.letter.record[:1] for letter in letters} == {b"\xff", encode(decode(letters[0].letter.record))[:1]}
    assert len(letters) == 2


def test_a_deadlock_is_tried_again_and_nothing_is_lost(
    tools: Tools, queue: Backend, database: Database, recorder: RowRecorder
) -> None:
    def deadlock_once() -> None:
        recorder.meanwhile = lambda: None
        raise mysql.connector.InternalError(errno=1213, msg="Deadlock found when trying to get lock")

    recorder.meanwhile = deadlock_once
    push(queue, *numbered(5))
    assert drain(tools, SHARD) == 5
    assert recorded(database) == numbered(5)
    assert database.query("SELECT COUNT(*) FROM footfall_dead_letter") == [(0,)]
