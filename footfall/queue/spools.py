"""What lies in the spools of all machines, as each of them last said beside the queue."""

import socket
from dataclasses import dataclass

import msgspec

from footfall.queue.backend import Board
from footfall.queue.spool import Spool, Usage

_NAME = "spools"


@dataclass(frozen=True)
class SpoolState:
    """The spool of one machine.

    Args:
        machine: its name and the directory.
        requests: accepted, and not in the queue yet.
        bytes: on its disk.
        oldest_at: when the oldest was accepted, Unix time in seconds.
    """

    machine: str
    requests: int
    bytes: int
    oldest_at: float | None


def publish(board: Board, machine: str, usage: Usage) -> None:
    """Say what lies in the spool of this machine."""
    board.put_field(_NAME, machine, msgspec.json.encode(usage) if usage.requests or usage.bytes else None)


def read(board: Board) -> list[SpoolState]:
    """The spools that hold anything, by machine."""
    states = []
    for machine, value in sorted(board.fields(_NAME).items()):
        usage = msgspec.json.decode(value, type=Usage)
        states.append(SpoolState(machine, usage.requests, usage.bytes, usage.oldest_at))
    return states


def machine_of(spool: Spool) -> str:
    """The name under which the spool of this machine is known."""
    return f"{socket.gethostname()}:{spool.directory}"
