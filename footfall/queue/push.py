"""Pushing tracking request records into their shards, many at a time.

One Redis transaction is under way at any moment; what gathers meanwhile goes with the next one (measured: twice the
throughput of a push per request, and no waiting for a timer when there is little traffic). A transaction is taken by
Redis as a whole or not at all, so every request waiting for it gets the same answer.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable

import redis
import redis.asyncio

from footfall.errors import QueueUnavailable
from footfall.queue import counters, keys
from footfall.queue.connection import explain
from footfall.queue.shards import layout

_log = logging.getLogger(__name__)


class Pusher:
    """Pushes for one event loop.

    Args:
        client: the connection; only this object uses it.
        url: its REDIS_URL, for messages.
        shard_count: QUEUE_SHARDS.
        found_empty: called after a push with the shards whose lists were empty before it; must return at once.
    """

    def __init__(
        self, client: redis.asyncio.Redis, url: str, shard_count: int, found_empty: Callable[[list[str]], None]
    ) -> None:
        self._client = client
        self._url = url
        self._shards = layout(shard_count)
        self._lists = tuple(keys.requests(shard) for shard in self._shards)
        self._found_empty = found_empty
        self._records: dict[int, list[bytes]] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._counts: Counter[str] = Counter()
        self._flushing: asyncio.Task[None] | None = None

    def count(self, counter: str) -> None:
        """Count something (see counters.py); it reaches Redis with the next transaction."""
        self._counts[counter] += 1
        self._start()

    async def push(self, records: Iterable[tuple[int, bytes]]) -> None:
        """Push records; returns once Redis has acknowledged all of them.

        Args:
            records: shard number and record of each.

        Raises:
            QueueUnavailable: Redis did not take them. When the connection broke in between it may have.
        """
        gathered = self._records
        for number, record in records:
            if number in gathered:
                gathered[number].append(record)
            else:
                gathered[number] = [record]
        acknowledged = asyncio.get_running_loop().create_future()
        self._waiting.append(acknowledged)
        self._start()
        await acknowledged

    def _start(self) -> None:
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._waiting or self._counts:
                records, self._records = self._records, {}
                waiting, self._waiting = self._waiting, []
                counts, self._counts = self._counts, Counter()
                try:
                    lengths = await self._send(records, counts)
                except Exception as error:
                    self._counts.update(counts)
                    self._fail(waiting, error)
                    if not self._waiting:
                        return  # the counts wait for the next request, not for Redis in a busy loop
                else:
                    for acknowledged in waiting:
                        if not acknowledged.done():
                            acknowledged.set_result(None)
                    empty = [
                        self._shards[number]
                        for number, length in zip(records, lengths, strict=True)
                        if length == len(records[number])
                    ]
                    if empty:
                        self._found_empty(empty)
        finally:
            self._flushing = None

    async def _send(self, records: dict[int, list[bytes]], counts: Counter[str]) -> list[int]:
        """Run one transaction; the length of each shard's list afterwards."""
        async with self._client.pipeline(transaction=True) as pipeline:
            accepted = 0
            for number, values in records.items():
                pipeline.rpush(self._lists[number], *values)
                accepted += len(values)
            if accepted:
                pipeline.hincrby(keys.COUNTERS, counters.ACCEPTED, accepted)
            for name, count in counts.items():
                pipeline.hincrby(keys.COUNTERS, name, count)
            return (await pipeline.execute())[: len(records)]

    def _fail(self, waiting: list[asyncio.Future[None]], error: Exception) -> None:
        if isinstance(error, redis.RedisError):
            reason = explain(error, self._url)
        else:
            _log.exception("A push failed in an unexpected way")
            reason = QueueUnavailable(f"The queue cannot take requests: {error}")
        for acknowledged in waiting:
            if not acknowledged.done():
                acknowledged.set_exception(reason)
