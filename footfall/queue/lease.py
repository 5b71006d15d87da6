"""The lease on a shard: one worker at a time drains it, and a late one cannot write."""

import time
from collections.abc import Sequence

from footfall.queue.backend import Backend, Held

_RENEW_SECONDS = 3.0


class LeaseLost(Exception):
    """The lease is no longer ours: another worker may be draining the shard."""


class Lease:
    """A held lease.

    Args:
        fence: the fencing number; larger than that of every earlier lease of the shard in this generation.
    """

    def __init__(self, queue: Backend, shard: str, holder: str, fence: int, seconds: float) -> None:
        self._queue = queue
        self.shard = shard
        self.fence = fence
        self._held = Held(holder, fence)
        self._seconds = seconds
        self._renew_after = min(seconds / 3, _RENEW_SECONDS)
        self._renewed_at = time.monotonic()

    @classmethod
    def acquire(cls, queue: Backend, shard: str, holder: str, seconds: float) -> "Lease | None":
        """Take the lease; None when another holds it.

        Args:
            holder: a name for the process, so that who looks after it can release what it held when it died.
            seconds: how long it holds without being renewed.
        """
        fence = queue.take_lease(shard, holder, seconds)
        return None if fence is None else cls(queue, shard, holder, fence, seconds)

    def keep(self) -> bool:
        """Renew the lease when some of its time is over; whether it was time to.

        Raises:
            LeaseLost: it expired or was taken away meanwhile.
        """
        if time.monotonic() - self._renewed_at < self._renew_after:
            return False
        if not self._queue.keep_lease(self.shard, self._held, self._seconds):
            raise LeaseLost(f"The lease on shard {self.shard} was lost")
        self._renewed_at = time.monotonic()
        return True

    def release(self) -> None:
        """Give the lease back; nothing happens when it is no longer ours."""
        self._queue.drop_lease(self.shard, self._held)


def release_all(queue: Backend, shards: Sequence[str], holder: str) -> list[str]:
    """Release the leases that a dead holder left behind; the shards they were on.

    A holder that is not dead after all is kept from writing by its fencing number.
    """
    left = {shard: held for shard, held in queue.leases(shards).items() if held.holder == holder}
    for shard, held in left.items():
        queue.drop_lease(shard, held)
    return list(left)


def holders(queue: Backend, shards: Sequence[str]) -> dict[str, str]:
    """Who holds the lease of each shard that is leased at this moment."""
    return {shard: held.holder for shard, held in queue.leases(shards).items()}
