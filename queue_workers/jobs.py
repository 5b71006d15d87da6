"""The RQ jobs of the worker door."""

import logging
import os
import socket
import threading
from functools import cache

import mysql.connector
import redis
from footfall.tracking.recorder import Recorder

from footfall.clock import Clock, SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.options import Options
from footfall.queue.asking import DrainRequests
from footfall.queue.connection import connect
from footfall.queue.dead_letters import DeadLetters
from footfall.queue.offsets import Offsets
from footfall.settings import Settings, load
from queue_workers.draining import PATIENT, Patience, Tools
from queue_workers.draining import drain as drain_shard
from queue_workers.load_report import LoadReports
from queue_workers.recording import BatchRecording
from queue_workers.recording import Recorder as AnyRecorder

_log = logging.getLogger(__name__)

stopping = threading.Event()
"""Set when this process is to end: a drain then stops after the batch in hand."""


def drain(shard: str) -> int:
    """Drain a shard for one turn; the RQ job behind footfall/queue/asking.py.

    Returns:
        How many requests left the queue.
    """
    try:
        return drain_shard(_tools(), shard)
    except (redis.RedisError, mysql.connector.Error, FootfallError) as error:
        _log.warning("Shard %s is left to the sweep: %s", shard, error)
        return 0


def new_tools(
    settings: Settings,
    clock: Clock,
    database: Database,
    connection: redis.Redis,
    recorder: AnyRecorder,
    *,
    holder: str,
    patience: Patience = PATIENT,
) -> Tools:
    """What a process drains with."""
    offsets = Offsets(database, clock)
    return Tools(
        redis=connection,
        recording=BatchRecording(database, recorder, offsets, DeadLetters(database, clock)),
        offsets=offsets,
        drains=DrainRequests(connection, settings.queue_drain_seconds, settings.queue_sweep_seconds),
        reports=LoadReports(Options(database), clock),
        settings=settings,
        holder=holder,
        stopping=stopping.is_set,
        patience=patience,
    )


def process_name() -> str:
    """A name for this process that no other has, on this machine or another."""
    return f"{socket.gethostname()}-{os.getpid()}"


@cache
def _tools() -> Tools:
    """Made once per process, so that the recorder's caches outlive a job."""
    settings, clock = load(), SystemClock()
    database = Database(settings)
    recorder = Recorder(database, settings, clock)
    return new_tools(settings, clock, database, connect(settings.redis_url), recorder, holder=process_name())
