"""What lies in the spools of all machines, as each of them last said in Redis."""

import socket
from dataclasses import dataclass
from typing import cast

import msgspec
from redis import Redis

from footfall.queue import keys
from footfall.queue.spool import Spool, Usage


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


def publish(redis: Redis, machine: str, usage: Usage) -> None:
    """Say what lies in the spool of this machine."""
    if usage.requests or usage.bytes:
        redis.hset(keys.SPOOLS, machine, msgspec.json.encode(usage))
    else:
        redis.hdel(keys.SPOOLS, machine)


def read(redis: Redis) -> list[SpoolState]:
    """The spools that hold anything, by machine."""
    states = []
    for machine, value in sorted(cast(dict[bytes, bytes], redis.hgetall(keys.SPOOLS)).items()):
        usage = msgspec.json.decode(value, type=Usage)
        states.append(SpoolState(machine.decode(), usage.requests, usage.bytes, usage.oldest_at))
    return states


def machine_of(spool: Spool) -> str:
    """The name under which the spool of this machine is known."""
    return f"{socket.gethostname()}:{spool.directory}"
