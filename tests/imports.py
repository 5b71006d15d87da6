"""Helpers of the tests about importing: what is queued is recorded, here and now."""

from dataclasses import replace

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.connection import connect
from footfall.queue.layouts import all_shards
from footfall.queue.state import depths
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, new_tools


def record_all(settings: Settings) -> None:
    """Record everything that waits in the queue, addresses whole."""
    own, clock = replace(settings, anonymize_ip_bytes=0), SystemClock()
    database, redis = Database(own), connect(own.redis_url)
    tools = new_tools(own, clock, database, redis, Recorder(database, own, clock), patience=IMPATIENT)
    while waiting := [shard for shard, depth in depths(redis, all_shards(redis, own.queue_shards)).items() if depth]:
        for shard in waiting:
            drain(tools, shard)
    database.close()
    redis.close()
