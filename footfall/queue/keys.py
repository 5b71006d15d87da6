"""The names of the queue's Redis keys. Nobody else spells one."""

PREFIX = "footfall:"

GENERATION = PREFIX + "generation"
"""A random name for the life of the Redis data; see docs/architecture.md, "Exactly once"."""

FIRST_GENERATION = GENERATION + ":first"
"""The generation that the Redis data began with: it began at 0 in every shard, whatever is recorded of older data."""

RUN = PREFIX + "run"
"""The run_id of the Redis server that the generation began on."""

LAYOUTS = PREFIX + "layouts"
"""A set of the shard counts that requests were ever pushed with."""

LAYOUT_ORDER = PREFIX + "layout-order"
"""A list of the same shard counts, the one in use last; see layouts.py."""

SPOOLS = PREFIX + "spools"
"""A hash of what lies in the spools of all machines, by machine; see spools.py."""

FAILURES = PREFIX + "failures"
"""How many requests became dead letters through failures since the key was made; see failures.py."""

COUNTERS = PREFIX + "counters"
"""A hash of what all processes counted since the Redis data began; see footfall/queue/counters.py."""

DRAIN_QUEUE = "footfall-drain"
"""The name of the RQ queue whose jobs drain shards."""

ARCHIVE_QUEUE = "footfall-archive"
"""The name of the RQ queue whose jobs make archives that a report asked for; worked after DRAIN_QUEUE."""


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
    """Set while a drain of the shard has been asked for; see asking.py."""
    return f"{PREFIX}asked:{shard}"


def archive_asked(archive: str) -> str:
    """Set while an archive that a report needs has been asked for; see archiving/on_demand.py."""
    return f"{PREFIX}archive-asked:{archive}"
