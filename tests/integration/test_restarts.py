"""The real processes while Redis crashes, endpoints are killed, and versions are changed under traffic."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from private_redis import PrivateRedis, private_redis
from queues import queue_on
from stack import API, children, free_port, is_open, pending, process, running, wait_for
from steady_load import Load, add_site, assert_recorded_once_in_order

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.state import read_state


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateRedis]:
    with private_redis(tmp_path) as server:
        yield server


@pytest.fixture
def own_environment(environment: dict[str, str], server: PrivateRedis) -> dict[str, str]:
    """The stack on the test's own Redis, with two endpoint processes that give up on Redis soon."""
    return {
        **environment,
        "REDIS_URL": server.url,
        "WEB_CONCURRENCY": "2",
        "QUEUE_PUSH_SECONDS": "1",
        "QUEUE_SWEEP_SECONDS": "1",
        "LOG_LEVEL": "WARNING",
    }


def is_all_recorded(client: redis.Redis) -> bool:
    try:
        return read_state(queue_on(client), SystemClock(), 1000).pending == 0
    except redis.RedisError:
        return False


def spooled(spool: Path) -> bool:
    return any((spool / "segments").glob("*"))


def test_every_acknowledged_request_is_recorded_once_and_in_order_while_redis_and_endpoints_are_killed(
    own_environment: dict[str, str], database: Database, server: PrivateRedis, tmp_path: Path
) -> None:
    add_site(database)
    spool = Path(own_environment["SPOOL_DIRECTORY"])
    chance = random.Random(7)
    with running(own_environment, tmp_path, workers=2) as stack:
        with Load(stack.port, clients=4) as load:
            for round_ in range(4):
                time.sleep(chance.uniform(0.3, 0.8))
                server.kill()
                wait_for(lambda: spooled(spool), 10, "the spool takes over")
                if round_ % 2:
                    os.kill(chance.choice(children(stack.api)), signal.SIGKILL)
                time.sleep(chance.uniform(0.2, 0.6))
                server.start()
                if round_ == 2:
                    os.kill(chance.choice(children(stack.api)), signal.SIGKILL)
            time.sleep(0.5)
        wait_for(lambda: not spooled(spool) and is_all_recorded(server.client), 40, "everything is recorded")
    assert sum(map(len, load.acknowledged)) > 500
    assert all("503" not in failure for failure in load.failed), load.failed[:5]
    assert_recorded_once_in_order(load, database)


def test_an_endpoint_that_is_ended_while_redis_is_frozen_ends_in_time_and_loses_nothing(
    own_environment: dict[str, str], database: Database, server: PrivateRedis, tmp_path: Path
) -> None:
    add_site(database)
    port = free_port()
    with process(own_environment, tmp_path / "api.log", *API, "--bind", f"127.0.0.1:{port}") as api:
        wait_for(lambda: is_open(port), 20, "the endpoint is up")
        with Load(port, clients=3) as load:
            wait_for(lambda: sum(map(len, load.acknowledged)) > 50, 20, "requests are taken")
            server.freeze()
            time.sleep(0.3)
            api.send_signal(signal.SIGTERM)
            assert api.wait(10) == 0
    server.thaw()
    with running(own_environment, tmp_path, workers=1):
        spool = Path(own_environment["SPOOL_DIRECTORY"])
        wait_for(lambda: not spooled(spool) and is_all_recorded(server.client), 30, "everything is recorded")
    assert_recorded_once_in_order(load, database)


def test_after_gunicorn_itself_was_killed_the_next_one_has_the_port(
    own_environment: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    command = (*API, "--bind", f"127.0.0.1:{port}")
    with process(own_environment, tmp_path / "api.log", *command) as first:
        wait_for(lambda: is_open(port) and len(children(first)) == 2, 20, "the endpoint is up")
        orphans = children(first)
        first.kill()
    with process(own_environment, tmp_path / "api.log", *command) as second:
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans), 10, "the end of its processes")
        wait_for(lambda: is_open(port) and len(children(second)) == 2, 20, "the next endpoint is up")


def test_a_new_version_starts_beside_the_old_one_and_takes_over_without_a_gap(
    own_environment: dict[str, str], database: Database, server: PrivateRedis, tmp_path: Path
) -> None:
    add_site(database)
    with running(own_environment, tmp_path, workers=1) as old, Load(old.port, clients=2) as load:
        time.sleep(0.5)
        with running({**own_environment, "QUEUE_SHARDS": "5"}, tmp_path, workers=1) as new:
            with Load(new.port, clients=2, first=2) as newer:
                time.sleep(0.7)
                started = time.monotonic()
                for ended in (old.api, old.pool):
                    ended.send_signal(signal.SIGTERM)
                for ended in (old.api, old.pool):
                    assert ended.wait(10) == 0
                assert time.monotonic() - started < 10
                time.sleep(0.5)
            wait_for(lambda: is_all_recorded(server.client), 30, "everything is recorded")
    assert newer.failed == []
    assert_recorded_once_in_order(load, database)
    assert_recorded_once_in_order(newer, database)
    assert pending(server.client) == 0


def test_a_redis_that_runs_out_of_memory_for_a_while_costs_nothing(
    own_environment: dict[str, str], database: Database, server: PrivateRedis, tmp_path: Path
) -> None:
    add_site(database)
    with running(own_environment, tmp_path, workers=2) as stack:
        with Load(stack.port, clients=3) as load:
            for _ in range(2):
                time.sleep(0.5)
                server.client.config_set("maxmemory", 1)
                time.sleep(1.5)
                server.client.config_set("maxmemory", 0)
            time.sleep(0.5)
        spool = Path(own_environment["SPOOL_DIRECTORY"])
        wait_for(lambda: not spooled(spool) and is_all_recorded(server.client), 40, "everything is recorded")
    assert load.failed == []
    assert_recorded_once_in_order(load, database)
