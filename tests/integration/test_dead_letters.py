"""Dead letters: listed, replayed exactly once, dropped; and the limit after which draining stops."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis
from click.testing import Result
from queues import queue_on
from row_recorder import RowRecorder, new_row_recorder, recorded

from footfall.clock import FixedClock
from footfall.database import Database
from footfall.queue import failures
from footfall.queue.dead_letters import DeadLetter, DeadLetters, LetterChoice
from footfall.queue.failures import DrainingStopped
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.queue.shards import layout
from footfall.settings import Settings
from footfall.tracking.errors import Failure
from footfall.tracking.failures import FailedRequest, TrackingFailures
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, Tools, new_tools

SHARD = "16-03"
RunCommand = Callable[..., Result]
ALL = LetterChoice()


@pytest.fixture
def recorder(database: Database) -> RowRecorder:
    return new_row_recorder(database)


@pytest.fixture
def new_tools_with(
    settings: Settings, clock: FixedClock, database: Database, redis_client: redis.Redis, recorder: RowRecorder
) -> Callable[..., Tools]:
    def make(**values: int) -> Tools:
        return new_tools(
            replace(settings, **values), clock, database, queue_on(redis_client), recorder, patience=IMPATIENT
        )

    return make


@pytest.fixture
def letters(database: Database, clock: FixedClock) -> DeadLetters:
    return DeadLetters(database, clock)


def record_of(query: str) -> bytes:
    return encode(TrackingRequest(1_785_000_000.0, "192.0.2.1", query.encode(), b"", {}))


def letter(query: str, reason: str = "There is no such site", idsite: int | None = None) -> DeadLetter:
    return DeadLetter(SHARD, record_of(query), reason, idsite)


def push(client: redis.Redis, *queries: str) -> None:
    client.rpush(keys.requests(SHARD), *map(record_of, queries))


def drain_all(tools: Tools) -> None:
    for shard, depth in tools.queue.depths(list(layout(16))).items():
        if depth:
            drain(tools, shard)


def reasons(letters: DeadLetters) -> list[str]:
    return [buried.letter.reason for buried in letters.newest(100)]


# Listing


@pytest.fixture
def assorted(letters: DeadLetters, clock: FixedClock) -> None:
    letters.add([letter("a", idsite=1), letter("b", "A time needs a token", 2)])
    clock.moment += timedelta(days=1)
    letters.add([letter("c", "It cannot be recorded (KeyError: x)", 1), letter("d", "The record cannot be read: y")])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", ["d", "c", "b", "a"]),
        ("list", ["d", "c", "b", "a"]),
        ("list --site 1", ["c", "a"]),
        ("list --reason token", ["b"]),
        ("list --failed", ["d", "c"]),
        ("list --failed --site 1", ["c"]),
        ("list --since 2026-08-21", ["d", "c"]),
        ("list --before '2026-08-20 12:00:01'", ["b", "a"]),
        ("list --number 1 --number 3", ["c", "a"]),
        ("list --limit 1", ["d"]),
        ("--limit 1", ["d"]),
    ],
)
def test_letters_are_listed_by_choice_newest_first(
    run_command: RunCommand, assorted: None, options: str, expected: list[str]
) -> None:
    shown = run_command(f"queue_workers dead {options} --json")
    assert shown.exit_code == 0, shown.stderr
    assert [document["request"] for document in json.loads(shown.stdout)] == expected


def test_without_letters_the_list_says_so(run_command: RunCommand) -> None:
    assert run_command("queue_workers dead").stdout == "There are no dead letters.\n"
    assert run_command("queue_workers dead list --site 7").stdout == "There are no such dead letters.\n"


@pytest.mark.parametrize("command", ["replay", "drop --yes", "replay --all --failed", "drop --all --site 1 --yes"])
def test_what_is_meant_has_to_be_said(run_command: RunCommand, assorted: None, command: str) -> None:
    refused = run_command(f"queue_workers dead {command}")
    assert refused.exit_code == 2
    assert "--all" in refused.stderr


def test_dropped_letters_are_gone_and_the_others_stay(
    run_command: RunCommand, assorted: None, letters: DeadLetters
) -> None:
    assert run_command("queue_workers dead drop --site 1 --yes").stdout == "2 dead letters deleted\n"
    assert letters.count() == 2
    assert run_command("queue_workers dead drop --all").exit_code == 1, "nobody said yes"
    assert letters.count() == 2


# Replaying


def test_replayed_letters_are_recorded_in_their_order_and_leave_the_table(
    run_command: RunCommand,
    letters: DeadLetters,
    redis_client: redis.Redis,
    new_tools_with: Callable[..., Tools],
    database: Database,
) -> None:
    letters.add([letter(f"_id=visitor&n={n:04d}") for n in range(700)])
    done = run_command("queue_workers dead replay --all")
    assert done.stdout == "700 dead letters are back in the queue\n", done.stderr
    assert letters.count() == 0
    assert redis_client.keys(keys.flushed("dead-*")) == []
    assert redis_client.llen("rq:queue:" + keys.drain_queue()) == 1, "their shard is asked for"
    drain_all(new_tools_with())
    assert recorded(database) == [f"_id=visitor&n={n:04d}" for n in range(700)]


def test_only_the_chosen_are_replayed(run_command: RunCommand, assorted: None, letters: DeadLetters) -> None:
    assert run_command("queue_workers dead replay --failed").stdout.startswith("2 dead letters")
    assert letters.count() == 2


def test_a_replay_that_was_cut_short_is_finished_by_the_next_and_doubles_nothing(
    run_command: RunCommand,
    letters: DeadLetters,
    new_tools_with: Callable[..., Tools],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    letters.add([letter(f"n={n}") for n in range(5)])

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DeadLetters, "drop", crash)  # pushed, and not deleted
        assert run_command("queue_workers dead replay --all").exit_code == 1
    assert letters.count() == 5
    drain_all(new_tools_with())
    assert run_command("queue_workers dead replay --all").exit_code == 0
    drain_all(new_tools_with())
    assert recorded(database) == [f"n={n}" for n in range(5)]
    assert letters.count() == 0


def test_a_letter_that_fails_again_is_a_new_letter_which_is_not_replayed_for_ever(
    run_command: RunCommand, letters: DeadLetters, new_tools_with: Callable[..., Tools], database: Database
) -> None:
    letters.add([letter("bug"), letter("fine")])
    run_command("queue_workers dead replay --all")
    drain_all(new_tools_with())
    assert recorded(database) == ["fine"]
    assert [reason[:22] for reason in reasons(letters)] == ["It cannot be recorded "]


def test_without_redis_every_letter_stays(run_command: RunCommand, assorted: None, letters: DeadLetters) -> None:
    failed = run_command("queue_workers dead replay --all", REDIS_URL="redis://127.0.0.1:1/0")
    assert failed.exit_code == 1 and "REDIS_URL" in failed.stderr
    assert letters.count() == 4


# The limit


def test_after_too_many_failures_draining_stops_and_the_rest_stays_in_the_queue(
    new_tools_with: Callable[..., Tools], redis_client: redis.Redis, letters: DeadLetters, database: Database
) -> None:
    tools = new_tools_with(dead_letter_limit=3, queue_batch_size=10)
    push(redis_client, "a", *["bug"] * 8, "b")
    with pytest.raises(DrainingStopped, match="DEAD_LETTER_LIMIT"):
        drain(tools, SHARD)
    assert letters.count() == 3
    assert recorded(database) == ["a"]
    with pytest.raises(DrainingStopped):
        drain(tools, SHARD)
    assert letters.count() == 3


def test_once_the_cause_is_removed_everything_is_recorded(
    new_tools_with: Callable[..., Tools],
    redis_client: redis.Redis,
    run_command: RunCommand,
    database: Database,
    letters: DeadLetters,
    recorder: RowRecorder,
) -> None:
    tools = new_tools_with(dead_letter_limit=3)
    push(redis_client, "a", *[f"deploy {n}" for n in range(8)])
    write = recorder.write

    def bad_deploy(batch: list[str]) -> object:
        raise KeyError("deploy")

    recorder.write = bad_deploy  # type: ignore[method-assign,assignment]
    with pytest.raises(DrainingStopped):
        drain(tools, SHARD)
    recorder.write = write  # type: ignore[method-assign]
    replayed = run_command("queue_workers dead replay --failed", DEAD_LETTER_LIMIT="3")
    assert "dead resume" in replayed.stderr
    assert run_command("queue_workers dead resume", DEAD_LETTER_LIMIT="3").stdout == "draining goes on\n"
    drain_all(tools)
    assert recorded(database) == ["a", *[f"deploy {n}" for n in range(8)]]
    assert letters.count() == 0


def test_records_that_cannot_be_read_count_as_failures(
    new_tools_with: Callable[..., Tools], redis_client: redis.Redis, letters: DeadLetters
) -> None:
    redis_client.rpush(keys.requests(SHARD), *[b"\xff garbage"] * 5)
    with pytest.raises(DrainingStopped):
        drain(new_tools_with(dead_letter_limit=3), SHARD)
    assert letters.count() == 0


def test_requests_that_ask_for_the_impossible_stop_nothing(
    new_tools_with: Callable[..., Tools], redis_client: redis.Redis, letters: DeadLetters
) -> None:
    push(redis_client, *["rejected"] * 20)
    assert drain(new_tools_with(dead_letter_limit=3), SHARD) == 20
    assert letters.count() == 20


def test_without_a_limit_draining_never_stops(
    new_tools_with: Callable[..., Tools], redis_client: redis.Redis, letters: DeadLetters
) -> None:
    push(redis_client, *["bug"] * 20)
    assert drain(new_tools_with(dead_letter_limit=0), SHARD) == 20


def test_failures_are_forgotten_after_an_hour(redis_client: redis.Redis) -> None:
    with pytest.raises(DrainingStopped):
        failures.note(queue_on(redis_client).board, 5, 3)
    assert failures.stopped(queue_on(redis_client).board, 3)
    assert 3590 < int(redis_client.ttl(keys.value("failures"))) <= 3600


def test_a_command_line_drain_says_why_it_does_nothing(
    run_command: RunCommand, redis_client: redis.Redis, database: Database
) -> None:
    push(redis_client, "a")
    with pytest.raises(DrainingStopped):
        failures.note(queue_on(redis_client).board, 5, 3)
    done = run_command("queue_workers drain", DEAD_LETTER_LIMIT="3")
    assert done.exit_code == 1
    assert "queue_workers dead resume" in done.stderr


def test_the_status_says_that_draining_has_stopped(run_command: RunCommand, redis_client: redis.Redis) -> None:
    with pytest.raises(DrainingStopped):
        failures.note(queue_on(redis_client).board, 5, 3)
    assert json.loads(run_command("queue_workers status --json", DEAD_LETTER_LIMIT="3").stdout)["draining_stopped"]
    assert "dead resume" in run_command("queue_workers status", DEAD_LETTER_LIMIT="3").stdout


def test_a_choice_of_moments_is_in_utc() -> None:
    condition, values = LetterChoice(since=datetime(2026, 8, 20, tzinfo=UTC)).condition()
    assert (condition, values) == ("ts_rejected >= %s", [datetime(2026, 8, 20)])
    assert ALL.condition() == ("1 = 1", [])


# Room for those that anybody can cause


def test_the_oldest_rejected_letters_make_way_and_failed_ones_stay(
    new_tools_with: Callable[..., Tools],
    letters: DeadLetters,
    redis_client: redis.Redis,
    clock: FixedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    letters.add([letter("first", "It cannot be recorded (KeyError)"), letter("second", "The record cannot be read: x")])
    letters.add([letter(f"{n:03d}") for n in range(100)])
    size = len(letter("000").record) + 200
    tools = new_tools_with(dead_letter_bytes=50 * size)
    push(redis_client, "rejected")
    drain(tools, SHARD)
    left = [buried.letter.request() for buried in letters.newest(1000)]
    queries = [request.query.decode() for request in left if request]
    assert queries[-2:] == ["second", "first"]
    assert queries[0] == "rejected"
    assert queries[1:-2] == [f"{n:03d}" for n in reversed(range(100 - len(queries) + 3, 100))]
    assert 40 <= len(queries) <= 48
    assert "DEAD_LETTER_BYTES" in caplog.text


def test_letters_within_the_limit_and_without_one_stay(
    new_tools_with: Callable[..., Tools], letters: DeadLetters, redis_client: redis.Redis
) -> None:
    letters.add([letter(f"{n:03d}") for n in range(100)])
    for limit in (1_000_000, 0):
        push(redis_client, "rejected")
        drain(new_tools_with(dead_letter_bytes=limit), SHARD)
    assert letters.count() == 102


def test_a_flood_of_made_up_sites_leaves_few_failures_for_their_owners(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("footfall.tracking.failures._MOST_ROWS", 250)
    failures_ = TrackingFailures(database, clock)
    request = TrackingRequest(1_785_000_000.0, "192.0.2.1", b"x" * 100_000, b"", {})
    for begin in range(0, 2_000, 200):
        made_up = [FailedRequest(site, Failure.INVALID_SITE, request) for site in range(begin, begin + 200)]
        failures_.note(made_up)
    ((count, longest),) = database.query("SELECT COUNT(*), MAX(LENGTH(request_url)) FROM tracking_failure")
    assert (count, longest) == (300, 20_000)
