"""Draining a shard: from the lease on it to giving it back."""

import logging
import time
from contextlib import suppress

from footfall.errors import QueueUnavailable
from footfall.metrics.declared import DEAD_DROPPED, RECOVERED
from footfall.metrics.steps import Step
from footfall.queue import failures
from footfall.queue.backend import Head
from footfall.queue.failures import DrainingStopped
from footfall.queue.lanes import lane_of
from footfall.queue.layouts import earlier_shards
from footfall.queue.lease import Lease, LeaseLost
from footfall.queue.offsets import FencedOff, OffsetMoved
from queue_workers.batch_counts import count_batch, count_steps
from queue_workers.recording import Position
from queue_workers.tools import Tools

_log = logging.getLogger(__name__)
_LONGEST_PAUSE = 0.1
_SHORTEST_PAUSE = 0.01
_PAUSE_PER_WORK = 4.0
_FAIR_SECONDS = 1.0  # a turn while other shards wait: 250 times what it costs to change over


def drain(tools: Tools, shard: str) -> int:
    """Drain the shard for one turn: while there is work, for at most QUEUE_DRAIN_SECONDS; a second when others wait.

    Returns:
        How many requests left the queue; 0 also when another drain has the lease.

    Raises:
        mysql.connector.Error, FootfallError: a server is away, or draining has stopped. The batch in
            hand stays in the queue, and the sweep asks for the shard again.
    """
    if failures.stopped(tools.queue.board, tools.settings.dead_letter_limit):
        raise DrainingStopped(failures.explanation(tools.settings.dead_letter_limit))
    if _earlier_layouts_first(tools, shard):
        return 0
    tools.queue.begin(lane_of(shard))
    lease = Lease.acquire(tools.queue, shard, tools.holder, tools.settings.queue_lease_seconds)
    if lease is None:
        return 0
    turn = _Turn(tools, shard, lease)
    try:
        turn.run()
    except Exception as error:
        # Left asked for, the shard would wait until that expires; like this, until the next sweep.
        with suppress(QueueUnavailable):
            tools.drains.clear(shard)
        if not isinstance(error, LeaseLost | FencedOff):
            raise
        _log.warning("%s: another worker has it, or gets it soon", error)
        return turn.drained
    finally:
        lease.release()
    _hand_over(tools, shard)
    tools.reports.save()
    return turn.drained


def _earlier_layouts_first(tools: Tools, shard: str) -> bool:
    """Whether requests wait in shards of an earlier layout, which a visitor's newer ones must not overtake."""
    earlier = earlier_shards(tools.queue, shard)
    waiting = [name for name, depth in tools.queue.depths(earlier).items() if depth]
    for name in waiting:
        tools.drains.ask(name)
    if waiting:
        tools.drains.clear(shard)
    return bool(waiting)


def _hand_over(tools: Tools, shard: str) -> None:
    """Leave the shard so that whatever lies in it, or comes from now on, is asked for.

    The lease is given back already, and the asked key is cleared before the last look: a push between the two finds
    the list empty and asks, one before the look is seen by it.
    """
    if tools.queue.depths([shard])[shard]:
        tools.drains.ask_again(shard)
        return
    tools.drains.clear(shard)
    if tools.queue.depths([shard])[shard]:
        tools.drains.ask(shard)


class _Turn:
    """One turn at one shard, under its lease."""

    def __init__(self, tools: Tools, shard: str, lease: Lease) -> None:
        self._tools = tools
        self._shard = shard
        self._lease = lease
        self._position: Position | None = None
        self._begun = time.monotonic()
        self.drained = 0

    def run(self) -> None:
        """Record batch after batch until nothing is left, or the time is over."""
        last_news, pause = self._begun, _SHORTEST_PAUSE
        while not self._over():
            self._alive()
            started = time.monotonic()
            self._tools.steps.begin(Step.READ)
            position, found = self._read()
            if found.records:
                self._tools.watch.seen(found.change)
                recorded = self._record(position, found.records, started)
                last_news = time.monotonic()
                if not recorded or found.depth > len(found.records):
                    continue
                pause = min(max(_PAUSE_PER_WORK * (last_news - started), _SHORTEST_PAUSE), _LONGEST_PAUSE)
            if self._enough(last_news):
                return
            time.sleep(pause)

    def _over(self) -> bool:
        """Whether the turn ends although there is more: a shard with a lot of work must not hold the others up.

        One of another lane than the first gives way as soon as it has recorded a batch, so that it comes to an end even
        where nobody takes the jobs that wait.
        """
        tools, elapsed = self._tools, time.monotonic() - self._begun
        return (
            tools.stopping()
            or elapsed >= tools.settings.queue_drain_seconds
            or (elapsed >= _FAIR_SECONDS and tools.drains.equals_wait(self._shard))
            or (self.drained > 0 and tools.drains.betters_wait(self._shard))
        )

    def _enough(self, last_news: float) -> bool:
        """Whether the turn ends, the list being empty."""
        patience, now = self._tools.patience, time.monotonic()
        if now - last_news >= patience.idle:
            return True
        return now - self._begun >= patience.at_least and self._tools.drains.any_wait()

    def _alive(self) -> None:
        if self._lease.keep():
            self._tools.drains.renew(self._shard)

    def _read(self) -> tuple[Position, Head]:
        """The next batch and where it stands, what a crash left recorded and not trimmed being trimmed first."""
        queue, shard = self._tools.queue, self._shard
        found = self._head()
        while True:
            position = self._position
            if position and (position.generation, position.offset) == (found.generation, found.trimmed):
                return position, found
            generation = found.generation
            recorded = self._tools.offsets.recorded(generation, shard, found.begun)
            queue.forget_generations(shard, set(found.begun) - {generation})
            if recorded > found.trimmed:
                # Read again, after the offset: what is recorded by then was in the list by now.
                found = self._head()
                if found.generation != generation:
                    continue
                if found.trimmed < recorded and found.depth:
                    ahead = min(recorded - found.trimmed, found.depth)
                    queue.trim(shard, generation, found.trimmed, ahead, {RECOVERED.field(): ahead})
                    found = self._head()
                    continue
            self._position = Position(generation, shard, self._lease.fence, recorded, found.trimmed)

    def _head(self) -> Head:
        settings = self._tools.settings
        return self._tools.queue.read(self._shard, settings.queue_batch_size, settings.queue_batch_bytes)

    def _record(self, position: Position, records: list[bytes], started: float) -> bool:
        """Record a batch and trim it; False when it is recorded already, so that the list has to be read again."""
        tools = self._tools
        self._position = None
        try:
            loaded = tools.recording.record(position, records, self._alive)
        except OffsetMoved:
            return False  # committed by a try whose answer was lost, or by another drain
        spent = tools.steps.take()
        count_batch(tools.tally, loaded, time.monotonic() - started, spent)
        tools.steps.at(Step.TRIM)
        counts = tools.tally.take()
        if tools.queue.trim(self._shard, position.generation, position.offset, len(records), counts):
            self._position = position.after(len(records))
            if tools.kept:
                tools.kept.keep(records)
        trimming = tools.steps.take()
        count_steps(tools.tally, trimming)  # with the next batch
        self.drained += loaded.requests
        if loaded.dead and (dropped := tools.dead_letter_room.make()):
            tools.tally.count(DEAD_DROPPED, by=dropped)
        tools.reports.loaded(self._shard, loaded, time.monotonic() - started, spent | trimming)
        return True
