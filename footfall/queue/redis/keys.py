"""The names of Redis keys. Nobody else spells one."""

from footfall.queue.lanes import IMPORT, LIVE, Lane

PREFIX = "footfall:"

COUNTERS = PREFIX + "counters"
"""A hash of what all processes counted since the Redis data began; see footfall/queue/counters.py."""

ARCHIVE_QUEUE = "footfall-archive"
"""The name of the RQ queue whose jobs make archives that a report asked for."""


def drain_queue(lane: Lane = LIVE) -> str:
    """The name of the RQ queue whose jobs drain the lane's shards."""
    return f"footfall-{lane.prefix}drain"


JOB_QUEUES = (drain_queue(LIVE), ARCHIVE_QUEUE, drain_queue(IMPORT))
"""The RQ queues in the order in which workers look at them."""


def generation(lane: Lane = LIVE) -> str:
    """A random name for the life of the lane's data; see docs/architecture.md, "Exactly once"."""
    return f"{PREFIX}{lane.prefix}generation"


def first_generation(lane: Lane = LIVE) -> str:
    """The generation that the data began with: it began at 0 in every shard, whatever is recorded of older data."""
    return generation(lane) + ":first"


def run(lane: Lane = LIVE) -> str:
    """The run_id of the Redis server that the generation began on."""
    return f"{PREFIX}{lane.prefix}run"


def layouts(lane: Lane = LIVE) -> str:
    """A set of the shard counts that requests were ever pushed with."""
    return f"{PREFIX}{lane.prefix}layouts"


def layout_order(lane: Lane = LIVE) -> str:
    """A list of the same shard counts, the one in use last; see layouts.py."""
    return f"{PREFIX}{lane.prefix}layout-order"


def shard_prefixes(lane: Lane = LIVE) -> tuple[str, str, str]:
    """How the names of a shard's requests, trimmed and begun begin in the lane, for the scripts."""
    return requests(lane.prefix), trimmed(lane.prefix), begun(lane.prefix)


def requests(shard: str) -> str:
    """The list of the shard's tracking request records, oldest at the head."""
    return f"{PREFIX}queue:{shard}"


def trimmed(shard: str) -> str:
    """How many records were ever removed from the head of the shard's list."""
    return f"{PREFIX}trimmed:{shard}"


def begun(shard: str) -> str:
    """A hash of the shard's end when a generation began, by generation: there its own records begin."""
    return f"{PREFIX}begun:{shard}"


def flushed(producer: str) -> str:
    """The number of the producer's last flush that was pushed; see flush.py."""
    return f"{PREFIX}flushed:{producer}"


def lease(shard: str) -> str:
    """The holder of the shard's lease; expires with it."""
    return f"{PREFIX}lease:{shard}"


def fence(shard: str) -> str:
    """The fencing number of the shard's newest lease."""
    return f"{PREFIX}fence:{shard}"


def asked(shard: str) -> str:
    """Set while a drain of the shard has been asked for; see drains.py."""
    return f"{PREFIX}asked:{shard}"


def value(name: str) -> str:
    """A value that all processes share; see Board of footfall/queue/backend.py."""
    return PREFIX + name
