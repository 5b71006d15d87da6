"""The RQ jobs of the worker door."""

import logging
import threading
from functools import cache

import mysql.connector

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.queue.stores import open_queue
from footfall.settings import load
from footfall.tracking.recorder import Recorder
from queue_workers.draining import drain as drain_shard
from queue_workers.tools import Tools, new_tools

_log = logging.getLogger(__name__)

stopping = threading.Event()
"""Set when this process is to end: a drain then stops after the batch in hand."""


def drain(shard: str) -> int:
    """Drain a shard for one turn; the job behind footfall/queue/redis/drains.py.

    Returns:
        How many requests left the queue.
    """
    try:
        return drain_shard(process_tools(), shard)
    except (mysql.connector.Error, FootfallError) as error:
        _log.warning("Shard %s is left to the sweep: %s", shard, error)
        return 0


@cache
def process_tools() -> Tools:
    """The tools of this process, made once, so that the recorder's caches outlive a job."""
    settings, clock = load(), SystemClock()
    database = Database(settings)
    recorder = Recorder(database, settings, clock)
    return new_tools(settings, clock, database, open_queue(settings), recorder, stopping=stopping.is_set)
