"""The kinds of faults: what each does to the installation, for how long, and that it took effect."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import mysql.connector
from queues import queue_on
from stack import wait_for

from faults.installation import DATABASE, ENDPOINTS, SHARDS, TAKEN_OVER_SECONDS, UNDISTURBED, WORKERS, Installation
from faults.mariadb import USER
from faults.proxy import Cut, Proxy
from footfall.errors import QueueUnavailable
from footfall.queue.lease import holders
from footfall.queue.redis.connection import connect

_FIND_SECONDS = 3.0
_OF_MARIADB = list(Cut)
_OF_ALL = [way for way in Cut if way is not Cut.COMMIT_LOST]
_RESTART_SECONDS = 60


class NoEffect(Exception):
    """The fault did not happen: what it should have hit was not there. It is tried again and not counted."""


Inject = Callable[[Installation, random.Random, float], None]


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Args:
        name: as in the table of docs/reliability.md.
        needs: what it takes hold of; no other fault does so meanwhile.
        inject: does it, and undoes it after so many seconds. Raises NoEffect.
        reorders: whether Footfall says that requests may overtake each other meanwhile (docs/reliability.md).
    """

    name: str
    needs: frozenset[str]
    inject: Inject
    reorders: bool = False


KINDS: list[Kind] = []


def _kind(name: str, *needs: str, reorders: bool = False) -> Callable[[Inject], Inject]:
    def register(inject: Inject) -> Inject:
        KINDS.append(Kind(name, frozenset(needs), inject, reorders))
        return inject

    return register


# Processes of ours


@_kind("endpoint process killed", "endpoint", "endpoint–Redis")
def _endpoint_killed(there: Installation, chance: random.Random, seconds: float) -> None:
    """Half of the time while pushes of its requests are on their way, and arrive without it."""
    victim, link = chance.choice(there.api.children()), there.links.endpoint_redis
    if chance.random() < 0.5:
        link.delay(0.4)
        time.sleep(0.3)
    os.kill(victim, signal.SIGKILL)
    link.mend()
    wait_for(
        lambda: victim not in there.api.children() and len(there.api.children()) == ENDPOINTS,
        _RESTART_SECONDS,
        "gunicorn replaces it",
    )


@_kind("gunicorn killed and restarted", "endpoint")
def _gunicorn_killed(there: Installation, chance: random.Random, seconds: float) -> None:
    there.api.kill()
    there.restart_api()


@_kind("worker killed", "workers", "worker–MariaDB")
def _worker_killed(there: Installation, chance: random.Random, seconds: float) -> None:
    slowed = chance.random() < 0.5
    with _slow_batches(there, chance) if slowed else nullcontext():
        victim = _busy_worker(there, chance)
        time.sleep(chance.uniform(0, 0.5 if slowed else 0.03))
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    wait_for(
        lambda: victim not in there.pool.children() and len(there.pool.children()) == WORKERS,
        _RESTART_SECONDS,
        "the pool replaces it",
    )


@_kind("worker pool killed and restarted", "workers")
def _pool_killed(there: Installation, chance: random.Random, seconds: float) -> None:
    there.pool.kill()
    end = time.monotonic() + _RESTART_SECONDS
    while len(there.pool.children()) < WORKERS:
        assert time.monotonic() < end, "the pool cannot be started again"
        if not there.pool.is_running():  # it says why and ends where a server is away at that moment
            there.pool.start()
        time.sleep(0.1)


@_kind("worker stopped for longer than its lease", "workers", "worker–MariaDB")
def _worker_stopped(there: Installation, chance: random.Random, seconds: float) -> None:
    with _slow_batches(there, chance):
        victim = _busy_worker(there, chance)
        time.sleep(chance.uniform(0, 0.5))
        os.kill(victim, signal.SIGSTOP)
    try:
        if victim not in _lease_holders(there):
            raise NoEffect("it had given its lease back")
        time.sleep(TAKEN_OVER_SECONDS + min(seconds, 2))
    finally:
        os.kill(victim, signal.SIGCONT)


@_kind("archiver killed", "archiver")
def _archiver_killed(there: Installation, chance: random.Random, seconds: float) -> None:
    with _during_archiving(there, chance):
        there.archiving.command.kill()


@contextmanager
def _slow_batches(there: Installation, chance: random.Random) -> Iterator[None]:
    """Batches take seconds: a worker with a lease is in the middle of one."""
    link = there.links.worker_mariadb
    link.delay(chance.uniform(0.05, 0.15))
    try:
        time.sleep(0.5)
        yield
    finally:
        link.mend()


def _busy_worker(there: Installation, chance: random.Random) -> int:
    """A worker that holds a lease; any, when Redis cannot say who does."""
    end = time.monotonic() + _FIND_SECONDS
    while time.monotonic() < end:
        busy = _lease_holders(there) & set(there.pool.children())
        if busy:
            return chance.choice(sorted(busy))
        time.sleep(0.01)
    workers = there.pool.children()
    if not workers:
        raise NoEffect("there is no worker")
    return chance.choice(workers)


def _lease_holders(there: Installation) -> set[int]:
    client = connect(there.redis.url, 0.5)
    try:
        return {
            int(holder.rpartition("-")[2]) for holder in holders(queue_on(client, len(SHARDS)), list(SHARDS)).values()
        }
    except QueueUnavailable:
        return set()
    finally:
        client.close()


@contextmanager
def _during_archiving(there: Installation, chance: random.Random) -> Iterator[None]:
    """The block happens while the archiver talks to its database."""
    wait_for(lambda: there.links.archiver_mariadb.is_used, 60, "the next run of the archiver")
    time.sleep(chance.uniform(0, 0.5))
    if not there.archiving.command.is_running():
        raise NoEffect("the archiver had ended")
    yield


# Redis


@_kind("Redis killed and restarted", "redis")
def _redis_killed(there: Installation, chance: random.Random, seconds: float) -> None:
    there.redis.kill()
    time.sleep(seconds)
    there.redis.start()


@_kind("Redis frozen", "redis")
def _redis_frozen(there: Installation, chance: random.Random, seconds: float) -> None:
    there.redis.freeze()
    time.sleep(seconds)
    there.redis.thaw()


@_kind("Redis out of memory", "redis")
def _redis_out_of_memory(there: Installation, chance: random.Random, seconds: float) -> None:
    there.redis.client.config_set("maxmemory", 1)
    try:
        time.sleep(seconds)
    finally:
        there.redis.client.config_set("maxmemory", 0)


@_kind("disk of the spool full, Redis away", "redis", "spool", "endpoint", reorders=True)
def _disk_full(there: Installation, chance: random.Random, seconds: float) -> None:
    there.redis.kill()
    time.sleep(seconds * chance.uniform(0, 0.5))  # something is in the spool by then, or nothing
    there.disk.fill(chance)
    time.sleep(seconds * 0.5)
    if chance.random() < 0.5:
        there.redis.start()
        time.sleep(seconds * 0.5)
        there.disk.clear()
    else:
        there.disk.clear()
        time.sleep(seconds * 0.5)
        there.redis.start()
    wait_for(lambda: not there.disk.holds(), 120, "the spool is back in the queue")


# MariaDB


@_kind("MariaDB killed and restarted", "mariadb")
def _mariadb_killed(there: Installation, chance: random.Random, seconds: float) -> None:
    there.mariadb.kill()
    time.sleep(seconds)
    there.mariadb.start()


@_kind("MariaDB slow", "worker–MariaDB", "archiver–MariaDB")
def _mariadb_slow(there: Installation, chance: random.Random, seconds: float) -> None:
    links = (there.links.worker_mariadb, there.links.archiver_mariadb)
    before = [link.harmed for link in links]
    pause = chance.uniform(0.02, 0.3)
    for link in links:
        link.delay(pause)
    time.sleep(seconds)
    for link in links:
        link.mend()
    if [link.harmed for link in links] == before:
        raise NoEffect("nobody asked it anything")


@_kind("MariaDB refuses connections", "mariadb")
def _mariadb_refuses(there: Installation, chance: random.Random, seconds: float) -> None:
    root, taken = there.mariadb.connect(DATABASE), []
    cursor = root.cursor()
    cursor.execute("SELECT @@max_connections")
    (limit,) = cursor.fetchone()
    try:
        cursor.execute("SET GLOBAL max_connections = 10")  # the least there is
        _take_all(there, taken)
        own = [connection.connection_id for connection in taken]
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", (USER,))
        others = [number for (number,) in cursor.fetchall() if number not in own]
        for number in others:
            with suppress(mysql.connector.Error):  # it has ended by itself
                cursor.execute(f"KILL {int(number)}")
            _take_all(there, taken)
        time.sleep(seconds)
    finally:
        cursor.execute(f"SET GLOBAL max_connections = {int(limit)}")
        for connection in (*taken, root):
            connection.close()


def _take_all(there: Installation, taken: list[Any]) -> None:
    """Open connections until no more is given."""
    while True:
        try:
            taken.append(there.mariadb.connect(DATABASE, user=True))
        except mysql.connector.Error as error:
            if error.errno != mysql.connector.errorcode.ER_CON_COUNT_ERROR:
                raise
            return


@_kind("MariaDB in deadlock with a batch", "mariadb")
def _mariadb_deadlock(there: Installation, chance: random.Random, seconds: float) -> None:
    """A rival locks visits first and a shard's row then; a batch does it the other way round."""
    watch, rival = there.mariadb.connect("information_schema"), there.mariadb.connect(DATABASE)
    try:
        look, cursor = watch.cursor(), rival.cursor()
        cursor.execute(f"CREATE TABLE IF NOT EXISTS `{UNDISTURBED}`.rival (n INT PRIMARY KEY)")
        before, end = _deadlocks(look), time.monotonic() + seconds + 10
        while time.monotonic() < end:
            cursor.execute("START TRANSACTION")
            # The server ends the transaction that changed fewer rows; it must not be this one.
            cursor.execute(f"INSERT INTO `{UNDISTURBED}`.rival SELECT seq FROM seq_1_to_2000")
            with suppress(mysql.connector.Error):
                cursor.execute("SELECT idvisit FROM log_visit ORDER BY idvisit DESC LIMIT 300 FOR UPDATE")
                cursor.fetchall()
                if _wait_for_waiting(look):
                    cursor.execute("SELECT shard FROM footfall_shard FOR UPDATE")
                    cursor.fetchall()
            cursor.execute("ROLLBACK")
            if _deadlocks(look) > before:
                return
        raise NoEffect("no batch met the rival")
    finally:
        rival.close()
        watch.close()


def _deadlocks(cursor: Any) -> int:
    cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
    return int(cursor.fetchone()[1])


def _wait_for_waiting(cursor: Any) -> bool:
    """Whether somebody waits for a lock, within a second."""
    for _ in range(8):
        time.sleep(0.15)  # the server looks anew only when nobody has asked for a tenth of a second
        cursor.execute("SELECT COUNT(*) FROM innodb_lock_waits")
        if cursor.fetchone()[0]:
            return True
    return False


@_kind("MariaDB read-only", "mariadb")
def _mariadb_read_only(there: Installation, chance: random.Random, seconds: float) -> None:
    root = there.mariadb.connect(DATABASE)
    cursor = root.cursor()
    cursor.execute("SET GLOBAL read_only = 1")
    try:
        time.sleep(seconds)
    finally:
        cursor.execute("SET GLOBAL read_only = 0")
        root.close()


# Connections


def _register_links() -> None:
    pairs: dict[str, tuple[Callable[[Installation], Proxy], list[Cut]]] = {
        "endpoint–Redis": (lambda there: there.links.endpoint_redis, _OF_ALL),
        "worker–Redis": (lambda there: there.links.worker_redis, _OF_ALL),
        "worker–MariaDB": (lambda there: there.links.worker_mariadb, _OF_MARIADB),
    }
    for pair, (link, ways) in pairs.items():
        _kind(f"{pair} cut", pair)(_cut(link, ways))
        if Cut.COMMIT_LOST in ways:
            _kind(f"{pair} cut when it commits", pair)(_cut(link, [Cut.COMMIT_LOST]))
        _kind(f"{pair} delayed", pair)(_delayed(link))

    def of_archiver(there: Installation) -> Proxy:
        return there.links.archiver_mariadb

    for what, inject in (("cut", _cut(of_archiver, _OF_MARIADB)), ("delayed", _delayed(of_archiver))):
        _kind(f"archiver–MariaDB {what}", "archiver–MariaDB", "archiver")(_while_archiving(inject))


def _while_archiving(inject: Inject) -> Inject:
    def injected(there: Installation, chance: random.Random, seconds: float) -> None:
        with _during_archiving(there, chance):
            inject(there, chance, seconds)

    return injected


def _cut(link: Callable[[Installation], Proxy], ways: list[Cut]) -> Inject:
    def inject(there: Installation, chance: random.Random, seconds: float) -> None:
        proxy = link(there)
        before = proxy.harmed
        proxy.cut(chance.choice(ways))
        time.sleep(seconds)
        proxy.mend()
        if proxy.harmed == before:
            raise NoEffect("there was no connection")

    return inject


def _delayed(link: Callable[[Installation], Proxy]) -> Inject:
    def inject(there: Installation, chance: random.Random, seconds: float) -> None:
        proxy = link(there)
        before = proxy.harmed
        proxy.delay(chance.uniform(0.02, 1.2))  # up to more than QUEUE_PUSH_SECONDS
        time.sleep(seconds)
        proxy.mend()
        if proxy.harmed == before:
            raise NoEffect("nothing was sent")

    return inject


_register_links()
