"""Work for workers that look for it themselves: nobody has to ask for a drain."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from footfall.queue.lanes import LANES, LIVE, Lane, lane_of
from footfall.queue.sql.store import Store


@dataclass(frozen=True)
class Job:
    """Other work for a worker; see Drains.put_job."""

    name: str
    arguments: list[str | int]
    seconds: int


class SqlDrains:
    """See Drains of footfall/queue/backend.py."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs = store.table("job")

    def ask(self, shard: str) -> bool:
        """Workers see it themselves."""
        return False

    def ask_again(self, shard: str) -> None:
        """Workers see it themselves."""

    def renew(self, shard: str) -> None:
        """Its lease says that it is alive."""

    def clear(self, shard: str) -> None:
        """Nothing was asked for."""

    def equals_wait(self, shard: str) -> bool:
        """Whether shards of its lane, or of one before it, hold requests and are not leased; or jobs wait before it."""
        lane = lane_of(shard)
        return self._wait(LANES[: LANES.index(lane) + 1], jobs=lane != LIVE)

    def betters_wait(self, shard: str) -> bool:
        """The same without its own lane."""
        lane = lane_of(shard)
        return lane != LIVE and self._wait(LANES[: LANES.index(lane)], jobs=True)

    def any_wait(self) -> bool:
        """The same with all lanes."""
        return self._wait(LANES, jobs=True)

    def renew_waiting(self) -> set[str]:
        """None waits with a job of its own."""
        return set()

    def put_job(self, job: str, arguments: Sequence[str | int], seconds: int) -> None:
        """Have a worker do something else, before imports and after live requests."""
        self._store.execute(
            f"INSERT INTO {self._jobs} (job, arguments) VALUES (%s, %s)", (job, json.dumps([seconds, *arguments]))
        )

    def take_job(self) -> Job | None:
        """The oldest job, for whoever takes it alone; None when there is none."""
        while rows := self._store.query(f"SELECT number, job, arguments FROM {self._jobs} ORDER BY number LIMIT 1"):
            number, job, arguments = rows[0]
            if self._store.execute(f"DELETE FROM {self._jobs} WHERE number = %s", (number,)):
                seconds, *rest = json.loads(arguments)
                return Job(str(job), rest, seconds)
        return None

    def waiting(self) -> list[tuple[str, float]]:
        """The shards that hold requests and are not leased, each with the time of its last lease."""
        shards, tails = self._store.table("shard"), self._store.table("tail")
        rows = self._store.query(
            f"SELECT s.shard, s.leased_at FROM {shards} s JOIN {tails} t ON t.shard = s.shard "
            f"WHERE t.ended > s.trimmed AND s.leased_until <= {self._store.now}"
        )
        return [(str(shard), float(leased_at)) for shard, leased_at in rows]

    def _wait(self, lanes: Sequence[Lane], *, jobs: bool) -> bool:
        if any(lane_of(shard) in lanes for shard, _ in self.waiting()):
            return True
        return jobs and bool(self._store.query(f"SELECT 1 FROM {self._jobs} LIMIT 1"))
