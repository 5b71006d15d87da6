"""Offsets: how many records of a shard are in the log tables (table `footfall_shard`)."""

from footfall.clock import Clock
from footfall.database import Database


class OffsetMoved(Exception):
    """The shard's offset is not what was read: somebody else, or an earlier try of ours, recorded the batch."""


class FencedOff(Exception):
    """A later lease has written: ours was lost without our noticing."""


class Offsets:
    """The offsets of all shards."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._table = database.table("footfall_shard")

    def recorded(self, generation: str, shard: str) -> int:
        """How many records of the shard were ever recorded; 0 for a new one, whose row is made."""
        for _ in range(2):
            rows = self._database.query(
                f"SELECT recorded FROM {self._table} WHERE generation = %s AND shard = %s", (generation, shard)
            )
            if rows:
                return int(rows[0][0])
            self._database.execute(
                f"INSERT IGNORE INTO {self._table} (generation, shard, ts_updated) VALUES (%s, %s, %s)",
                (generation, shard, self._now()),
            )
        return 0

    def advance(self, generation: str, shard: str, fence: int, *, seen: int, to: int) -> None:
        """Lock the shard's row, check it, and set what is recorded; part of the transaction that writes the rows.

        Args:
            fence: the fencing number of the lease that the batch was read under.
            seen: what `recorded` returned.
            to: how many records are recorded once the transaction is committed.

        Raises:
            OffsetMoved: the row has another offset, or is gone.
            FencedOff: a later lease has written.
        """
        rows = self._database.query(
            f"SELECT recorded, fence FROM {self._table} WHERE generation = %s AND shard = %s FOR UPDATE",
            (generation, shard),
        )
        if rows and rows[0][1] > fence:
            raise FencedOff(f"A later lease has written to shard {shard}")
        if not rows or rows[0][0] != seen:
            raise OffsetMoved(f"Shard {shard} is not at {seen} any more")
        self._database.execute(
            f"UPDATE {self._table} SET recorded = %s, fence = %s, ts_updated = %s WHERE generation = %s AND shard = %s",
            (to, fence, self._now(), generation, shard),
        )

    def _now(self) -> str:
        return self._clock.now().strftime("%Y-%m-%d %H:%M:%S")
