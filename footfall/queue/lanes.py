"""Lanes: queues beside each other, of which the first is drained first.

Each has shards, layouts, a generation and drains of its own; the names of the first carry no lane. See
docs/architecture.md, "Lanes".
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lane:
    """A lane.

    Args:
        name: for people.
        prefix: of the names of its shards.
    """

    name: str
    prefix: str


LIVE = Lane("live", "")
"""What clients send."""

IMPORT = Lane("import", "import-")
"""What is loaded from logs and files: it never holds up what clients send."""

LANES = (LIVE, IMPORT)
"""All lanes, the one that is drained first in front."""


def lane_of(shard: str) -> Lane:
    """The lane of a shard."""
    return IMPORT if shard.startswith(IMPORT.prefix) else LIVE
