"""Offsets: how many records of a shard are in the log tables (table `footfall_shard`).

A shard has one open row, that of the newest generation that was recorded from. When Redis has been started anew, or
emptied, its data may be older than what is recorded: then the records from where the new generation began are new ones,
whatever their offsets. So a new generation's row starts at that offset where the recorded one is larger, and the former
row is closed: a drain that still works on it cannot commit.
"""

from collections.abc import Mapping

from footfall.clock import Clock
from footfall.database import Database

_CLOSED = 2**63  # as fencing number of a row: larger than that of any lease


class OffsetMoved(Exception):
    """The shard's offset is not what was read: somebody else, or an earlier try of ours, recorded the batch."""


class FencedOff(Exception):
    """A later lease has written: ours was lost without our noticing."""


class Offsets:
    """The offsets of all shards.

    Args:
        place: tells queues in different stores apart that are drained into the same database; see Backend.
    """

    def __init__(self, database: Database, clock: Clock, place: str = "") -> None:
        self._database = database
        self._clock = clock
        self._prefix = f"{place}:" if place else ""
        self._table = database.table("footfall_shard")

    def recorded(self, generation: str, shard: str, begun: Mapping[str, int]) -> int:
        """How many records of the shard, by their offset, are recorded in this generation.

        Args:
            begun: the offset at which each generation began in the shard; 0 for one that is missing.
        """
        rows = self._database.query(
            f"SELECT recorded FROM {self._table} WHERE generation = %s AND shard = %s",
            (generation, self._prefix + shard),
        )
        if rows:
            return int(rows[0][0])
        return self._database.retrying(lambda: self._open(generation, shard, begun))

    def advance(self, generation: str, shard: str, fence: int, *, seen: int, to: int) -> None:
        """Lock the shard's row, check it, and set what is recorded; part of the transaction that writes the rows.

        Args:
            fence: the fencing number of the lease that the batch was read under.
            seen: what `recorded` returned.
            to: how many records are recorded once the transaction is committed.

        Raises:
            OffsetMoved: the row has another offset, or is gone.
            FencedOff: a later lease has written, or the generation is over.
        """
        rows = self._database.query(
            f"SELECT recorded, fence FROM {self._table} WHERE generation = %s AND shard = %s FOR UPDATE",
            (generation, self._prefix + shard),
        )
        if rows and rows[0][1] > fence:
            raise FencedOff(f"A later lease has written to shard {shard}")
        if not rows or rows[0][0] != seen:
            raise OffsetMoved(f"Shard {shard} is not at {seen} any more")
        self._database.execute(
            f"UPDATE {self._table} SET recorded = %s, fence = %s, ts_updated = %s WHERE generation = %s AND shard = %s",
            (to, fence, self._now(), generation, self._prefix + shard),
        )

    def _open(self, generation: str, shard: str, begun: Mapping[str, int]) -> int:
        """Make the row of a generation and close the former one, in a transaction."""
        stored = self._prefix + shard
        with self._database.transaction():
            rows = self._database.query(
                f"SELECT generation, recorded, fence FROM {self._table} WHERE shard = %s "
                "ORDER BY ts_updated DESC, recorded DESC FOR UPDATE",
                (stored,),
            )
            known = {_text(name): int(recorded) for name, recorded, _ in rows}
            if generation in known:
                return known[generation]
            former = next((int(recorded) for _, recorded, fence in rows if int(fence) < _CLOSED), 0)
            # A generation without a row came and went without anything being recorded; it may have gone back further.
            passed = {name: offset for name, offset in begun.items() if name not in known and name != generation}
            recorded = min(former, begun.get(generation, 0), *passed.values())
            self._database.execute(
                f"UPDATE {self._table} SET fence = %s WHERE shard = %s AND fence < %s", (_CLOSED, stored, _CLOSED)
            )
            for name, fence in [*((name, _CLOSED) for name in passed), (generation, 0)]:
                self._database.execute(
                    f"INSERT INTO {self._table} (generation, shard, recorded, fence, ts_updated) "
                    "VALUES (%s, %s, %s, %s, %s)",
                    (name, stored, recorded, fence, self._now()),
                )
        return recorded

    def _now(self) -> str:
        return self._clock.now().strftime("%Y-%m-%d %H:%M:%S")


def _text(value: str | bytes | bytearray) -> str:
    return value if isinstance(value, str) else bytes(value).decode()
