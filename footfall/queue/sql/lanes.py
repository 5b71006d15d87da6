"""The rows of lanes: the generation of the data, and the layouts in the order in which they came into use."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from footfall.queue.lanes import Lane
from footfall.queue.shards import layout
from footfall.queue.sql.store import Store


@dataclass(frozen=True)
class LaneRow:
    """A lane.

    Args:
        generation: the name of the life of its data.
        layouts: the shard counts, the one in use last.
    """

    generation: str
    layouts: tuple[int, ...]


class LaneRows:
    """The lanes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lanes = store.table("lane")
        self._shards = store.table("shard")
        self._tails = store.table("tail")

    def read(self, lane: Lane) -> LaneRow | None:
        """The lane as it is; None before anything was pushed or drained, and when its data may have gone back."""
        rows = self._store.query(f"SELECT generation, run, layouts FROM {self._lanes} WHERE lane = %s", (lane.name,))
        return self._of(rows)

    def lock(self, lane: Lane) -> LaneRow:
        """The lane, which nobody else pushes into until the transaction ends; a new generation begins if need be."""
        rows = self._store.query(
            f"SELECT generation, run, layouts FROM {self._lanes} WHERE lane = %s{self._store.for_update}", (lane.name,)
        )
        if (row := self._of(rows)) is not None:
            return row
        if not rows:
            self._store.execute(
                f"{self._store.insert_new} {self._lanes} (lane, generation, run, layouts) VALUES (%s, '', '', '')",
                (lane.name,),
            )
            return self.lock(lane)
        return self._begin(lane, str(rows[0][2]))

    def _of(self, rows: Sequence[tuple[str, str, str]]) -> LaneRow | None:
        for generation, run, layouts in rows:
            if generation and run == self._store.run():
                return LaneRow(str(generation), _counts(layouts))
        return None

    def _begin(self, lane: Lane, layouts: str) -> LaneRow:
        """Begin a generation: what the shards hold at this moment was pushed before."""
        generation = uuid4().hex
        ends = self._store.query(
            f"SELECT t.shard, t.ended FROM {self._tails} t "
            f"JOIN {self._shards} s ON s.shard = t.shard WHERE s.lane = %s",
            (lane.name,),
        )
        for shard, ended in ends:
            self._store.execute(
                f"INSERT INTO {self._store.table('value')} (collection, name, value) VALUES (%s, %s, %s)",
                (begun(shard), generation, b"%d" % ended),
            )
        self._store.execute(
            f"UPDATE {self._lanes} SET generation = %s, run = %s WHERE lane = %s",
            (generation, self._store.run(), lane.name),
        )
        return LaneRow(generation, _counts(layouts))

    def use(self, lane: Lane, row: LaneRow, count: int) -> None:
        """Bring a layout into use; the lane is locked."""
        counts = [*(known for known in row.layouts if known != count), count]
        self._store.execute(
            f"UPDATE {self._lanes} SET layouts = %s WHERE lane = %s", (" ".join(map(str, counts)), lane.name)
        )
        for shard in layout(count, lane):
            self._store.execute(
                f"{self._store.insert_new} {self._shards} (shard, lane) VALUES (%s, %s)", (shard, lane.name)
            )
            self._store.execute(f"{self._store.insert_new} {self._tails} (shard) VALUES (%s)", (shard,))


def begun(shard: str) -> str:
    """The collection of values that say where each generation began in the shard."""
    return f"begun:{shard}"


def _counts(layouts: str) -> tuple[int, ...]:
    return tuple(map(int, str(layouts).split()))
