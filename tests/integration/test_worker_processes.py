"""The real processes: gunicorn, `queue_workers run` and its workers, which are killed."""

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from queues import queue_on
from stack import BIN, SHARDS, children, pending, process, running, wait_for
from steady_load import Load, add_site

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.lease import holders
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.settings import Settings

PAGE_VIEW = "idsite=1&rec=1&url=https%3A%2F%2Fshop.example.com%2F{n}"

EnvironmentOf = Callable[[Settings], dict[str, str]]


def push(client: redis.Redis, count: int, query: str = PAGE_VIEW) -> None:
    for n in range(count):
        text = f"{query.format(n=n)}&_id={n:016x}"
        record = encode(TrackingRequest(time.time(), "192.0.2.1", text.encode(), b"", {"user-agent": "x"}))
        client.rpush(keys.requests(SHARDS[n % 16]), record)


def test_every_acknowledged_request_is_recorded_exactly_once_while_workers_are_killed(
    environment: dict[str, str], database: Database, redis_client: redis.Redis, tmp_path: Path
) -> None:
    add_site(database)
    environment = {**environment, "QUEUE_BATCH_SIZE": "100", "LOG_LEVEL": "WARNING"}
    chance, kills = random.Random(5), 0
    with running(environment, tmp_path, workers=2) as stack:
        with Load(stack.port, clients=3) as load:
            while kills < 20:
                busy: dict[str, str] = {}

                def some_are_busy(busy: dict[str, str] = busy) -> bool:
                    busy.update(holders(queue_on(redis_client), list(SHARDS)))
                    return bool(busy)

                wait_for(some_are_busy, 20, "a worker with a lease")
                victim = int(chance.choice(sorted(busy.values())).rpartition("-")[2])
                time.sleep(chance.uniform(0, 0.03))
                if victim in children(stack.pool):
                    os.kill(victim, signal.SIGKILL)
                    kills += 1
                    time.sleep(chance.uniform(0.1, 0.3))
        wait_for(lambda: pending(redis_client) == 0, 30, "an empty queue")
    acknowledged = [name for names in load.acknowledged for name in names]
    rows = database.query(
        "SELECT a.name, COUNT(*) FROM log_link_visit_action l JOIN log_action a ON a.idaction = l.idaction_url "
        "GROUP BY a.name"
    )
    recorded = Counter({str(name): int(count) for name, count in rows})
    assert load.failed == []
    assert len(acknowledged) > 1000
    assert set(recorded.values()) == {1}
    assert set(recorded) == set(acknowledged)
    assert database.query("SELECT COUNT(*) FROM footfall_dead_letter") == [(0,)]


def test_sigterm_ends_the_workers_in_time_and_leaves_the_rest_in_the_queue(
    environment: dict[str, str], database: Database, redis_client: redis.Redis, tmp_path: Path
) -> None:
    add_site(database)
    push(redis_client, 3000)
    environment = {**environment, "QUEUE_BATCH_SIZE": "20"}
    with process(environment, tmp_path / "pool.log", "queue_workers", "run", "--workers", "1") as pool:
        wait_for(lambda: 0 < pending(redis_client) < 3000, 20, "a drain under way")
        pool.send_signal(signal.SIGTERM)
        assert pool.wait(10) == 0
    recorded = database.query("SELECT COUNT(*) FROM log_link_visit_action")[0][0]
    assert recorded + pending(redis_client) == 3000
    assert holders(queue_on(redis_client), list(SHARDS)) == {}


def test_workers_end_when_their_pool_is_killed(
    environment: dict[str, str], redis_client: redis.Redis, tmp_path: Path
) -> None:
    with process(environment, tmp_path / "pool.log", "queue_workers", "run", "--workers", "2") as pool:
        wait_for(lambda: redis_client.scard("rq:workers") == 2, 20, "two workers")
        workers = children(pool)
        pool.kill()
        pool.wait()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 10, "the end of the workers")


# Commands


def command(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "queue_workers"), *arguments], env=environment, capture_output=True, text=True, timeout=30
    )


def test_drain_records_what_waits_and_says_how_much(
    database: Database, redis_client: redis.Redis, environment: dict[str, str]
) -> None:
    add_site(database)
    push(redis_client, 50)
    done = command(environment, "drain")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("50 requests drained")
    assert pending(redis_client) == 0
    assert database.query("SELECT COUNT(*) FROM log_link_visit_action") == [(50,)]


def test_dead_lists_the_reason_and_hides_tokens(
    database: Database, redis_client: redis.Redis, environment: dict[str, str]
) -> None:
    add_site(database)
    push(redis_client, 1, "idsite=7&rec=1&url=http%3A%2F%2Fa%2F&token_auth=0123456789abcdef0123456789abcdef")
    assert command(environment, "drain").returncode == 0
    shown = command(environment, "dead", "--json")
    (letter,) = json.loads(shown.stdout)
    assert letter["idsite"] == 7
    assert letter["reason"]
    assert letter["request"].startswith("idsite=7&rec=1")
    assert "0123456789abcdef0123456789abcdef" not in shown.stdout
    assert letter["reason"][:20] in command({**environment, "COLUMNS": "250"}, "dead").stdout


def test_status_shows_what_waits(redis_client: redis.Redis, environment: dict[str, str]) -> None:
    push(redis_client, 32)
    document = json.loads(command(environment, "status", "--json").stdout)
    assert (document["pending"], document["dead"], document["workers"]) == (32, 0, [])
    assert {shard["depth"] for shard in document["shards"]} == {2}
    assert "32 pending" in command(environment, "status").stdout


@pytest.mark.parametrize("arguments", ["run --workers 0", "run --workers x", "dead --limit -1", "what", "status x"])
def test_wrong_arguments_end_with_status_2(environment: dict[str, str], arguments: str) -> None:
    assert command(environment, *arguments.split()).returncode == 2


BROKEN: dict[str, tuple[Callable[[Settings], Settings], str]] = {
    "MariaDB is down": (
        lambda settings: replace(settings, database_url="mysql://root@127.0.0.1:1/footfall"),
        "DATABASE_URL",
    ),
    "MariaDB refuses the user": (
        lambda settings: replace(settings, database_url=settings.database_url.replace("root@", "nobody:geheim@")),
        "password in DATABASE_URL",
    ),
    "Redis is down": (lambda settings: replace(settings, redis_url="redis://127.0.0.1:1/0"), "REDIS_URL"),
    "Redis refuses the user": (
        lambda settings: replace(settings, redis_url=settings.redis_url.replace("://", "://nobody:geheim@")),
        "password in REDIS_URL",
    ),
    "REDIS_URL is none": (lambda settings: replace(settings, redis_url="nonsense"), "REDIS_URL must look like"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_run_says_in_one_sentence_why_it_cannot_start(
    settings: Settings, environment_of: EnvironmentOf, case: str
) -> None:
    broken, expected = BROKEN[case]
    done = command(environment_of(broken(settings)), "run")
    assert done.returncode == 1
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1 and "geheim" not in done.stderr


def test_run_wants_a_database_of_its_own_version(environment: dict[str, str], database: Database) -> None:
    database.execute(
        "INSERT INTO footfall_migration (number, name, ts_applied) VALUES (9999, 'later.breaking', %s)",
        (SystemClock().now().replace(tzinfo=None),),
    )
    try:
        done = command(environment, "run")
    finally:
        database.execute("DELETE FROM footfall_migration WHERE number = 9999")
    assert done.returncode == 1
    assert "migration 9999" in done.stderr


def test_run_wants_a_migrated_database(new_settings: Callable[..., Settings], environment_of: EnvironmentOf) -> None:
    done = command(environment_of(new_settings(migrated=False)), "run")
    assert done.returncode == 1
    assert "footfall migrate" in done.stderr
