"""Pushing flushes into tables: one transaction each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from footfall.metrics.declared import ACCEPTED
from footfall.queue.flush import Flush
from footfall.queue.lanes import Lane
from footfall.queue.layouts import LayoutChoice, spread
from footfall.queue.shards import layout
from footfall.queue.sql.board import SqlBoard
from footfall.queue.sql.lanes import LaneRow, LaneRows
from footfall.queue.sql.store import Store

CHUNK_REQUESTS = 1000
"""The most records of a row."""

_CHUNK_BYTES = 1024 * 1024
_ROW_BYTES = 200  # what a row takes in a statement beside its records
_REMEMBERED_SECONDS = 30 * 86_400
_ENCODER = msgspec.msgpack.Encoder()


class SqlPusher:
    """See LanePusher of footfall/queue/backend.py.

    Who pushes holds the lane's row, so pushes into one lane follow each other, and their records get offsets without
    gaps in the order of the commits. Ends of shards lie in rows of their own, which drains do not lock.

    Args:
        shard_count: QUEUE_SHARDS.
    """

    def __init__(self, store: Store, shard_count: int, lane: Lane, *, follow: bool) -> None:
        self._store = store
        self._lane = lane
        self._lanes = LaneRows(store)
        self._board = SqlBoard(store)
        self._choice = LayoutChoice(shard_count, follow=follow)
        self._tidied = False

    def push(self, flush: Flush) -> list[str]:
        """Push the flush; nobody has to ask for drains."""
        return self.push_all([flush])

    def push_all(self, flushes: Sequence[Flush]) -> list[str]:
        """Push several in one transaction, which takes little longer than one."""
        self._tidy()
        while True:
            count, activate = self._choice.next()
            in_use = self._store.retrying(partial(self._push, flushes, count, activate))
            if in_use == count:
                self._choice.pushed(count)
                return []
            if not in_use:
                return []
            self._choice.refused(count, in_use)

    def _push(self, flushes: Sequence[Flush], count: int, activate: bool) -> int:
        """Try once; the layout in use, which is another one when nothing was pushed, or 0 if it was pushed before."""
        with self._store.transaction():
            row = self._lanes.lock(self._lane)
            new = self._new_of(flushes)
            if not new:
                return 0
            active = row.layouts[-1] if row.layouts else None
            if active != count:
                if active is not None and (not activate or self._holds(row, count)):
                    return active
                self._lanes.use(self._lane, row, count)
            gathered: dict[str, list[bytes]] = {}
            counts: Counter[str] = Counter()
            for flush in new:
                for shard, records in spread(flush, count, self._lane).items():
                    gathered.setdefault(shard, []).extend(records)
                counts.update(flush.counts)
                counts[ACCEPTED.field()] += len(flush.records)
            self._append(gathered)
            self._remember({flush.producer: flush.sequence for flush in new})
            self._board.count(+counts)
        return count

    def _new_of(self, flushes: Sequence[Flush]) -> list[Flush]:
        """Those of the flushes that were not pushed before."""
        producers = {flush.producer for flush in flushes}
        marks = ", ".join(["%s"] * len(producers))
        rows = self._store.query(
            f"SELECT producer, sequence FROM {self._store.table('flushed')} WHERE producer IN ({marks})",
            list(producers),
        )
        latest = {str(producer): int(sequence) for producer, sequence in rows}
        new = []
        for flush in flushes:
            if flush.sequence > latest.get(flush.producer, 0):
                new.append(flush)
                latest[flush.producer] = flush.sequence
        return new

    def _remember(self, latest: dict[str, int]) -> None:
        rows = ", ".join([f"(%s, %s, {self._store.now})"] * len(latest))
        self._store.execute(
            f"INSERT INTO {self._store.table('flushed')} (producer, sequence, flushed_at) VALUES {rows} "
            + self._store.upsert("flushed", "producer", ("sequence", "flushed_at")),
            [part for pair in latest.items() for part in pair],
        )

    def _holds(self, row: LaneRow, count: int) -> bool:
        """Whether requests lie in a layout that was in use before."""
        if count not in row.layouts:
            return False
        shards = layout(count, self._lane)
        marks = ", ".join(["%s"] * len(shards))
        return bool(
            self._store.query(
                f"SELECT 1 FROM {self._store.table('shard')} s JOIN {self._store.table('tail')} t "
                f"ON t.shard = s.shard WHERE s.shard IN ({marks}) AND t.ended > s.trimmed LIMIT 1",
                shards,
            )
        )

    def _append(self, gathered: dict[str, list[bytes]]) -> None:
        if not gathered:
            return
        shards, tails = sorted(gathered), self._store.table("tail")
        marks = ", ".join(["%s"] * len(shards))
        rows = self._store.query(f"SELECT shard, ended FROM {tails} WHERE shard IN ({marks})", shards)
        ends = {str(shard): int(ended) for shard, ended in rows}
        waiting: list[object] = []
        grown: list[object] = []
        size = 0
        for shard in shards:
            offset, added = ends[shard], 0
            for records in _chunks(gathered[shard]):
                data = _ENCODER.encode(records)
                if waiting and size + len(data) + _ROW_BYTES > self._store.statement_bytes:
                    self._insert(waiting)
                    waiting, size = [], 0
                waiting += (shard, offset, len(records), len(data), data)
                size += len(data) + _ROW_BYTES
                offset += len(records)
                added += len(data)
            grown += (shard, offset - ends[shard], added)
        self._insert(waiting)
        self._store.execute(
            f"INSERT INTO {tails} (shard, ended, bytes) VALUES {', '.join(['(%s, %s, %s)'] * len(shards))} "
            + self._store.upsert("tail", "shard", ("ended", "bytes"), adding=True),
            grown,
        )

    def _insert(self, values: list[object]) -> None:
        rows = ", ".join(["(%s, %s, %s, %s, %s)"] * (len(values) // 5))
        self._store.execute(
            f"INSERT INTO {self._store.table('chunk')} (shard, begins, requests, bytes, records) VALUES {rows}", values
        )

    def _tidy(self) -> None:
        """Forget flushes of long ago, once in the life of a pusher."""
        if not self._tidied:
            self._store.execute(
                f"DELETE FROM {self._store.table('flushed')} WHERE flushed_at < {self._store.now} - %s",
                (_REMEMBERED_SECONDS,),
            )
            self._tidied = True


def _chunks(records: list[bytes]) -> Iterator[list[bytes]]:
    """The records in the portions that are rows."""
    chunk: list[bytes] = []
    size = 0
    for record in records:
        if chunk and (len(chunk) == CHUNK_REQUESTS or size + len(record) > _CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += len(record)
    if chunk:
        yield chunk
