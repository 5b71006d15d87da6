"""What the endpoint says about itself and the queue."""

from dataclasses import dataclass, replace

from footfall.clock import Clock
from footfall.queue.backend import Backend
from footfall.queue.spool import Spool
from footfall.queue.spools import SpoolState, machine_of
from footfall.queue.state import QueueState, read_state
from footfall.settings import Settings


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


def read_queue(queue: Backend, clock: Clock, settings: Settings, spool: Spool) -> QueueState:
    """The queue as it is now, with this machine's spool as it is now.

    Raises:
        QueueUnavailable: the store cannot be reached.
    """
    state = read_state(queue, clock, settings.queue_batch_size)
    machine, usage = machine_of(spool), spool.usage()
    others = [one for one in state.spools if one.machine != machine]
    own = [SpoolState(machine, usage.requests, usage.bytes, usage.oldest_at)] if usage.bytes else []
    return replace(state, spools=[*others, *own])
