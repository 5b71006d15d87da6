"""Fixtures of all tests: real MariaDB and Redis, each session with databases of its own.

The servers are those of `.local/env` (`make services`) or of the environment. A test that asks for `settings` gets a
migrated database and a Redis database that are empty when it begins. Databases are named `footfall_test_<process>_<n>`
and dropped in the end; a Redis database is only taken when it is empty or was a test's before, never someone else's.
"""

import fcntl
import importlib
import itertools
import logging
import os
import shlex
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

import pytest
import redis
from click.testing import CliRunner, Result
from dotenv import dotenv_values
from hypothesis import settings as hypothesis_settings

from footfall import migrations
from footfall.clock import FixedClock, SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.queue.backend import Backend
from footfall.queue.stores import BACKENDS, open_queue
from footfall.settings import Settings, load, read

# A test says what is right, not how fast this machine happens to be.
hypothesis_settings.register_profile("footfall", hypothesis_settings.default, deadline=None)
hypothesis_settings.load_profile("footfall")

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY = "the salt of the tests"
NOW = datetime(2026, 8, 20, 12, 0, tzinfo=UTC)  # a Thursday
NO_REDIS = "redis://127.0.0.1:1/0"  # where nothing listens
_REDIS_MARK = "test-database-of-footfall"
_numbers = itertools.count(1)

SettingsFactory = Callable[..., Settings]
EnvironmentOf = Callable[[Settings], dict[str, str]]


def _server_settings() -> Settings:
    path = ROOT / ".local" / "env"
    from_file = dotenv_values(path) if path.is_file() else {}
    wanted = ("DATABASE_URL", "REDIS_URL")
    return read({name: value for name, value in {**from_file, **os.environ}.items() if name in wanted})


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=path))


def _redis_url(url: str, number: int) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return urlunsplit(parts._replace(query=urlencode({"db": number})))
    return urlunsplit(parts._replace(path=f"/{number}"))


@pytest.fixture(scope="session")
def servers() -> Settings:
    """The servers that the tests run on; fails in one sentence when they cannot be reached."""
    settings = _server_settings()
    client = redis.Redis.from_url(settings.redis_url)
    database = _admin(settings)
    try:
        client.ping()
        database.query("SELECT 1")
    except (redis.RedisError, FootfallError) as error:
        pytest.fail(f"`make test` or `make services` starts the servers that this test needs: {error}", pytrace=False)
    finally:
        client.close()
        database.close()
    return settings


def _admin(settings: Settings) -> Database:
    """A connection that need not use a database of ours."""
    return Database(replace(settings, database_url=_with_path(settings.database_url, "/information_schema")))


def _drop_leftovers(admin: Database) -> None:
    """Drop the databases of test sessions on this machine that were killed."""
    for (name,) in admin.query("SELECT schema_name FROM schemata WHERE schema_name LIKE 'footfall\\_test\\_%'"):
        process = name.split("_")[2]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            admin.execute(f"DROP DATABASE IF EXISTS `{name}`")


@pytest.fixture(scope="session")
def redis_numbers(servers: Settings) -> Iterator[Callable[[], int]]:
    """Gives a Redis database number that no other test session uses, as often as it is called."""
    client = redis.Redis.from_url(servers.redis_url)
    count = int(client.config_get("databases").get("databases", 16))
    client.close()
    server = zlib.crc32(urlunsplit(urlsplit(servers.redis_url)._replace(path="", query="")).encode())
    locks, taken = [], []
    # The upper half, so that the numbers people choose by hand stay free; a database of its own comes at the end.
    candidates = iter(range(count // 2, count))

    def take() -> int:
        for number in candidates:
            lock = (Path(tempfile.gettempdir()) / f"footfall-test-redis-{server}-{number}.lock").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            with redis.Redis.from_url(_redis_url(servers.redis_url, number)) as client:
                if client.dbsize() and not client.exists(_REDIS_MARK):
                    lock.close()
                    continue
                client.set(_REDIS_MARK, os.getpid())
            locks.append(lock)
            taken.append(number)
            return number
        pytest.fail("No Redis database is free for the tests: run fewer at once.", pytrace=False)

    yield take
    for number in taken:
        with redis.Redis.from_url(_redis_url(servers.redis_url, number)) as client:
            client.flushdb()
    for lock in locks:
        lock.close()


@pytest.fixture(scope="session")
def new_settings(servers: Settings, redis_numbers: Callable[[], int]) -> Iterator[SettingsFactory]:
    """Makes Settings on a database and a Redis database of their own, which live until the session ends.

    `new_settings(migrated=True, **values)`: for fixtures of a whole module and for tests about migrations. The values
    are other settings (`table_prefix="matomo_"`, say). A database that is not migrated comes without a Redis.
    """
    admin, made, spools = _admin(servers), [], Path(tempfile.mkdtemp(prefix="footfall-test-spools-"))
    if urlsplit(servers.database_url).hostname in (None, "", "127.0.0.1", "localhost"):
        _drop_leftovers(admin)

    def make(*, migrated: bool = True, **values: object) -> Settings:
        name = f"footfall_test_{os.getpid()}_{next(_numbers)}"
        admin.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        made.append(name)
        settings = Settings(
            database_url=_with_path(servers.database_url, f"/{name}"),
            redis_url=_redis_url(servers.redis_url, redis_numbers()) if migrated else NO_REDIS,
            secret_key=SECRET_KEY,
            spool_directory=str(spools / name),
        )
        settings = replace(settings, **values)  # type: ignore[arg-type]
        if migrated:
            database = Database(settings)
            migrations.migrate(database, SystemClock())
            database.close()
        return settings

    yield make
    for name in made:
        admin.execute(f"DROP DATABASE IF EXISTS `{name}`")
    shutil.rmtree(spools)
    admin.close()


class _Cleaner:
    """Brings one database back to how it was right after its migration."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database(settings)
        self._database.execute("SET lock_wait_timeout = 20")
        self._migrated = set(self._tables())

    def _tables(self) -> dict[str, bool]:
        """Whether each table ever gave out an AUTO_INCREMENT id, by name."""
        rows = self._database.query(
            "SELECT table_name, COALESCE(auto_increment, 1) > 1 FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
        )
        return {str(name): bool(used) for name, used in rows}

    def clean(self) -> None:
        tables = self._tables()
        for name in tables.keys() - self._migrated:
            self._database.execute(f"DROP TABLE `{name}`")
        kept = sorted(self._migrated - {"footfall_migration"})
        filled = " UNION ALL ".join(f"SELECT '{name}' FROM DUAL WHERE EXISTS (SELECT 1 FROM `{name}`)" for name in kept)
        used = {str(name) for (name,) in self._database.query(filled)} | {name for name in kept if tables.get(name)}
        for name in used:
            self._database.execute(f"TRUNCATE TABLE `{name}`")


@pytest.fixture(scope="session")
def _shared(new_settings: SettingsFactory) -> tuple[Settings, _Cleaner]:
    settings = new_settings()
    return settings, _Cleaner(settings)


@pytest.fixture
def settings(_shared: tuple[Settings, _Cleaner]) -> Settings:
    """Settings on a migrated, empty database and an empty Redis database."""
    settings, cleaner = _shared
    cleaner.clean()
    shutil.rmtree(settings.spool_directory, ignore_errors=True)
    with redis.Redis.from_url(settings.redis_url) as client:
        client.flushdb()
        client.set(_REDIS_MARK, os.getpid())
    return settings


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """A connection to the test's database."""
    database = Database(settings)
    yield database
    database.close()


@pytest.fixture
def redis_client(settings: Settings) -> Iterator[redis.Redis]:
    """A connection to the test's Redis database; answers are bytes."""
    with redis.Redis.from_url(settings.redis_url) as client:
        yield client


@pytest.fixture(params=BACKENDS)
def stored(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Settings:
    """Settings with the queue in each of its stores in turn, and empty."""
    return replace(settings, queue_backend=request.param, queue_directory=str(tmp_path / "queue"))


@pytest.fixture
def queue(stored: Settings) -> Iterator[Backend]:
    """A connection to the queue of `stored`."""
    queue = open_queue(stored)
    yield queue
    queue.disconnect()


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at 2026-08-20 12:00 UTC until a test sets its `moment`."""
    return FixedClock(NOW)


@pytest.fixture(scope="session")
def environment_of() -> EnvironmentOf:
    """Gives the environment with which a command of ours, run as a process, has the same settings.

    The env file of the checkout is out of the way.
    """

    def make(settings: Settings) -> dict[str, str]:
        return {
            **os.environ,
            "FOOTFALL_ENV": os.devnull,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "TABLE_PREFIX": settings.table_prefix,
            "SECRET_KEY": settings.secret_key,
            "SPOOL_DIRECTORY": settings.spool_directory,
            "QUEUE_BACKEND": settings.queue_backend,
            "QUEUE_DIRECTORY": settings.queue_directory,
        }

    return make


@pytest.fixture
def environment(settings: Settings, environment_of: EnvironmentOf) -> dict[str, str]:
    """The environment for running a command of ours as a process on the test's databases."""
    return environment_of(settings)


@pytest.fixture
def run_command(environment: dict[str, str]) -> Iterator[Callable[..., Result]]:
    """Runs a command line of ours in this process, without the second that a new one takes to start.

    `run_command("footfall site list", SECRET_KEY="")`: words apart by spaces; variables replace those of the
    environment. The answer has `exit_code`, `stdout` and `stderr`; an error that no command explains is raised.
    """

    def run(command: str, **variables: str) -> Result:
        name, *arguments = shlex.split(command)
        load.cache_clear()
        result = CliRunner().invoke(
            importlib.import_module(f"{name}.cli").main, arguments, env=environment | variables, prog_name=name
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    yield run
    load.cache_clear()
    logging.basicConfig(force=True, handlers=[])  # a command sent it to its own standard error
