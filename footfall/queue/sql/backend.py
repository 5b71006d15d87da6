"""The queue in tables: files (SQLite) and MySQL. Workers look for work themselves."""

import json
import time
from collections.abc import Mapping, Sequence
from uuid import uuid4

import msgspec

from footfall import changes
from footfall.errors import QueueUnavailable
from footfall.queue.backend import Head, Held, Load, Stand, WorkerSeen
from footfall.queue.lanes import LANES, LIVE, Lane, lane_of
from footfall.queue.shards import layout_of
from footfall.queue.sql.board import SqlBoard
from footfall.queue.sql.drains import SqlDrains
from footfall.queue.sql.lanes import LaneRows, begun
from footfall.queue.sql.pusher import CHUNK_REQUESTS, SqlPusher
from footfall.queue.sql.store import PLACE, Store

_TABLES = ("chunk", "shard", "tail", "lane", "flushed", "count", "job")
_WORKERS = "workers"
_RESTART = "restart"
_WORKER_SECONDS = 60.0
_TRIES = 100  # to read what others change meanwhile
_STOP_SECONDS = 10.0
_DECODER = msgspec.msgpack.Decoder(list[bytes])


class SqlBackend:
    """See Backend of footfall/queue/backend.py.

    Args:
        kind: `files` or `mysql`.
        shard_count: QUEUE_SHARDS.
        spooled: see Backend.
    """

    def __init__(self, store: Store, kind: str, shard_count: int, *, spooled: bool) -> None:
        self._store = store
        self._shard_count = shard_count
        self._lanes = LaneRows(store)
        self.kind = kind
        self.spooled = spooled
        self.board = SqlBoard(store)
        self.drains = SqlDrains(store)

    @property
    def place(self) -> str:
        """See Backend."""
        return self._store.place

    def pusher(self, lane: Lane = LIVE, *, follow: bool = False) -> SqlPusher:
        """A pusher for the lane."""
        return SqlPusher(self._store, self._shard_count, lane, follow=follow)

    def latest(self, producer: str) -> int:
        """The number of the producer's last flush that was pushed."""
        rows = self._store.query(
            f"SELECT sequence FROM {self._store.table('flushed')} WHERE producer = %s", (producer,)
        )
        return int(rows[0][0]) if rows else 0

    def forget_producers(self, producers: Sequence[str]) -> None:
        """Forget the numbers of these producers' flushes."""
        if producers:
            marks = ", ".join(["%s"] * len(producers))
            self._store.execute(
                f"DELETE FROM {self._store.table('flushed')} WHERE producer IN ({marks})", list(producers)
            )

    # Out

    def begin(self, lane: Lane = LIVE) -> str:
        """The generation; a new one when the data may have gone back since the last look."""
        if (row := self._lanes.read(lane)) is not None:
            return row.generation

        def begin() -> str:
            with self._store.transaction():
                return self._lanes.lock(lane).generation

        return self._store.retrying(begin)

    def read(self, shard: str, limit: int, byte_limit: int) -> Head:
        """The first records of the shard."""
        for _ in range(_TRIES):
            generation = self.begin(lane_of(shard))
            change, began = self._notes(shard)
            trimmed, ended = self._ends(shard)
            records = self._records(shard, trimmed, limit, byte_limit) if ended > trimmed else []
            if records or ended == trimmed:
                return Head(generation, trimmed, max(ended - trimmed, len(records)), records, change, began)
            # Another drain trimmed in between.
        raise self._gap(shard)

    def slice(self, shard: str, offset: int, limit: int) -> tuple[int, list[bytes]]:
        """Records of the shard from an offset on."""
        for _ in range(_TRIES):
            trimmed, ended = self._ends(shard)
            first = max(offset, trimmed)
            records = self._records(shard, first, limit, None) if ended > first else []
            if records or ended <= first:
                return first, records
        raise self._gap(shard)

    def trim(
        self, shard: str, generation: str, trimmed: int, count: int, counts: Mapping[str, int] | None = None
    ) -> bool:
        """Remove `count` records from the head, only if nothing was removed since `trimmed` was read."""

        def trim() -> bool:
            with self._store.transaction():
                row = self._lanes.read(lane_of(shard))
                rows = self._store.query(
                    f"SELECT trimmed FROM {self._store.table('shard')} WHERE shard = %s{self._store.for_update}",
                    (shard,),
                )
                if row is None or row.generation != generation or not rows or int(rows[0][0]) != trimmed:
                    return False
                self._remove(shard, trimmed + count)
                self.board.count(counts or {})
                return True

        return self._store.retrying(trim)

    def forget_generations(self, shard: str, generations: set[str]) -> None:
        """Forget where these generations began."""
        for generation in generations:
            self.board.put_field(begun(shard), generation, None)

    def _gap(self, shard: str) -> QueueUnavailable:
        return QueueUnavailable(
            f"Requests of shard {shard} are missing in the queue's tables: something else has changed "
            "footfall_queue_chunk. Restore it; or, if they are lost, set `trimmed` in footfall_queue_shard to the "
            "smallest `begins` of that shard's rows there."
        )

    def _remove(self, shard: str, upto: int) -> None:
        chunks = self._store.table("chunk")
        where = "shard = %s AND begins < %s AND begins + requests <= %s"
        size = self._store.query(f"SELECT SUM(bytes) FROM {chunks} WHERE {where}", (shard, upto, upto))[0][0]
        self._store.execute(f"DELETE FROM {chunks} WHERE {where}", (shard, upto, upto))
        self._store.execute(
            f"UPDATE {self._store.table('shard')} SET trimmed = %s, removed = removed + %s WHERE shard = %s",
            (upto, int(size or 0), shard),
        )

    def _notes(self, shard: str) -> tuple[bytes | None, dict[str, int]]:
        """The latest change, and where each generation began in the shard."""
        rows = self._store.query(
            f"SELECT collection, name, value FROM {self._store.table('value')} "
            "WHERE (collection = '' AND name = %s) OR collection = %s",
            (changes.NAME, begun(shard)),
        )
        change = next((bytes(value) for collection, _, value in rows if not collection), None)
        return change, {str(name): int(bytes(value)) for collection, name, value in rows if collection}

    def _ends(self, shard: str) -> tuple[int, int]:
        """How many records were ever removed from the shard, and how many were ever pushed into it."""
        rows = self._store.query(
            f"SELECT s.trimmed, t.ended FROM {self._store.table('shard')} s JOIN {self._store.table('tail')} t "
            "ON t.shard = s.shard WHERE s.shard = %s",
            (shard,),
        )
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def _records(self, shard: str, offset: int, limit: int, byte_limit: int | None) -> list[bytes]:
        """Records from an offset on; none when they are gone by now."""
        chunks = self._store.table("chunk")
        known = self._store.query(
            f"SELECT begins, requests, bytes FROM {chunks} "
            "WHERE shard = %s AND begins > %s AND begins < %s ORDER BY begins",
            (shard, offset - CHUNK_REQUESTS, offset + limit),
        )
        wanted = [(begins, size) for begins, requests, size in known if begins + requests > offset]
        if not wanted or wanted[0][0] > offset:
            return []
        last, total = wanted[0][0], 0
        for begins, size in wanted:
            if byte_limit is not None and total > byte_limit:
                break
            last, total = begins, total + size
        rows = self._store.query(
            f"SELECT begins, records FROM {chunks} WHERE shard = %s AND begins BETWEEN %s AND %s ORDER BY begins",
            (shard, wanted[0][0], last),
        )
        found: list[bytes] = []
        for begins, data in rows:
            if begins > offset + len(found):
                break
            found += _DECODER.decode(data)[max(0, offset - begins) :]
        return _within(found[:limit], byte_limit)

    # Leases

    def take_lease(self, shard: str, holder: str, seconds: float) -> int | None:
        """Take the lease; its fencing number."""
        shards, now = self._store.table("shard"), self._store.now

        def take() -> int | None:
            with self._store.transaction():
                rows = self._store.query(
                    f"SELECT fence, leased_until > {now} FROM {shards} WHERE shard = %s{self._store.for_update}",
                    (shard,),
                )
                if not rows or rows[0][1]:
                    return None
                fence = int(rows[0][0]) + 1
                self._store.execute(
                    f"UPDATE {shards} SET fence = %s, holder = %s, leased_at = {now}, leased_until = {now} + %s "
                    "WHERE shard = %s",
                    (fence, holder, seconds, shard),
                )
                return fence

        return self._store.retrying(take)

    def keep_lease(self, shard: str, held: Held, seconds: float) -> bool:
        """Hold it for so long from now on."""
        return self._change_lease(shard, held, f"{self._store.now} + %s", seconds)

    def drop_lease(self, shard: str, held: Held) -> None:
        """Give it back."""
        self._change_lease(shard, held, "%s", 0.0)

    def _change_lease(self, shard: str, held: Held, until: str, seconds: float) -> bool:
        shards = self._store.table("shard")

        def change() -> bool:
            return bool(
                self._store.execute(
                    f"UPDATE {shards} SET leased_until = {until} "
                    f"WHERE shard = %s AND fence = %s AND holder = %s AND leased_until > {self._store.now}",
                    (seconds, shard, held.fence, held.holder),
                )
            )

        return self._store.retrying(change)

    def leases(self, shards: Sequence[str]) -> dict[str, Held]:
        """The leases on these shards."""
        rows = self._store.query(
            f"SELECT shard, holder, fence FROM {self._store.table('shard')} WHERE leased_until > {self._store.now}"
        )
        wanted = set(shards)
        return {str(shard): Held(str(holder), int(fence)) for shard, holder, fence in rows if shard in wanted}

    # How it stands

    def layouts(self, lane: Lane = LIVE) -> list[int]:
        """The shard counts whose shards may hold requests."""
        rows = self._store.query(f"SELECT layouts FROM {self._store.table('lane')} WHERE lane = %s", (lane.name,))
        counts = [int(count) for (layouts,) in rows for count in str(layouts).split()]
        return counts or ([self._shard_count] if lane == LIVE else [])

    def depths(self, shards: Sequence[str]) -> dict[str, int]:
        """How many requests each of the shards holds."""
        known = self._known()
        return {shard: ended - trimmed for shard in shards for trimmed, ended in [known.get(shard, (0, 0))]}

    def stands(self, shards: Sequence[str]) -> list[Stand]:
        """How these shards stand."""
        known, stands = self._known(), []
        for shard in shards:
            trimmed, ended = known.get(shard, (0, 0))
            first = self._records(shard, trimmed, 1, None) if ended > trimmed else []
            stands.append(Stand(shard, ended - trimmed, first[0] if first else None, trimmed))
        return stands

    def _known(self) -> dict[str, tuple[int, int]]:
        """How many records were ever removed from each shard, and how many were ever pushed into it."""
        rows = self._store.query(
            f"SELECT s.shard, s.trimmed, t.ended FROM {self._store.table('shard')} s "
            f"JOIN {self._store.table('tail')} t ON t.shard = s.shard"
        )
        return {str(shard): (int(trimmed), int(ended)) for shard, trimmed, ended in rows}

    def load(self, lane: Lane = LIVE) -> Load:
        """What lies in the lane, and how full the store is."""
        rows = self._store.query(
            f"SELECT SUM(t.ended - s.trimmed), SUM(t.bytes - s.removed) FROM {self._store.table('shard')} s "
            f"JOIN {self._store.table('tail')} t ON t.shard = s.shard WHERE s.lane = %s",
            (lane.name,),
        )
        requests, size = rows[0]
        return self._store.fill(Load(int(requests or 0), int(size or 0)))

    def workers(self) -> list[WorkerSeen]:
        """The workers that were heard of within the last minute."""
        seen = ((name, json.loads(value)) for name, value in self.board.fields(_WORKERS).items())
        return [WorkerSeen(name, state, float(seen_at)) for name, (state, seen_at) in seen]

    def forget_worker(self, name: str) -> None:
        """Take a worker from the list."""
        self.board.put_field(_WORKERS, name, None)

    def ping(self) -> None:
        """Nothing, if the tables are there."""
        self._store.query(f"SELECT 1 FROM {self._store.table('lane')} LIMIT 1")

    def disconnect(self) -> None:
        """Close the connection."""
        self._store.close()

    def empty(self) -> None:
        """Forget everything; first the waiting requests, then, once the workers have ended, the rest."""

        def forget_requests() -> None:
            with self._store.transaction():
                self._store.execute(f"DELETE FROM {self._store.table('chunk')}")
                self._store.execute(f"DELETE FROM {self._store.table('job')}")
                for shard, (_, ended) in self._known().items():
                    self._store.execute(
                        f"UPDATE {self._store.table('shard')} SET trimmed = %s WHERE shard = %s", (ended, shard)
                    )

        def forget_all() -> None:
            with self._store.transaction():
                for table in _TABLES:
                    self._store.execute(f"DELETE FROM {self._store.table(table)}")
                self._store.execute(f"DELETE FROM {self._store.table('value')} WHERE collection <> %s", (PLACE,))

        self._store.retrying(forget_requests)
        self.board.put_field("", _RESTART, uuid4().hex.encode())
        workers, end = {worker.name for worker in self.workers()}, time.monotonic() + _STOP_SECONDS
        while workers & {worker.name for worker in self.workers()} and time.monotonic() < end:
            time.sleep(0.05)
        self._store.retrying(forget_all)

    # For workers, who look for work themselves

    def candidates(self) -> list[str]:
        """The shards to drain next: live ones first, earlier layouts before later ones, then as long as they waited."""
        waiting = self.drains.waiting()
        if not waiting:
            return []
        order = {lane: {count: place for place, count in enumerate(self.layouts(lane))} for lane in LANES}

        def rank(one: tuple[str, float]) -> tuple[int, int, float]:
            shard, leased_at = one
            lane = lane_of(shard)
            return LANES.index(lane), order[lane].get(layout_of(shard), 0), leased_at

        return [shard for shard, _ in sorted(waiting, key=rank)]

    def note_worker(self, name: str, state: str) -> None:
        """Say that a worker is alive, and what it does."""
        self.board.put_field(_WORKERS, name, json.dumps([state, time.time()]).encode(), _WORKER_SECONDS)

    def restart(self) -> bytes | None:
        """Changes when all workers are to end, and be started anew."""
        return self.board.get([_RESTART])[0]


def _within(records: list[bytes], byte_limit: int | None) -> list[bytes]:
    """The first records as far as they have that many bytes together; the very first in any case."""
    if byte_limit is None:
        return records
    total = 0
    for count, record in enumerate(records):
        total += len(record)
        if total > byte_limit and count:
            return records[:count]
    return records
