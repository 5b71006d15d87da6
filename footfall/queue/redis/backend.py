"""The queue in Redis: a list per shard, and RQ jobs that drain them."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import uuid4

from redis import Redis
from redis.client import Pipeline
from rq import Queue, SimpleWorker, Worker
from rq.command import send_shutdown_command
from rq.utils import utcparse

from footfall import changes
from footfall.queue.backend import Head, Held, Load, Stand, WorkerSeen
from footfall.queue.lanes import LANES, LIVE, Lane, lane_of
from footfall.queue.layouts import known_shards
from footfall.queue.redis import keys
from footfall.queue.redis.atomic import atomically
from footfall.queue.redis.board import RedisBoard
from footfall.queue.redis.connection import connect, explaining
from footfall.queue.redis.drains import RedisDrains
from footfall.queue.redis.pushing import RedisPusher
from footfall.queue.redis.scripts import ENSURE_GENERATION, READ_HEAD, READ_SLICE, TRIM
from footfall.settings import Settings

_STOP_SECONDS = 10.0  # a worker that was killed stays listed for a minute: it is not waited for longer
_ANSWER_SECONDS = 10.0


class RedisBackend:
    """See Backend of footfall/queue/backend.py.

    Args:
        redis: the client; default, a new one for REDIS_URL.
        answer_seconds: how long an answer may take.
    """

    kind = "redis"
    place = ""
    spooled = True

    def __init__(
        self, settings: Settings, redis: Redis | None = None, *, answer_seconds: float = _ANSWER_SECONDS
    ) -> None:
        self.url = settings.redis_url
        self.redis = redis if redis is not None else connect(self.url, answer_seconds)
        self.board = RedisBoard(self.redis, self.url)
        self.drains = RedisDrains(self.redis, self.url, settings.queue_drain_seconds, settings.queue_sweep_seconds)
        self._shard_count = settings.queue_shards
        self._read_head = self.redis.register_script(READ_HEAD)
        self._read_slice = self.redis.register_script(READ_SLICE)
        self._trim = self.redis.register_script(TRIM)

    def pusher(self, lane: Lane = LIVE, *, follow: bool = False) -> RedisPusher:
        """A pusher for the lane."""
        return RedisPusher(self.redis, self.url, self._shard_count, lane, follow=follow)

    @explaining
    def latest(self, producer: str) -> int:
        """The number of the producer's last flush that was pushed."""
        return int(cast(bytes | None, self.redis.get(keys.flushed(producer))) or 0)

    @explaining
    def forget_producers(self, producers: Sequence[str]) -> None:
        """Forget the numbers of these producers' flushes."""
        if producers:
            self.redis.delete(*map(keys.flushed, producers))

    # Out

    @explaining
    def begin(self, lane: Lane = LIVE) -> str:
        """The generation; a new one when the server was started, or emptied, since the last look."""
        script = self.redis.register_script(ENSURE_GENERATION)
        names = [keys.generation(lane), keys.run(lane), keys.layouts(lane)]
        return str(script(keys=names, args=list(keys.shard_prefixes(lane))).decode())

    @explaining
    def read(self, shard: str, limit: int, byte_limit: int) -> Head:
        """The first records of the shard."""
        lane = lane_of(shard)
        names = [
            *(keys.requests(shard), keys.trimmed(shard), keys.begun(shard)),
            *(keys.generation(lane), keys.first_generation(lane), keys.value(changes.NAME)),
        ]
        while True:
            generation, first, trimmed, depth, change, begun, records = self._read_head(
                keys=names, args=[limit, byte_limit]
            )
            if generation:
                offsets = {name.decode(): int(offset) for name, offset in zip(begun[::2], begun[1::2], strict=True)}
                if first:
                    offsets.setdefault(first.decode(), 0)
                return Head(generation.decode(), int(trimmed or 0), depth, records, change, offsets)
            name = uuid4().hex
            if self.redis.set(keys.generation(lane), name, nx=True):
                self.redis.set(keys.first_generation(lane), name)

    @explaining
    def slice(self, shard: str, offset: int, limit: int) -> tuple[int, list[bytes]]:
        """Records of the shard from an offset on."""
        first, records = self._read_slice(keys=[keys.requests(shard), keys.trimmed(shard)], args=[offset, limit])
        return int(first), records

    @explaining
    def trim(
        self, shard: str, generation: str, trimmed: int, count: int, counts: Mapping[str, int] | None = None
    ) -> bool:
        """Remove `count` records from the head, only if nothing was removed since `trimmed` was read."""
        arguments: list[str | int] = [generation, trimmed, count]
        for name, increment in (counts or {}).items():
            arguments += (name, increment)
        names = [keys.requests(shard), keys.trimmed(shard), keys.generation(lane_of(shard)), keys.COUNTERS]
        return bool(self._trim(keys=names, args=arguments))

    @explaining
    def forget_generations(self, shard: str, generations: set[str]) -> None:
        """Forget where these generations began."""
        if generations:
            self.redis.hdel(keys.begun(shard), *generations)

    # Leases

    @explaining
    def take_lease(self, shard: str, holder: str, seconds: float) -> int | None:
        """Take the lease; its fencing number."""

        def take(pipeline: Pipeline) -> int | None:
            if pipeline.exists(keys.lease(shard)):
                return None
            fence = int(pipeline.get(keys.fence(shard)) or 0) + 1
            pipeline.multi()
            pipeline.set(keys.fence(shard), fence)
            pipeline.set(keys.lease(shard), _value(Held(holder, fence)), px=int(seconds * 1000))
            return fence

        return atomically(self.redis, take, keys.lease(shard), keys.fence(shard))

    @explaining
    def keep_lease(self, shard: str, held: Held, seconds: float) -> bool:
        """Hold it for so long from now on."""

        def keep(pipeline: Pipeline) -> bool:
            is_held = pipeline.get(keys.lease(shard)) == _value(held)
            pipeline.multi()
            if is_held:
                pipeline.pexpire(keys.lease(shard), int(seconds * 1000))
            return is_held

        return atomically(self.redis, keep, keys.lease(shard))

    @explaining
    def drop_lease(self, shard: str, held: Held) -> None:
        """Give it back."""

        def drop(pipeline: Pipeline) -> None:
            is_held = pipeline.get(keys.lease(shard)) == _value(held)
            pipeline.multi()
            if is_held:
                pipeline.delete(keys.lease(shard))

        atomically(self.redis, drop, keys.lease(shard))

    @explaining
    def leases(self, shards: Sequence[str]) -> dict[str, Held]:
        """The leases on these shards."""
        if not shards:
            return {}
        values = cast(list[bytes | None], self.redis.mget([keys.lease(shard) for shard in shards]))
        return {shard: _held(value) for shard, value in zip(shards, values, strict=True) if value}

    # How it stands

    @explaining
    def layouts(self, lane: Lane = LIVE) -> list[int]:
        """The shard counts whose lists may hold requests, the earliest first."""
        with self.redis.pipeline(transaction=True) as pipeline:
            pipeline.smembers(keys.layouts(lane))
            pipeline.lrange(keys.layout_order(lane), 0, -1)
            members, order = cast(tuple[set[bytes], list[bytes]], pipeline.execute())
        ordered = [int(count) for count in order] or ([self._shard_count] if lane == LIVE else [])
        # What is registered and has no place in the order was pushed by a version that knew none.
        return [*sorted({int(count) for count in members} - set(ordered)), *ordered]

    @explaining
    def depths(self, shards: Sequence[str]) -> dict[str, int]:
        """How many requests each of the shards holds."""
        with self.redis.pipeline(transaction=False) as pipeline:
            for shard in shards:
                pipeline.llen(keys.requests(shard))
            return dict(zip(shards, pipeline.execute(), strict=True))

    @explaining
    def stands(self, shards: Sequence[str]) -> list[Stand]:
        """How these shards stand."""
        with self.redis.pipeline(transaction=True) as pipeline:
            for shard in shards:
                pipeline.llen(keys.requests(shard))
                pipeline.lindex(keys.requests(shard), 0)
                pipeline.get(keys.trimmed(shard))
            answers = pipeline.execute()
        columns = zip(shards, answers[::3], answers[1::3], answers[2::3], strict=True)
        return [Stand(shard, depth, first, int(trimmed or 0)) for shard, depth, first, trimmed in columns]

    @explaining
    def load(self, lane: Lane = LIVE) -> Load:
        """What lies in the lane, its bytes estimated by Redis from a sample, and how much of maxmemory is in use."""
        shards = known_shards(self, lane)
        with self.redis.pipeline(transaction=False) as pipeline:
            for shard in shards:
                pipeline.llen(keys.requests(shard))
                pipeline.memory_usage(keys.requests(shard))
            pipeline.info("memory")
            *answers, memory = pipeline.execute()
        most = int(memory.get("maxmemory") or 0)
        used = int(memory.get("used_memory") or 0)
        share = used / most if most else 0.0
        return Load(sum(answers[::2]), sum(size or 0 for size in answers[1::2]), share, "Redis's memory (maxmemory)")

    @explaining
    def workers(self) -> list[WorkerSeen]:
        """The workers that RQ has heard of lately; two round trips."""
        keys_of_all = sorted(SimpleWorker.all_keys(connection=self.redis))
        with self.redis.pipeline(transaction=False) as pipeline:
            for key in keys_of_all:
                pipeline.hmget(key, "birth", "state", "last_heartbeat")
            answers = cast(list[list[bytes | None]], pipeline.execute())
        prefix = SimpleWorker.redis_worker_namespace_prefix
        # What is known of one that was killed expires; its name stays for a while.
        return [
            WorkerSeen(
                key.removeprefix(prefix),
                (state or b"started").decode(),
                utcparse(seen.decode()).timestamp() if seen else 0.0,
            )
            for key, (birth, state, seen) in zip(keys_of_all, answers, strict=True)
            if birth is not None
        ]

    @explaining
    def forget_worker(self, name: str) -> None:
        """Take a worker that died without saying so from RQ's list."""
        for worker in SimpleWorker.all(connection=self.redis):
            if worker.name == name:
                worker.register_death()

    @explaining
    def ping(self) -> None:
        """Nothing, if Redis answers."""
        self.redis.ping()

    @explaining
    def info(self) -> dict[str, Any]:
        """What Redis says about itself."""
        return self.redis.info()

    def disconnect(self) -> None:
        """Close the connections; the next use opens new ones."""
        self.redis.connection_pool.disconnect()

    @explaining
    def empty(self) -> None:
        """Forget everything.

        First the waiting requests go. Then the running workers are told to end, as they keep ids of rows in mind that
        are about to vanish; their pool replaces them. Once the last has finished the batch in its hands, the rest goes.
        """
        jobs = Queue(keys.drain_queue(), connection=self.redis)
        for lane in LANES:
            Queue(keys.drain_queue(lane), connection=self.redis).empty()
        self._delete(keys.requests("*"))
        workers = {worker.name for worker in Worker.all(queue=jobs)}
        for name in workers:
            send_shutdown_command(self.redis, name)
        end = time.monotonic() + _STOP_SECONDS
        while workers & {worker.name for worker in Worker.all(queue=jobs)} and time.monotonic() < end:
            time.sleep(0.05)
        self._delete(f"{keys.PREFIX}*")

    def _delete(self, pattern: str) -> None:
        for key in self.redis.scan_iter(pattern, count=1000):
            self.redis.delete(key)


def _value(held: Held) -> bytes:
    return f"{held.fence} {held.holder}".encode()


def _held(value: bytes) -> Held:
    fence, _, holder = value.decode().partition(" ")
    return Held(holder, int(fence))
