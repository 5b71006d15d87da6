"""The call that pushes a flush into the shards of the layout in use: made here, carried out by whoever has a client.

Requests are spread over the shards by the layout that Redis says is in use, not by each process's own QUEUE_SHARDS.
Otherwise, while a changed setting reaches one process after the other, a visitor's requests would go to shards of both
layouts in turn, and nobody could tell which came first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import redis

from footfall.metrics.declared import ACCEPTED
from footfall.queue import keys
from footfall.queue.flush import Flush
from footfall.queue.lanes import LIVE, Lane
from footfall.queue.scripts import ENSURE_GENERATION, PUSH
from footfall.queue.shards import layout

_REMEMBERED_SECONDS = 30 * 86_400
_ACTIVATE_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Call:
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


class Pushing:
    """Makes calls, and learns from their answers which layout is in use. For one thread.

    Args:
        shard_count: QUEUE_SHARDS.
        monotonic: seconds that only grow.
        lane: the lane that is pushed into.
        follow: never bring a layout of one's own into use.
    """

    def __init__(
        self, shard_count: int, monotonic: Callable[[], float], lane: Lane = LIVE, *, follow: bool = False
    ) -> None:
        self._lane = lane
        self._lane_keys = (keys.generation(lane), keys.run(lane), keys.layouts(lane), keys.layout_order(lane))
        self._prefixes = _prefixes(lane)
        self._wanted = shard_count
        self._in_use = shard_count
        self._monotonic = monotonic
        # A process brings its setting into use once; afterwards it follows, also one that was started later.
        self._settled = follow
        self._activate_at = 0.0

    def call(self, flush: Flush) -> Call:
        """The call that pushes the flush."""
        activate = not self._settled and self._monotonic() >= self._activate_at
        count = self._wanted if activate else self._in_use
        gathered: dict[int, list[bytes]] = {}
        for visitor, record in zip(flush.hashes, flush.records, strict=True):
            number = visitor % count
            if number in gathered:
                gathered[number].append(record)
            else:
                gathered[number] = [record]
        names = layout(count, self._lane)
        shards = [names[number] for number in gathered]
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
        return Call(
            [
                *self._lane_keys,
                keys.COUNTERS,
                keys.flushed(flush.producer),
                *map(keys.requests, shards),
            ],
            arguments,
            shards,
            [len(records) for records in gathered.values()],
            count,
        )

    def understand(self, call: Call, answer: list[bytes | int]) -> list[str] | None:
        """The shards that were empty before the push; None when another layout is in use: call again."""
        outcome, *values = answer
        if outcome == b"layout":
            self._in_use = int(values[0])
            if call.layout == self._wanted:
                self._activate_at = self._monotonic() + _ACTIVATE_AGAIN_SECONDS
            return None
        self._in_use = call.layout if outcome == b"pushed" else self._in_use
        if outcome == b"pushed" and call.layout == self._wanted:
            self._settled = True
        return [
            shard for shard, length, pushed in zip(call.shards, values, call.pushed, strict=False) if length == pushed
        ]


class FlushPusher:
    """Pushes flushes one by one and waits for each; for a thread or a command."""

    def __init__(self, client: redis.Redis, pushing: Pushing) -> None:
        self._script = client.register_script(PUSH)
        self._pushing = pushing

    def push(self, flush: Flush) -> list[str]:
        """Push the flush unless it was pushed before; the shards that were empty before.

        Raises:
            redis.RedisError: Redis did not take it, or did and could not say so.
        """
        while True:
            call = self._pushing.call(flush)
            empty = self._pushing.understand(call, self._script(keys=call.keys, args=call.arguments))
            if empty is not None:
                return empty


def ensure_generation(client: redis.Redis, lane: Lane = LIVE) -> str:
    """The generation of the lane's data; a new one when the server was started, or emptied, since the last look."""
    script = client.register_script(ENSURE_GENERATION)
    names = [keys.generation(lane), keys.run(lane), keys.layouts(lane)]
    return str(script(keys=names, args=list(_prefixes(lane))).decode())


def _prefixes(lane: Lane) -> tuple[str, str, str]:
    """How the names of a shard's keys begin in the lane, for the scripts."""
    return keys.requests(lane.prefix), keys.trimmed(lane.prefix), keys.begun(lane.prefix)
