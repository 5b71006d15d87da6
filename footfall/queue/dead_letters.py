"""Dead letters: requests that could not be recorded, each with its reason (table `footfall_dead_letter`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from footfall.clock import Clock
from footfall.database import Database
from footfall.packets import ESCAPED, groups
from footfall.queue.request import TrackingRequest, decode, encode
from footfall.queue.tokens import sealed

FAILED = "It cannot be recorded"
"""How the reason of a request begins that could not be recorded for no reason of ours."""

UNREADABLE = "The record cannot be read"
"""How the reason of one begins that could not even be read."""

_REASON_LENGTH = 255
_CUT_REASON_LENGTH = 180
_LONGEST_RECORD = 2**24 - 1  # of the column
_ROW_BYTES = 1500  # of a row without its record, quoted


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


@dataclass(frozen=True)
class LetterChoice:
    """Which dead letters are meant; all conditions hold together, none of them means all letters.

    Args:
        numbers: one of these.
        idsite: for this site.
        reason: with this text in the reason.
        since: rejected at this moment or later.
        before: rejected earlier than this moment.
        failed: because recording failed, not because the request asks for the impossible.
    """

    numbers: tuple[int, ...] = ()
    idsite: int | None = None
    reason: str = ""
    since: datetime | None = None
    before: datetime | None = None
    failed: bool = False

    def is_all(self) -> bool:
        """Whether no condition is given."""
        return self == LetterChoice()

    def condition(self) -> tuple[str, list[object]]:
        """The condition of a SELECT, and its values."""
        parts: list[str] = []
        values: list[object] = []
        if self.numbers:
            parts.append(f"iddeadletter IN ({', '.join(['%s'] * len(self.numbers))})")
            values += self.numbers
        if self.idsite is not None:
            parts.append("idsite = %s")
            values.append(self.idsite)
        if self.reason:
            parts.append("LOCATE(%s, reason) > 0")
            values.append(self.reason)
        for moment, comparison in ((self.since, ">="), (self.before, "<")):
            if moment is not None:
                parts.append(f"ts_rejected {comparison} %s")
                values.append(moment.astimezone(UTC).replace(tzinfo=None))
        if self.failed:
            parts.append("(LOCATE(%s, reason) = 1 OR LOCATE(%s, reason) = 1)")
            values += (FAILED, UNREADABLE)
        return " AND ".join(parts) or "1 = 1", values


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
        rows, sizes, packet = [], [], self._database.packet_bytes()
        most = min((packet - _ROW_BYTES) // ESCAPED, _LONGEST_RECORD)
        for letter in letters:
            request = letter.request()
            record = letter.record if request is None else encode(sealed(request, self._hash_token))
            reason = letter.reason[:_REASON_LENGTH]
            if len(record) > most:
                # Rather without its end than a shard that waits for it for ever.
                reason = f"{reason[:_CUT_REASON_LENGTH]} (cut: {len(record)} bytes exceed max_allowed_packet)"
                record = record[:most]
            rejected_at = now.replace(tzinfo=None, microsecond=0)
            rows.append((letter.idsite, letter.shard, _received(request, now), rejected_at, reason, record))
            sizes.append(ESCAPED * len(record) + _ROW_BYTES)
        for begin, end in groups(sizes, packet):
            marks = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * (end - begin))
            self._database.execute(
                f"INSERT INTO {self._table} (idsite, shard, ts_received, ts_rejected, reason, record) VALUES {marks}",
                [value for row in rows[begin:end] for value in row],
            )

    def count(self, chosen: "LetterChoice | None" = None) -> int:
        """How many there are (of those chosen)."""
        condition, values = (chosen or LetterChoice()).condition()
        return int(self._database.query(f"SELECT COUNT(*) FROM {self._table} WHERE {condition}", values)[0][0])

    def newest(self, limit: int, chosen: "LetterChoice | None" = None) -> list[BuriedLetter]:
        """The `limit` newest (of those chosen), newest first."""
        condition, values = (chosen or LetterChoice()).condition()
        return self._letters(f"WHERE {condition} ORDER BY iddeadletter DESC LIMIT {int(limit)}", values)

    def last_number(self) -> int:
        """The number of the newest; 0 when there is none."""
        return int(self._database.query(f"SELECT COALESCE(MAX(iddeadletter), 0) FROM {self._table}")[0][0])

    def lock_next(self, chosen: "LetterChoice", after: int, upto: int, limit: int) -> list[BuriedLetter]:
        """The oldest `limit` of those chosen, by number, which nobody else can lock or drop until the transaction ends.

        Args:
            after: only letters with a larger number.
            upto: only letters with this number or a smaller one.
        """
        condition, values = chosen.condition()
        return self._letters(
            f"WHERE {condition} AND iddeadletter > %s AND iddeadletter <= %s "
            f"ORDER BY iddeadletter LIMIT {int(limit)} FOR UPDATE",
            [*values, after, upto],
        )

    def read_next(self, chosen: "LetterChoice", after: int, limit: int) -> list[BuriedLetter]:
        """The oldest `limit` of those chosen whose number is larger than `after`, by number."""
        condition, values = chosen.condition()
        return self._letters(
            f"WHERE {condition} AND iddeadletter > %s ORDER BY iddeadletter LIMIT {int(limit)}", [*values, after]
        )

    def drop(self, letters: Sequence[BuriedLetter]) -> None:
        """Delete them."""
        if letters:
            marks = ", ".join(["%s"] * len(letters))
            numbers = [letter.number for letter in letters]
            self._database.execute(f"DELETE FROM {self._table} WHERE iddeadletter IN ({marks})", numbers)

    def _letters(self, rest: str, values: Sequence[object]) -> list[BuriedLetter]:
        rows = self._database.query(
            f"SELECT iddeadletter, idsite, shard, ts_received, ts_rejected, reason, record FROM {self._table} {rest}",
            values,
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
