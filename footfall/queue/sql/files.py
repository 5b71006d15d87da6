"""Files as the store of the queue: an SQLite database in a directory, for the processes of one machine.

SQLite brings what many writers and sudden deaths need: transactions, a write-ahead log, and locks that the kernel
releases with the process. Below the directory:

    queue.db    the tables; queue.db-wal and queue.db-shm belong to it
    session     locked by every process that uses the queue, and in it a name for the time through which some process
                has used it without a gap

When nobody used the queue for a while, its files may have been replaced by older ones, or a crash of the machine may
have taken back the last changes. So the first process that comes names a new session, and a new generation begins with
it; see docs/architecture.md, "When Redis goes back in time". The files hold addresses and tokens: only their owner may
read them.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from footfall.errors import ConfigurationError, QueueUnavailable
from footfall.queue.backend import Load
from footfall.queue.sql.store import PLACE
from footfall.settings import Settings

T = TypeVar("T")
_STATEMENT_BYTES = 16 * 1024 * 1024
_KEPT_FREE = 128 * 1024 * 1024  # of the disk, so that what empties the queue can be written
_SYNCHRONOUS = {"always": "FULL", "no": "NORMAL"}
_TABLES = (
    "lane (lane TEXT PRIMARY KEY, generation TEXT NOT NULL, run TEXT NOT NULL, layouts TEXT NOT NULL)",
    "shard (shard TEXT PRIMARY KEY, lane TEXT NOT NULL, trimmed INTEGER NOT NULL DEFAULT 0, "
    "removed INTEGER NOT NULL DEFAULT 0, fence INTEGER NOT NULL DEFAULT 0, holder TEXT NOT NULL DEFAULT '', "
    "leased_at REAL NOT NULL DEFAULT 0, leased_until REAL NOT NULL DEFAULT 0)",
    "tail (shard TEXT PRIMARY KEY, ended INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0)",
    "chunk (shard TEXT, begins INTEGER, requests INTEGER NOT NULL, bytes INTEGER NOT NULL, records BLOB NOT NULL, "
    "PRIMARY KEY (shard, begins))",
    "flushed (producer TEXT PRIMARY KEY, sequence INTEGER NOT NULL, flushed_at REAL NOT NULL)",
    "value (collection TEXT, name TEXT, value BLOB NOT NULL, expires_at REAL, PRIMARY KEY (collection, name))",
    "count (name TEXT PRIMARY KEY, value INTEGER NOT NULL)",
    "job (number INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, arguments TEXT NOT NULL)",
)


class FilesStore:
    """See Store of footfall/queue/sql/store.py.

    Args:
        answer_seconds: how long to wait for others that write.

    Raises:
        ConfigurationError: QUEUE_FSYNC is neither `always` nor `no`.
    """

    now = "((julianday('now') - 2440587.5) * 86400.0)"
    for_update = ""
    insert_new = "INSERT OR IGNORE INTO"
    statement_bytes = _STATEMENT_BYTES
    _session: int | None = None

    def __init__(self, settings: Settings, answer_seconds: float) -> None:
        if settings.queue_fsync not in _SYNCHRONOUS:
            raise ConfigurationError(f"QUEUE_FSYNC must be always or no, not {settings.queue_fsync!r}.")
        self.directory = Path(settings.queue_directory).absolute()
        self._synchronous = _SYNCHRONOUS[settings.queue_fsync]
        self._seconds = answer_seconds
        self._connection: sqlite3.Connection | None = None
        self._run = ""
        self._place = ""
        self._lock = threading.RLock()

    def __del__(self) -> None:
        if self._session is not None:
            os.close(self._session)

    @property
    def place(self) -> str:
        """A name that no other queue has, made with the tables."""
        if not self._place:
            rows = self.query(f"SELECT value FROM {self.table('value')} WHERE collection = %s", (PLACE,))
            self._place = bytes(rows[0][0]).decode()
        return self._place

    def table(self, name: str) -> str:
        """The quoted name of a table."""
        return f'"footfall_queue_{name}"'

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block is committed together, or not at all when it raises."""
        with self._lock:
            connection = self._connected()
            with self._explained():
                connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                with self._explained():
                    connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def retrying(self, work: Callable[[], T]) -> T:
        """Run `work`: there are no conflicts, as one process writes at a time."""
        return work()

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a SELECT returns."""
        with self._lock, self._explained():
            return self._connected().execute(sql.replace("%s", "?"), values).fetchall()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement."""
        with self._lock, self._explained():
            return self._connected().execute(sql.replace("%s", "?"), values).rowcount

    def upsert(self, table: str, key: str, columns: Sequence[str], *, adding: bool = False) -> str:
        """The end of an INSERT: a row whose key is there gets the new values."""
        old = f"{self.table(table)}."
        changes = ", ".join(
            f"{name} = {old}{name} + excluded.{name}" if adding else f"{name} = excluded.{name}" for name in columns
        )
        return f"ON CONFLICT ({key}) DO UPDATE SET {changes}"

    def run(self) -> str:
        """The name of the session."""
        self._connected()
        return self._run

    def fill(self, load: Load) -> Load:
        """The share of the disk's room, but for what is kept free, that the files take."""
        with self._explained():
            size = (self.directory / "queue.db").stat().st_size
            disk = os.statvfs(self.directory)
        room = disk.f_bavail * disk.f_frsize - _KEPT_FREE
        share = load.bytes / (load.bytes + room + max(0, size - load.bytes)) if room > 0 else 1.0
        return Load(load.requests, load.bytes, share, f"the disk of {self.directory}")

    def close(self) -> None:
        """Close the database. The session goes on, also in processes that are forked."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            with self._explained():
                self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                if self._session is None:
                    self._session, self._run = _join_session(self.directory / "session")
                self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        path = self.directory / "queue.db"
        path.touch(0o600)
        # Threads share it behind our lock.
        connection = sqlite3.connect(path, timeout=self._seconds, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'footfall_queue_job'").fetchall():
                self._create(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for definition in _TABLES:
            connection.execute(f"CREATE TABLE IF NOT EXISTS footfall_queue_{definition}")
        connection.execute(
            "INSERT OR IGNORE INTO footfall_queue_value (collection, name, value) VALUES (?, '', ?)",
            (PLACE, uuid4().hex[:8].encode()),
        )
        connection.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise QueueUnavailable(
                f"The queue in {self.directory} cannot be used: {error}. {_advice(error)}"
            ) from error
        except OSError as error:
            raise QueueUnavailable(
                f"The queue in {self.directory} cannot be used ({error.strerror or error}): "
                "check QUEUE_DIRECTORY, its owner and the space on its disk."
            ) from error


def _advice(error: sqlite3.Error) -> str:
    if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "Another process writes for too long, or was stopped while it did."
    return "Check QUEUE_DIRECTORY, its owner and the space on its disk."


def _join_session(path: Path) -> tuple[int, str]:
    """Take part in the session, or begin one if nobody else does; the locked file, and the session's name."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, uuid4().hex.encode(), 0)
            except BlockingIOError:
                pass
            # Others may have begun one between the two locks. What is read under this one holds.
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if name := os.pread(descriptor, 64, 0).decode():
                return descriptor, name
    except BaseException:
        os.close(descriptor)
        raise
