"""What is known about imports: which logs were read, how far, and which flush may or may not be in the queue yet.

A flush is written here, with the positions of the logs behind it, in one transaction; then it is pushed. So at any
moment the lines before a log's position are in the queue or in a flush that is here. A run that finds a flush of one
that died pushes it first: under its name and number, which makes it harmless if it was pushed before.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import md5
from uuid import uuid4

import mysql.connector
from mysql.connector import errorcode

from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.queue import flush as flushes
from footfall.queue.flush import Flush

_FINGERPRINT_BYTES = 4096
_LONGEST_LOCK = 64
_PATH_CHARACTERS = 1024


class BeingImported(FootfallError):
    """Another import reads this log at this moment."""


@dataclass
class Entry:
    """A log that is known.

    Args:
        idimport: the run that reads it, or read it last.
        position: bytes of its content that were read.
        header: what its format has to know to go on from there.
    """

    idlog: int
    idimport: int
    path: str
    position: int
    header: str
    fingerprint_bytes: int


class Ledger:
    """The logs and runs of one installation, for one run.

    Args:
        database: a connection of its own; it holds the run's lock.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._imports = database.table("footfall_import")
        self._logs = database.table("footfall_import_log")
        self._idimport = 0
        self._producer = ""
        self._sequence = 0

    def settle(self, push: Callable[[Flush], None]) -> int:
        """Push what runs that died left behind; how many requests that were, most of them in the queue already.

        Raises:
            QueueUnavailable: the queue does not take it.
        """
        requests = 0
        for (idimport,) in self._database.query(
            f"SELECT idimport FROM {self._imports} WHERE flush IS NOT NULL ORDER BY idimport"
        ):
            if not self._acquire(idimport):
                continue  # it is alive
            rows = self._database.query(
                f"SELECT flush, sequence FROM {self._imports} WHERE idimport = %s AND flush IS NOT NULL", (idimport,)
            )
            for data, sequence in rows:
                left = flushes.decode(bytes(data))
                push(left)
                requests += len(left.records)
                self._pushed(idimport, sequence)
            self._release(idimport)
        return requests

    def find(self, beginning: bytes) -> Entry | None:
        """The entry of a log that begins like this."""
        lengths = self._database.query(
            f"SELECT DISTINCT fingerprint_bytes FROM {self._logs} WHERE fingerprint_bytes <= %s "
            "ORDER BY fingerprint_bytes DESC",
            (len(beginning),),
        )
        for (length,) in lengths:
            rows = self._database.query(
                f"SELECT idlog, idimport, path, position, header, fingerprint_bytes FROM {self._logs} "
                "WHERE fingerprint = %s AND fingerprint_bytes = %s",
                (_hash(beginning, length), length),
            )
            if rows:
                return Entry(*rows[0])
        return None

    def begin(self) -> None:
        """Begin the run."""
        now = self._now()
        self._producer = uuid4().hex
        self._idimport = self._database.insert(
            f"INSERT INTO {self._imports} (producer, ts_started, ts_updated) VALUES (%s, %s, %s)",
            (self._producer, now, now),
        )
        if not self._acquire(self._idimport):
            raise AssertionError("nobody else knows of this run")

    def claim(self, entry: Entry | None, path: str, beginning: bytes, *, again: bool = False) -> Entry:
        """Take a log over for this run.

        Args:
            entry: what is known of it; None for a new one.
            again: read it from its beginning.

        Raises:
            BeingImported: another run has it.
        """
        length = min(len(beginning), _FINGERPRINT_BYTES)
        now = self._now()
        if entry is None:
            return self._add(path, beginning, length)
        if entry.idimport != self._idimport and not self._acquire(entry.idimport):
            raise BeingImported(f"{path} is being imported by another process at this moment.")
        try:
            position, header = (0, "") if again else (entry.position, entry.header)
            longer = length > entry.fingerprint_bytes
            hashed = length if longer else entry.fingerprint_bytes
            changed = self._database.execute(
                f"UPDATE {self._logs} SET idimport = %s, path = %s, position = %s, header = %s, fingerprint = %s, "
                "fingerprint_bytes = %s, ts_updated = %s WHERE idlog = %s AND idimport = %s AND position = %s",
                (
                    *(self._idimport, path[-_PATH_CHARACTERS:], position, header, _hash(beginning, hashed), hashed),
                    *(now, entry.idlog, entry.idimport, entry.position),
                ),
            )
        finally:
            if entry.idimport != self._idimport:
                self._release(entry.idimport)
        if not changed:
            raise BeingImported(f"{path} is being imported by another process at this moment.")
        return Entry(entry.idlog, self._idimport, path, position, header, hashed)

    def _add(self, path: str, beginning: bytes, length: int) -> Entry:
        now = self._now()
        try:
            idlog = self._database.insert(
                f"INSERT INTO {self._logs} (idimport, fingerprint, fingerprint_bytes, path, position, header, "
                "ts_started, ts_updated) VALUES (%s, %s, %s, %s, 0, '', %s, %s)",
                (self._idimport, _hash(beginning, length), length, path[-_PATH_CHARACTERS:], now, now),
            )
        except mysql.connector.IntegrityError as error:
            if error.errno != errorcode.ER_DUP_ENTRY:
                raise
            raise BeingImported(f"{path} is being imported by another process at this moment.") from None
        return Entry(idlog, self._idimport, path, 0, "", length)

    def intend(self, hashes: list[int], records: list[bytes], logs: Iterable[tuple[int, int, str]]) -> Flush:
        """The next flush of the run, written down as the one that will be pushed, with how far the logs were read.

        Args:
            hashes, records: as in Flush.
            logs: idlog, position and header of each log that was read further.

        Raises:
            BeingImported: another run took a log over, because this one seemed dead to it.
        """
        flush = Flush(self._producer, self._sequence + 1, hashes, records, self._clock.now().timestamp(), {})
        self._database.retrying(lambda: self._write(flush, list(logs)))
        self._sequence = flush.sequence
        return flush

    def _write(self, flush: Flush, logs: list[tuple[int, int, str]]) -> None:
        if not self._acquire(self._idimport):
            raise BeingImported("This import was taken for dead and another has taken its logs over.")
        now = self._now()
        with self._database.transaction():
            for idlog, position, header in logs:
                changed = self._database.execute(
                    f"UPDATE {self._logs} SET position = %s, header = %s, ts_updated = %s "
                    "WHERE idlog = %s AND idimport = %s AND position < %s",
                    (position, header, now, idlog, self._idimport, position),
                )
                if not changed and not self._is_ours(idlog, position):
                    raise BeingImported("This import was taken for dead and another has taken its logs over.")
            self._database.execute(
                f"UPDATE {self._imports} SET requests = requests + IF(sequence < %s, %s, 0), flush = %s, "
                "sequence = %s, ts_updated = %s WHERE idimport = %s",
                (
                    *(flush.sequence, len(flush.records), flushes.encode(flush) if flush.records else None),
                    *(flush.sequence, now, self._idimport),
                ),
            )

    def _is_ours(self, idlog: int, position: int) -> bool:
        """Whether a try whose answer was lost has written the position."""
        return bool(
            self._database.query(
                f"SELECT 1 FROM {self._logs} WHERE idlog = %s AND idimport = %s AND position = %s",
                (idlog, self._idimport, position),
            )
        )

    def finish(self) -> None:
        """The last flush is in the queue; the run is over."""
        if self._idimport:
            self._pushed(self._idimport, self._sequence)
            self._release(self._idimport)

    def _pushed(self, idimport: int, sequence: int) -> None:
        self._database.execute(
            f"UPDATE {self._imports} SET flush = NULL, ts_updated = %s WHERE idimport = %s AND sequence = %s",
            (self._now(), idimport, sequence),
        )

    def _now(self) -> str:
        return self._clock.now().strftime("%Y-%m-%d %H:%M:%S")

    def _acquire(self, idimport: int) -> bool:
        """Take the lock of a run, or find that this connection has it; False when another process has."""
        name = self._lock(idimport)
        if self._database.query("SELECT COALESCE(IS_USED_LOCK(%s) = CONNECTION_ID(), 0)", (name,)) == [(1,)]:
            return True
        return self._database.query("SELECT GET_LOCK(%s, 0)", (name,)) == [(1,)]

    def _release(self, idimport: int) -> None:
        self._database.query("SELECT RELEASE_LOCK(%s)", (self._lock(idimport),))

    def _lock(self, idimport: int) -> str:
        installation = f"{self._database.name}/{self._database.prefix}"
        name = f"footfall_import/{installation}/{idimport}"
        if len(name) > _LONGEST_LOCK:
            name = f"footfall_import/{md5(installation.encode()).hexdigest()}/{idimport}"
        return name


def _hash(beginning: bytes, length: int) -> bytes:
    return hashlib.sha256(beginning[:length]).digest()
