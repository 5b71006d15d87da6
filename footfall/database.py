"""The MySQL/MariaDB connection: one per process and purpose, in UTC, with a table prefix.

Every value reaches the server bound. Transactions are explicit; outside of one, each statement commits by itself.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic, perf_counter
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import mysql.connector
import mysql.connector.cursor_cext
from mysql.connector import errorcode
from mysql.connector.constants import ClientFlag
from mysql.connector.types import MySQLScriptPartition
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from footfall.errors import ConfigurationError, Conflict, DatabaseUnavailable
from footfall.settings import Settings

_LARGEST_STATEMENT = 32 * 1024 * 1024  # the client's library takes no more than 64
_STATEMENT_FRAME = 4096  # the text of a statement around its values

_IDLE_SECONDS = 1.0  # a connection that was idle for longer may be gone without anybody having noticed

Row = tuple[Any, ...]
T = TypeVar("T")
CursorKind = Literal["plain", "raw", "prepared"]


def _as_it_is(sql_code: bytes, map_results: bool = False) -> Generator[MySQLScriptPartition, None, None]:
    yield MySQLScriptPartition(single_stmts=deque(), mappable_stmt=sql_code)


# The driver looks for a script's command `DELIMITER` in every statement, values included, and takes apart those that
# seem to have one: a page of that name broke its batch. Nothing here is a script.
mysql.connector.cursor_cext.split_multi_statement = _as_it_is

_LOST = {
    errorcode.CR_SERVER_GONE_ERROR,
    errorcode.CR_SERVER_LOST,
    errorcode.CR_SERVER_LOST_EXTENDED,
    errorcode.CR_CONN_HOST_ERROR,
    errorcode.CR_CONNECTION_ERROR,
    errorcode.CR_UNKNOWN_HOST,
    errorcode.ER_CON_COUNT_ERROR,
    errorcode.ER_SERVER_SHUTDOWN,
    errorcode.ER_QUERY_INTERRUPTED,
    errorcode.ER_OPTION_PREVENTS_STATEMENT,  # read-only for a while, during a failover
    1927,  # MariaDB: connection was killed
}
_CONFLICT = {errorcode.ER_LOCK_DEADLOCK, errorcode.ER_LOCK_WAIT_TIMEOUT, 1020}  # 1020: record changed since last read


def is_lost(error: BaseException) -> bool:
    """Whether the error means that the server went away or cannot serve us for a while."""
    return isinstance(error, DatabaseUnavailable) or (
        isinstance(error, mysql.connector.Error) and (error.errno in _LOST or error.errno == -1)
    )


def is_conflict(error: BaseException) -> bool:
    """Whether the transaction came into conflict with another one, and is rolled back."""
    return isinstance(error, mysql.connector.Error) and error.errno in _CONFLICT


def is_retryable(error: BaseException) -> bool:
    """Whether the same transaction may succeed when it is tried again."""
    return is_lost(error) or isinstance(error, Conflict) or is_conflict(error)


def connection_options(url: str) -> dict[str, Any]:
    """What mysql.connector.connect takes, from a DATABASE_URL.

    Raises:
        ConfigurationError: the URL is not of the form mysql://user:password@host:port/database.
    """
    parts = urlsplit(url)
    database = unquote(parts.path.lstrip("/"))
    if parts.scheme not in ("mysql", "mariadb") or not database:
        raise ConfigurationError("DATABASE_URL must look like mysql://user:password@host:3306/database.")
    options: dict[str, Any] = {
        "user": unquote(parts.username or "root"),
        "password": unquote(parts.password or ""),
        "database": database,
    }
    socket = parse_qs(parts.query).get("unix_socket")
    if socket:
        return options | {"unix_socket": socket[0]}
    return options | {"host": parts.hostname or "127.0.0.1", "port": parts.port or 3306}


class StatementObserver(Protocol):
    """Is told of each statement; never fails."""

    def __call__(self, sql: str | bytes, seconds: float) -> None:
        """A statement took so long, its rows included."""


class Database:
    """One connection, opened when first needed and again after it was lost."""

    observer: StatementObserver | None = None
    """Of all connections of the process, while SQL_PROFILING is on (footfall/journal/)."""

    def __init__(self, settings: Settings, *, answer_seconds: float | None = None) -> None:
        self._options = connection_options(settings.database_url)
        if answer_seconds is not None:
            whole = max(1, round(answer_seconds))
            self._options |= {"connection_timeout": whole, "read_timeout": whole, "write_timeout": whole}
        self.prefix = settings.table_prefix
        self._connection: Any = None
        self._cursors: dict[CursorKind, Any] = {}
        self._last_used = 0.0
        self._in_transaction = False
        self._auto_increment_step = 0
        self._packet_bytes = 0

    def table(self, name: str) -> str:
        """The quoted name of a table, with the prefix."""
        return f"`{self.prefix}{name}`"

    def auto_increment_step(self) -> int:
        """How far two following AUTO_INCREMENT ids lie apart: 1, unless the server is one of a cluster."""
        if not self._auto_increment_step:
            self._auto_increment_step = int(self.query("SELECT @@auto_increment_increment")[0][0])
        return self._auto_increment_step

    def packet_bytes(self) -> int:
        """How long a statement with its values may be, in bytes: max_allowed_packet, and at most 32 MiB."""
        if not self._packet_bytes:
            allowed = int(self.query("SELECT @@max_allowed_packet")[0][0])
            self._packet_bytes = min(allowed, _LARGEST_STATEMENT) - _STATEMENT_FRAME
        return self._packet_bytes

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is under way."""
        return self._in_transaction

    @property
    def name(self) -> str:
        """The name of the database (schema)."""
        return str(self._options["database"])

    def connection(self) -> Any:
        """The open mysql.connector connection.

        Raises:
            DatabaseUnavailable: the server cannot be reached or refuses the credentials.
        """
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> Any:
        try:
            connection = mysql.connector.connect(
                **({"connection_timeout": 10} | self._options),
                autocommit=True,
                charset="utf8mb4",
                collation="utf8mb4_general_ci",
                time_zone="+00:00",
                sql_mode="STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION",
                allow_local_infile=False,
                client_flags=[-ClientFlag.MULTI_STATEMENTS],
            )
            cursor = connection.cursor()
            # Readers of a batch need no gap locks: they only made workers wait for each other.
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.close()
        except mysql.connector.Error as error:
            raise DatabaseUnavailable(self._explain(error)) from error
        return connection

    def _explain(self, error: Any) -> str:
        where = self._options.get("unix_socket") or f"{self._options.get('host')}:{self._options.get('port')}"
        if error.errno in (errorcode.ER_ACCESS_DENIED_ERROR, errorcode.ER_DBACCESS_DENIED_ERROR, 1698):
            return (
                f"The database at {where} refuses user {self._options['user']!r}: "
                "check user and password in DATABASE_URL."
            )
        if error.errno == errorcode.ER_BAD_DB_ERROR:
            return f"There is no database {self.name!r} at {where}: create it, or correct DATABASE_URL."
        return (
            f"The database at {where} cannot be reached ({error.msg}): "
            "check that it runs and that DATABASE_URL is right."
        )

    def close(self) -> None:
        """Close the connection; the next use opens a new one."""
        connection, self._connection = self._connection, None
        self._cursors.clear()
        self._in_transaction = False
        if connection is not None:
            with suppress(mysql.connector.Error):
                connection.close()

    def query(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """The rows that a SELECT returns."""
        return self._run(sql, values, lambda cursor: cursor.fetchall())

    def execute(self, sql: str | bytes, values: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run a statement; the number of rows it changed."""
        return self._run(sql, values, lambda cursor: int(cursor.rowcount))

    def execute_apart(self, sql: str, values: Sequence[Any]) -> int:
        """Run a statement that its values, of a megabyte perhaps, are sent beside: nothing quotes or parses them."""
        return self._run(sql, values, lambda cursor: int(cursor.rowcount), "prepared")

    def insert(self, sql: str | bytes, values: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run an INSERT; the (first) AUTO_INCREMENT id it was given."""
        return self._run(sql, values, lambda cursor: int(cursor.lastrowid or 0))

    def _run(self, sql: str | bytes, values: Any, take: Callable[[Any], T], kind: CursorKind = "plain") -> T:
        if self.observer is None:
            return self._attempt(sql, values, take, kind)
        with self._timed(sql):
            return self._attempt(sql, values, take, kind)

    @contextmanager
    def _timed(self, sql: str | bytes) -> Iterator[None]:
        """Tell the observer, where there is one, how long the block took."""
        started = perf_counter()
        try:
            yield
        finally:
            if self.observer is not None:
                self.observer(sql, perf_counter() - started)

    def _attempt(self, sql: str | bytes, values: Any, take: Callable[[Any], T], kind: CursorKind) -> T:
        for attempt in (1, 2):
            try:
                cursor = self._cursor(kind)
                cursor.execute(sql, values)
                return take(cursor)
            except mysql.connector.Error as error:
                if not is_lost(error):
                    raise
                # An idle connection that the server closed is reopened once; inside a transaction
                # the statements before are gone, so the caller has to begin again.
                begun = self._in_transaction
                self.close()
                if begun or attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def quoted(self, values: Sequence[Any]) -> list[bytes]:
        """The values as they stand in a statement, quoted by the driver: for statements of thousands of them."""
        return list(self.connection().prepare_for_mysql(values))

    def stream(self, sql: str, values: Sequence[Any], size: int) -> Generator[list[Row]]:
        """The rows of a SELECT as the server sends them, undecoded, at most `size` at a time.

        Whatever else is asked of this connection has to wait for the end.
        """
        cursor, began, elsewhere = self._cursor("raw"), perf_counter(), 0.0
        try:
            cursor.execute(sql, values)
            while rows := cursor.fetchmany(size):
                left = perf_counter()
                yield rows
                elsewhere += perf_counter() - left
        finally:
            if self.observer is not None:
                self.observer(sql, perf_counter() - began - elsewhere)
            if self._connection is not None:
                with suppress(Exception):  # of the driver's C part as well
                    self._connection.consume_results()

    def _cursor(self, kind: CursorKind) -> Any:
        """The cursor of the open connection, kept: before it makes one, the driver asks whether the server is there."""
        connection = self.connection()
        now = monotonic()
        if now - self._last_used > _IDLE_SECONDS and self._cursors:
            connection.ping()
        self._last_used = now
        if kind not in self._cursors:
            self._cursors[kind] = connection.cursor(**({} if kind == "plain" else {kind: True}))
        return self._cursors[kind]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block is committed together, or not at all when it raises.

        Raises:
            mysql.connector.Error: also when the answer to the COMMIT was lost: then nobody knows which of the two.
        """
        self.execute("START TRANSACTION")
        with self._inside():
            yield
            # As statements: the driver's own commit() and rollback() raise what is no mysql.connector.Error when the
            # connection is lost.
            self.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything that is read in the block is as it was at one moment; nothing can be written."""
        self.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        with self._inside():
            yield
            self.execute("ROLLBACK")

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """A transaction that has begun; rolled back when the block raises."""
        self._in_transaction = True
        try:
            yield
        except BaseException:
            if self._connection is not None:
                try:
                    self._connection.consume_results()
                    self.execute("ROLLBACK")
                except Exception:  # of the driver's C part as well; the server rolls back what is closed
                    self.close()
            raise
        finally:
            self._in_transaction = False

    def retrying(self, work: Callable[[], T], seconds: float = 30.0) -> T:
        """Run `work` (one whole transaction), again with growing pauses after a deadlock or a lost connection.

        Args:
            work: begins and commits its own transaction.
            seconds: after how long the last error is raised.
        """
        return Retrying(
            retry=retry_if_exception(is_retryable),
            wait=wait_random_exponential(multiplier=0.02, max=2),
            stop=stop_after_delay(seconds),
            reraise=True,
        )(work)
