"""Recording a batch: log rows, offset and dead letters in one transaction."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import msgspec
from rq.timeouts import BaseTimeoutException

from footfall.database import Database, is_retryable
from footfall.errors import QueueUnavailable
from footfall.metrics.steps import Step, Steps
from footfall.queue.dead_letters import FAILED, UNREADABLE, DeadLetter, DeadLetters
from footfall.queue.lease import LeaseLost
from footfall.queue.offsets import FencedOff, OffsetMoved, Offsets
from footfall.queue.request import TrackingRequest, decode

_log = logging.getLogger(__name__)
_NOT_THE_REQUESTS_FAULT = (OffsetMoved, FencedOff, LeaseLost, QueueUnavailable, BaseTimeoutException)


class BatchReport(Protocol):
    """What recording a batch came to; see footfall/tracking/recorder.py."""

    @property
    def visits(self) -> int: ...

    @property
    def actions(self) -> int: ...

    @property
    def page_views(self) -> int: ...

    @property
    def goals(self) -> int: ...

    @property
    def since(self) -> datetime | None: ...

    @property
    def rejected(self) -> Sequence[tuple[int, str, int | None]]: ...

    @property
    def excluded(self) -> Mapping[str, int]: ...


class Recorder(Protocol):
    """Turns requests into log rows; see footfall/tracking/recorder.py."""

    @property
    def steps(self) -> Steps:
        """Is told what is being done with a batch."""

    def prepare(self, requests: Sequence[TrackingRequest]) -> Any:
        """Everything that can be done outside the transaction."""

    def write(self, batch: Any) -> BatchReport:
        """The rows; inside the transaction."""

    def forget(self) -> None:
        """Drop what is kept of sites, goals, dimensions, options and users: one of them has changed."""


@dataclass(frozen=True)
class Position:
    """Where a batch stands in its shard.

    Args:
        generation: the life of the lane's data.
        fence: the fencing number of the lease that it was read under.
        recorded: what the shard's offset in MySQL says.
        offset: the offset of the batch's first record. It is the same, unless the database is younger than the queue.
    """

    generation: str
    shard: str
    fence: int
    recorded: int
    offset: int

    def after(self, count: int) -> "Position":
        """Where the next batch stands once `count` records are recorded."""
        return replace(self, recorded=self.offset + count, offset=self.offset + count)


@dataclass
class Loaded:
    """What was recorded, over one or more transactions.

    Args:
        requests: records taken from the queue, dead letters included.
        dead: requests that became dead letters.
        failed: those of them that did because recording them failed.
        excluded: requests left out on purpose, by reason.
        since: the oldest moment of a recorded request, UTC.
    """

    requests: int = 0
    visits: int = 0
    actions: int = 0
    page_views: int = 0
    goals: int = 0
    dead: int = 0
    failed: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    since: datetime | None = None

    def add(self, other: "Loaded") -> None:
        """Count another transaction in."""
        self.requests += other.requests
        self.visits += other.visits
        self.actions += other.actions
        self.page_views += other.page_views
        self.goals += other.goals
        self.dead += other.dead
        self.failed += other.failed
        self.excluded += other.excluded
        self.since = min((moment for moment in (self.since, other.since) if moment), default=None)


@dataclass(frozen=True)
class _Read:
    """A record as far as it could be read.

    Args:
        request: None when it could not.
        error: why it could not.
    """

    record: bytes
    request: TrackingRequest | None
    error: str = ""


class BatchRecording:
    """Records batches.

    Args:
        recorder: kept for the life of the process, since it has caches.
        note_failures: told how many requests are about to become dead letters because they failed; raises when these
            are too many.
        retry_seconds: how long deadlocks and lost connections are retried.
    """

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        offsets: Offsets,
        dead_letters: DeadLetters,
        note_failures: Callable[[int], None],
        retry_seconds: float = 30.0,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._offsets = offsets
        self._dead_letters = dead_letters
        self._note_failures = note_failures
        self._retry_seconds = retry_seconds

    def record(self, position: Position, records: Sequence[bytes], alive: Callable[[], None]) -> Loaded:
        """Record a batch; once this returns it is committed.

        A batch that cannot be recorded as a whole is halved, each half a transaction of its own, until the requests
        that are to blame stand alone; these become dead letters.

        Args:
            alive: called before every try; raises when the batch is not ours any more.

        Raises:
            OffsetMoved, FencedOff, LeaseLost: another drain, or an earlier try of this one, has recorded from here.
            DrainingStopped: too many requests have failed; what is not committed stays in the queue.
            QueueUnavailable: the lease could not be renewed.
            mysql.connector.Error, DatabaseUnavailable: the database could not be written for `retry_seconds`.
        """
        self._recorder.steps.at(Step.DECODE)
        batch = [_read(record) for record in records]
        self._note_failures(sum(one.request is None for one in batch))
        return self._record(position, batch, alive)

    def _record(self, position: Position, batch: Sequence[_Read], alive: Callable[[], None]) -> Loaded:
        def attempt() -> Loaded:
            alive()
            try:
                return self._write(position, batch)
            except BaseException:
                self._recorder.steps.at(Step.RETRY)
                raise

        try:
            return self._database.retrying(attempt, self._retry_seconds)
        except _NOT_THE_REQUESTS_FAULT:
            raise
        except Exception as error:
            if is_retryable(error):
                raise
            if len(batch) == 1:
                return self._bury(position, batch[0], error)
            _log.warning(
                "A batch of %d requests of shard %s cannot be recorded as a whole: %s",
                len(batch),
                position.shard,
                _reason(error),
            )
        middle = len(batch) // 2
        loaded = self._record(position, batch[:middle], alive)
        loaded.add(self._record(position.after(middle), batch[middle:], alive))
        return loaded

    def _write(self, position: Position, batch: Sequence[_Read]) -> Loaded:
        readable = [one for one in batch if one.request is not None]
        letters = [DeadLetter(position.shard, one.record, one.error) for one in batch if one.request is None]
        unreadable, steps = len(letters), self._recorder.steps
        prepared = self._recorder.prepare([one.request for one in readable if one.request is not None])
        steps.at(Step.OFFSET)
        with self._database.transaction():
            self._advance(position, len(batch))
            report = self._recorder.write(prepared)
            steps.at(Step.DEAD_LETTERS)
            letters += [
                DeadLetter(position.shard, readable[index].record, reason, idsite)
                for index, reason, idsite in report.rejected
            ]
            self._dead_letters.add(letters)
            steps.at(Step.COMMIT)
        return Loaded(
            requests=len(batch),
            visits=report.visits,
            actions=report.actions,
            page_views=report.page_views,
            goals=report.goals,
            dead=len(letters),
            failed=unreadable,
            excluded=Counter(report.excluded),
            since=report.since,
        )

    def _bury(self, position: Position, one: _Read, error: Exception) -> Loaded:
        _log.error("A request of shard %s cannot be recorded: %s", position.shard, _reason(error), exc_info=error)
        self._note_failures(1)

        self._recorder.steps.at(Step.DEAD_LETTERS)

        def bury() -> None:
            with self._database.transaction():
                self._advance(position, 1)
                self._dead_letters.add([DeadLetter(position.shard, one.record, _reason(error))])

        self._database.retrying(bury, self._retry_seconds)
        return Loaded(requests=1, dead=1, failed=1)

    def _advance(self, position: Position, count: int) -> None:
        self._offsets.advance(
            position.generation,
            position.shard,
            position.fence,
            seen=position.recorded,
            to=position.offset + count,
        )


def _read(record: bytes) -> _Read:
    try:
        return _Read(record, decode(record))
    except msgspec.DecodeError as error:
        return _Read(record, None, f"{UNREADABLE}: {error}")


def _reason(error: Exception) -> str:
    return f"{FAILED} ({type(error).__name__}: {error})"
