"""What the endpoint says about itself and the queue."""

from dataclasses import dataclass

from footfall.queue.state import QueueState


@dataclass(frozen=True)
class Readiness:
    """Whether tracking requests can be taken.

    Args:
        lines: what to say about it, the most important first.
    """

    ready: bool
    lines: list[str]


@dataclass(frozen=True)
class QueueReport:
    """The queue at one moment.

    Args:
        dead: dead letters.
        full: why the queue has no room; empty while it has.
        draining_stopped: after too many failures (DEAD_LETTER_LIMIT).
        now: Unix time in seconds.
    """

    state: QueueState
    dead: int
    full: str
    draining_stopped: bool
    now: float

    def age(self, moment: float | None) -> float:
        """The seconds since a Unix time; 0 without one."""
        return 0.0 if moment is None else round(max(0.0, self.now - moment), 3)
