"""What all processes count, beside the queue: the fields of footfall/metrics/declared.py.

Endpoints add what they counted in the step that pushes a flush, workers in the one that trims a batch: a request
is counted in the step that brings it into the queue, or takes it out. Archivers add theirs every few seconds.
"""

import logging

from footfall.clock import Clock
from footfall.errors import QueueUnavailable
from footfall.metrics.metric import Counts, Tally
from footfall.queue.backend import Board

_WRITE_SECONDS = 2.0
_AWAY_SECONDS = 30.0
_log = logging.getLogger(__name__)


def read(board: Board) -> Counts:
    """The counts as they stand.

    Raises:
        QueueUnavailable: the store cannot be reached.
    """
    return Counts(board.counts())


class CountWriter:
    """Adds the `tally` of a process to the common counts, now and then.

    Args:
        board: what cannot be added, because the store is away, is added later.
    """

    def __init__(self, board: Board, clock: Clock) -> None:
        self.tally = Tally()
        self._board = board
        self._clock = clock
        self._due_at = clock.monotonic() + _WRITE_SECONDS

    def write_due(self) -> None:
        """Add what was counted, unless that was done or tried a moment ago."""
        if self._clock.monotonic() >= self._due_at:
            self.write()

    def write(self) -> None:
        """Add what was counted."""
        counts = self.tally.take()
        self._due_at = self._clock.monotonic() + _WRITE_SECONDS
        if not counts:
            return
        try:
            self._board.count(counts)
        except QueueUnavailable as error:
            _log.debug("What was counted for /metrics is kept until it can be added: %s", error)
            self.tally.put_back(counts)
            self._due_at = self._clock.monotonic() + _AWAY_SECONDS
