"""How much a lane of the queue may hold, and whether that much is there.

The limits lie well inside the memory or disk of its store: leases, jobs and everything else that empties the queue need
room as well. A Redis without any could not even be drained.
"""

from footfall.queue.backend import Load
from footfall.queue.lanes import IMPORT, LIVE, Lane
from footfall.settings import Settings

_MEMORY_SHARE = {LIVE: 0.8, IMPORT: 0.6}  # of what the store has, used by whatever lies in it
_SETTINGS = {LIVE: "QUEUE_MAX", IMPORT: "QUEUE_IMPORT_MAX"}
_ENOUGH_ROOM = 0.9  # of each limit: where a full queue counts as having room again


class Capacity:
    """Whether a lane has room; one process's view, which it has to renew by measuring.

    Args:
        most_requests: QUEUE_MAX_REQUESTS or QUEUE_IMPORT_MAX_REQUESTS.
        most_bytes: QUEUE_MAX_BYTES or QUEUE_IMPORT_MAX_BYTES.
    """

    def __init__(self, most_requests: int, most_bytes: int, lane: Lane = LIVE) -> None:
        self._lane = lane
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self.load: Load | None = None
        """What lay in the lane at the last look; None before the first."""
        self.full = ""
        """Why the lane has no room, as the beginning of a sentence; empty while it has."""

    @classmethod
    def of(cls, settings: Settings, lane: Lane) -> "Capacity":
        """With the limits that the settings give the lane."""
        if lane == IMPORT:
            return cls(settings.queue_import_max_requests, settings.queue_import_max_bytes, lane)
        return cls(settings.queue_max_requests, settings.queue_max_bytes, lane)

    def judge(self, load: Load) -> None:
        """Take note of what lies in the lane now."""
        self.load = load
        share, name = _ENOUGH_ROOM if self.full else 1.0, _SETTINGS[self._lane]
        what = "The queue" if self._lane == LIVE else f"The {self._lane.name} lane of the queue"
        if load.requests >= self._most_requests * share:
            self.full = f"{what} holds {load.requests} requests ({name}_REQUESTS)"
        elif load.bytes >= self._most_bytes * share:
            self.full = f"{what} takes {load.bytes} bytes ({name}_BYTES)"
        elif load.memory >= _MEMORY_SHARE[self._lane] * share:
            self.full = f"{load.memory:.0%} of {load.of} is in use"
        else:
            self.full = ""
