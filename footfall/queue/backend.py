"""What the rest of Footfall needs of the store that the queue lies in: one interface, three implementations.

See docs/architecture.md, "Which store the queue lies in". Whatever a store cannot do at present it says by raising
QueueUnavailable; nobody else knows its errors. An object here is one connection, opened when it is first used and again
after it was lost; threads that share it may wait for each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from footfall.changes import ChangeBoard
from footfall.queue.flush import Flush
from footfall.queue.lanes import LIVE, Lane


@dataclass(frozen=True)
class Head:
    """The first records of a shard, read in one step with what tells where they stand.

    Args:
        generation: the name of the life of the lane's data.
        trimmed: how many records were ever removed from the shard: the offset of the first record.
        depth: how many records the shard had.
        records: its first records, oldest first.
        change: the latest change to what people set up; see footfall/changes.py.
        begun: the offset at which each generation began in this shard, as far as it had requests before.
    """

    generation: str
    trimmed: int
    depth: int
    records: list[bytes]
    change: bytes | None
    begun: Mapping[str, int]


@dataclass(frozen=True)
class Stand:
    """How a shard stands.

    Args:
        first: its first record; None when it is empty.
        trimmed: how many records were ever removed from it.
    """

    shard: str
    depth: int
    first: bytes | None
    trimmed: int


@dataclass(frozen=True)
class Load:
    """What lies in a lane.

    Args:
        requests: in all its shards.
        bytes: that they take, about.
        memory: the share of its memory or disk that the store uses, for anything; 0 when it has no limit.
        of: what that is a share of, for people.
    """

    requests: int
    bytes: int
    memory: float = 0.0
    of: str = "the store"


@dataclass(frozen=True)
class Held:
    """A lease.

    Args:
        fence: its fencing number.
    """

    holder: str
    fence: int


@dataclass(frozen=True)
class WorkerSeen:
    """A worker process, on whatever machine.

    Args:
        state: `idle`, `busy` or `started`.
        seen_at: when it was last heard of, Unix time in seconds; a busy one is heard of when its job ends.
    """

    name: str
    state: str
    seen_at: float


class LanePusher(Protocol):
    """Pushes flushes into one lane, spread over the layout that is in use; it may bring QUEUE_SHARDS into use."""

    def push(self, flush: Flush) -> list[str]:
        """Push the flush, unless one with this or a later number of its producer was pushed.

        Returns:
            The shards that were empty before, and whose drains have to be asked for.
        """

    def push_all(self, flushes: Sequence[Flush]) -> list[str]:
        """Push several, in their order; when this fails, some may have been pushed."""


class Board(ChangeBoard, Protocol):
    """Small values that all processes share."""

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """The values of these names; None for one that has none."""

    def put(self, name: str, value: bytes, seconds: int, *, only_new: bool = False) -> bool:
        """Set a value that vanishes after so many seconds; whether it did.

        Args:
            only_new: leave a value alone that is there.
        """

    def delete(self, name: str) -> None:
        """Remove a value."""

    def add(self, name: str, amount: int, seconds: int) -> int:
        """Add to a number that vanishes so many seconds after it was begun; what it is then."""

    def fields(self, name: str) -> dict[str, bytes]:
        """The fields of a table of values."""

    def put_field(self, name: str, field: str, value: bytes | None) -> None:
        """Set a field, or remove it (None)."""

    def counts(self) -> dict[str, int]:
        """What all processes counted; see footfall/queue/counters.py."""

    def count(self, increments: Mapping[str, int]) -> None:
        """Add to these counts."""


class Drains(Protocol):
    """Getting drains, and other work, to the workers."""

    def ask(self, shard: str) -> bool:
        """Ask for a drain of the shard unless one is asked for already; whether this call did."""

    def ask_again(self, shard: str) -> None:
        """Ask for another one behind the others, by a drain that asked stays true for and that gives up its turn."""

    def renew(self, shard: str) -> None:
        """Keep the shard asked for: its drain is alive."""

    def clear(self, shard: str) -> None:
        """Nothing is asked for any more: the next push that finds the shard empty asks."""

    def equals_wait(self, shard: str) -> bool:
        """Whether work waits that workers take before the next drain of this shard, or in turn with it."""

    def betters_wait(self, shard: str) -> bool:
        """Whether work waits that workers take before any drain in the lane of this shard."""

    def any_wait(self) -> bool:
        """Whether work of any kind waits for a worker."""

    def renew_waiting(self) -> set[str]:
        """Keep every shard asked for whose drain waits for a worker; those shards."""

    def put_job(self, job: str, arguments: Sequence[str | int], seconds: int) -> None:
        """Have a worker do something else: before imports, after live requests.

        Args:
            job: the full name of a function of queue_workers.
            seconds: how long it may take.
        """


class Backend(Protocol):
    """The store, over one connection.

    Attributes:
        kind: `redis`, `files` or `mysql`.
        spooled: whether a spool on the endpoint's disk helps when the store takes nothing.
    """

    kind: str
    spooled: bool

    @property
    def place(self) -> str:
        """What tells this queue from another one over the same database, in the table of offsets.

        At most 10 characters, empty for Redis.
        """

    @property
    def board(self) -> Board:
        """The small values."""

    @property
    def drains(self) -> Drains:
        """Getting work to the workers."""

    # In

    def pusher(self, lane: Lane = LIVE, *, follow: bool = False) -> LanePusher:
        """A pusher for the lane.

        Args:
            follow: never bring QUEUE_SHARDS into use: push with the layout that others use.
        """

    def latest(self, producer: str) -> int:
        """The number of the producer's last flush that was pushed, remembered for 30 days; 0 when there was none."""

    def forget_producers(self, producers: Sequence[str]) -> None:
        """Forget the numbers of these producers' flushes: none of theirs will be pushed again."""

    # Out

    def begin(self, lane: Lane = LIVE) -> str:
        """The generation of the lane's data; a new one when the data may have gone back since the last look."""

    def read(self, shard: str, limit: int, byte_limit: int) -> Head:
        """The first records of the shard; they stay in it.

        Args:
            limit: the most records.
            byte_limit: the most bytes that they have together; a first record comes whatever its size.
        """

    def slice(self, shard: str, offset: int, limit: int) -> tuple[int, list[bytes]]:
        """Records of the shard from an offset on, or from its head where that lies behind it; they stay in it.

        Returns:
            The offset of the first of them, and at most `limit` records.
        """

    def trim(
        self, shard: str, generation: str, trimmed: int, count: int, counts: Mapping[str, int] | None = None
    ) -> bool:
        """Remove `count` records from the head, only if nothing was removed since `trimmed` was read.

        Args:
            counts: what became of them, by field (footfall/metrics/declared.py); counted if they are removed.

        Returns:
            Whether it did. Otherwise another drain removed them already, or the store was emptied.
        """

    def forget_generations(self, shard: str, generations: set[str]) -> None:
        """Forget where these generations began: whoever records from the shard has taken them into account."""

    # Leases; see lease.py

    def take_lease(self, shard: str, holder: str, seconds: float) -> int | None:
        """Take the lease; its fencing number, larger than all before in this generation. None when it is held."""

    def keep_lease(self, shard: str, held: Held, seconds: float) -> bool:
        """Hold it for so long from now on; False when it is lost."""

    def drop_lease(self, shard: str, held: Held) -> None:
        """Give it back; nothing happens when it is lost."""

    def leases(self, shards: Sequence[str]) -> dict[str, Held]:
        """The leases on those of the shards that are leased at this moment."""

    # How it stands

    def layouts(self, lane: Lane = LIVE) -> list[int]:
        """The shard counts whose shards may hold requests, the earliest first, the one in use last.

        QUEUE_SHARDS alone for a live lane that nothing was ever pushed into, nothing for another lane.
        """

    def depths(self, shards: Sequence[str]) -> dict[str, int]:
        """How many requests each of the shards holds."""

    def stands(self, shards: Sequence[str]) -> list[Stand]:
        """How these shards stand, all at one moment."""

    def load(self, lane: Lane = LIVE) -> Load:
        """What lies in the lane, and how full the store is."""

    def workers(self) -> list[WorkerSeen]:
        """The workers that are alive, by name."""

    def forget_worker(self, name: str) -> None:
        """Take a worker that died without saying so from the list."""

    def ping(self) -> None:
        """Nothing, if the store can be reached."""

    def disconnect(self) -> None:
        """Close the connection, before a fork or for good; the next use opens a new one."""

    def empty(self) -> None:
        """Forget everything, for tests and development; the workers are told to end, as they keep ids in memory."""
