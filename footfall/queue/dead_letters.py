"""Dead letters: requests that could not be recorded, each with its reason (table `footfall_dead_letter`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from footfall.clock import Clock
from footfall.database import Database
from footfall.queue.request import TrackingRequest, decode, encode
from footfall.queue.tokens import sealed

_REASON_LENGTH = 255


@dataclass(frozen=True)
class DeadLetter:
    """A request that could not be recorded.

    Args:
        shard: the shard it lay in.
        record: the tracking request record, as it lay there.
        reason: why, in words that a person understands.
        idsite: the site it was for, where that is known.
    """

    shard: str
    record: bytes
    reason: str
    idsite: int | None = None

    def request(self) -> TrackingRequest | None:
        """The request; None when the record cannot be read."""
        try:
            return decode(self.record)
        except msgspec.DecodeError:
            return None


@dataclass(frozen=True)
class BuriedLetter:
    """A dead letter as it lies in the table; times in UTC."""

    number: int
    letter: DeadLetter
    received_at: datetime
    rejected_at: datetime


class DeadLetters:
    """All dead letters.

    Args:
        hash_token: makes the hash that is kept instead of a request's token, so that the request can be recorded later
            as if it had the token; without it the token is dropped.
    """

    def __init__(self, database: Database, clock: Clock, hash_token: Callable[[str], str] | None = None) -> None:
        self._database = database
        self._clock = clock
        self._hash_token = hash_token
        self._table = database.table("footfall_dead_letter")

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """Keep them; part of the transaction that records the rest of their batch."""
        if not letters:
            return
        now = self._clock.now()
        values: list[object] = []
        for letter in letters:
            request = letter.request()
            values += [
                letter.idsite,
                letter.shard,
                _received(request, now),
                now.replace(tzinfo=None, microsecond=0),
                letter.reason[:_REASON_LENGTH],
                letter.record if request is None else encode(sealed(request, self._hash_token)),
            ]
        rows = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(letters))
        self._database.execute(
            f"INSERT INTO {self._table} (idsite, shard, ts_received, ts_rejected, reason, record) VALUES {rows}", values
        )

    def count(self) -> int:
        """How many there are."""
        return int(self._database.query(f"SELECT COUNT(*) FROM {self._table}")[0][0])

    def newest(self, limit: int) -> list[BuriedLetter]:
        """The `limit` newest, newest first."""
        rows = self._database.query(
            "SELECT iddeadletter, idsite, shard, ts_received, ts_rejected, reason, record "
            f"FROM {self._table} ORDER BY iddeadletter DESC LIMIT %s",
            (limit,),
        )
        return [
            BuriedLetter(
                number,
                DeadLetter(_text(shard), bytes(record), _text(reason), idsite),
                received_at.replace(tzinfo=UTC),
                rejected_at.replace(tzinfo=UTC),
            )
            for number, idsite, shard, received_at, rejected_at, reason, record in rows
        ]


def _received(request: TrackingRequest | None, now: datetime) -> datetime:
    try:
        moment = datetime.fromtimestamp(request.received_at, UTC) if request else now
    except (OverflowError, ValueError, OSError):
        moment = now
    return moment.replace(tzinfo=None, microsecond=0)


def _text(value: str | bytes | bytearray) -> str:
    return value if isinstance(value, str) else bytes(value).decode()
