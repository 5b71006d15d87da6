"""Pushing flushes into Redis lists: one call of a script, made here, carried out by a client of either kind."""

from collections.abc import Sequence
from dataclasses import dataclass

import redis
import redis.asyncio

from footfall.metrics.declared import ACCEPTED
from footfall.queue.flush import Flush
from footfall.queue.lanes import Lane
from footfall.queue.layouts import LayoutChoice, spread
from footfall.queue.redis import keys
from footfall.queue.redis.connection import explain
from footfall.queue.redis.scripts import PUSH

_REMEMBERED_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class _Call:
    """What the script PUSH is called with.

    Args:
        shards: those that records go to, in the order of their lists in `keys`.
        pushed: how many go to each.
        layout: the number of shards that the records are spread over.
    """

    keys: list[str]
    arguments: list[str | int | bytes]
    shards: list[str]
    pushed: list[int]
    layout: int


class _Calls:
    """Makes calls, and learns from their answers which layout is in use. For one thread."""

    def __init__(self, shard_count: int, lane: Lane, *, follow: bool) -> None:
        self._lane = lane
        self._lane_keys = (keys.generation(lane), keys.run(lane), keys.layouts(lane), keys.layout_order(lane))
        self._prefixes = keys.shard_prefixes(lane)
        self._choice = LayoutChoice(shard_count, follow=follow)

    def call(self, flush: Flush) -> _Call:
        """The call that pushes the flush."""
        count, activate = self._choice.next()
        gathered = spread(flush, count, self._lane)
        counts = flush.counts
        if flush.records:
            counts = {**counts, ACCEPTED.field(): counts.get(ACCEPTED.field(), 0) + len(flush.records)}
        arguments: list[str | int | bytes] = [
            *self._prefixes, count, int(activate), flush.sequence, _REMEMBERED_SECONDS, len(counts)
        ]  # fmt: skip
        for name, increment in counts.items():
            arguments += (name, increment)
        for records in gathered.values():
            arguments.append(len(records))
            arguments += records
        return _Call(
            [*self._lane_keys, keys.COUNTERS, keys.flushed(flush.producer), *map(keys.requests, gathered)],
            arguments,
            list(gathered),
            [len(records) for records in gathered.values()],
            count,
        )

    def understand(self, call: _Call, answer: list[bytes | int]) -> list[str] | None:
        """The shards that were empty before the push; None when another layout is in use: call again."""
        outcome, *values = answer
        if outcome == b"layout":
            self._choice.refused(call.layout, int(values[0]))
            return None
        if outcome == b"pushed":
            self._choice.pushed(call.layout)
        return [
            shard for shard, length, pushed in zip(call.shards, values, call.pushed, strict=False) if length == pushed
        ]


class RedisPusher:
    """Pushes and waits; for a thread or a command.

    Args:
        url: the REDIS_URL of the client, for messages.
        shard_count: QUEUE_SHARDS.
    """

    def __init__(self, client: redis.Redis, url: str, shard_count: int, lane: Lane, *, follow: bool) -> None:
        self._script = client.register_script(PUSH)
        self._url = url
        self._calls = _Calls(shard_count, lane, follow=follow)

    def push(self, flush: Flush) -> list[str]:
        """Push the flush; see LanePusher of footfall/queue/backend.py."""
        try:
            while True:
                call = self._calls.call(flush)
                empty = self._calls.understand(call, self._script(keys=call.keys, args=call.arguments))
                if empty is not None:
                    return empty
        except redis.RedisError as error:
            raise explain(error, self._url) from error

    def push_all(self, flushes: Sequence[Flush]) -> list[str]:
        """Push several: one after the other, since that costs no more."""
        return [shard for flush in flushes for shard in self.push(flush)]


class AsyncRedisPusher:
    """The same on an event loop."""

    def __init__(self, client: redis.asyncio.Redis, url: str, shard_count: int, lane: Lane) -> None:
        self._script = client.register_script(PUSH)
        self._url = url
        self._calls = _Calls(shard_count, lane, follow=False)

    async def push(self, flush: Flush) -> list[str]:
        """Push the flush."""
        try:
            while True:
                call = self._calls.call(flush)
                empty = self._calls.understand(call, await self._script(keys=call.keys, args=call.arguments))
                if empty is not None:
                    return empty
        except redis.RedisError as error:
            raise explain(error, self._url) from error
        except RuntimeError as error:
            # What uvloop says, and redis-py does not know, when the connection broke while nothing was under way.
            raise explain(redis.ConnectionError(str(error)), self._url) from error
