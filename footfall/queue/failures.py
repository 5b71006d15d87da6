"""Failures: requests that became dead letters because recording them failed, not because they ask for the impossible.

A few are the requests' fault. Many mean that something is wrong with the program, its database or the format of the
records; then draining stops, and the requests stay in the queue until somebody has looked. Requests that are rejected
by the rules (an unknown site, a missing token) do not count: anybody can send these.
"""

from footfall.errors import FootfallError
from footfall.queue.backend import Board

_NAME = "failures"
_SECONDS = 3600


class DrainingStopped(FootfallError):
    """Too many requests could not be recorded lately: nothing is drained until somebody has looked."""


def note(board: Board, count: int, limit: int) -> None:
    """Count failures, before they become dead letters.

    Args:
        limit: DEAD_LETTER_LIMIT; 0 for none.

    Raises:
        DrainingStopped: with these there are more than the limit within an hour. They must stay in the queue.
        QueueUnavailable: nobody can count at present.
    """
    if not count or not limit:
        return
    if board.add(_NAME, count, _SECONDS) > limit:
        raise DrainingStopped(explanation(limit))


def stopped(board: Board, limit: int) -> bool:
    """Whether draining has stopped."""
    return bool(limit) and int(board.get([_NAME])[0] or 0) > limit


def resume(board: Board) -> None:
    """Begin to count anew: draining goes on."""
    board.delete(_NAME)


def explanation(limit: int) -> str:
    """What has happened and what to do, for logs and people."""
    return (
        f"Draining has stopped: more than {limit} requests within an hour failed to be recorded (DEAD_LETTER_LIMIT). "
        "All others wait in the queue. `queue_workers dead list --failed` shows why; once the cause is removed, "
        "`queue_workers dead resume` goes on, and `queue_workers dead replay --failed` records them."
    )
