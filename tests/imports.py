"""Helpers of the tests about importing: what is queued is recorded, here and now."""

from dataclasses import replace

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.layouts import all_shards
from footfall.queue.stores import open_queue
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, new_tools


def record_all(settings: Settings) -> None:
    """Record everything that waits in the queue, addresses whole."""
    own, clock = replace(settings, anonymize_ip_bytes=0), SystemClock()
    database, queue = Database(own), open_queue(own)
    tools = new_tools(own, clock, database, queue, Recorder(database, own, clock), patience=IMPATIENT)
    while waiting := [shard for shard, depth in queue.depths(all_shards(queue)).items() if depth]:
        for shard in waiting:
            drain(tools, shard)
    database.close()
    queue.disconnect()
