"""The running stack under altered requests: nothing dies, nothing is stuck, and every request is accounted for.

`make fuzz` runs it for longer (SECONDS=300). The same FUZZ_SEED makes the same requests.
"""

import asyncio
import os
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import fuzz_clients
import pytest
import recorded_tracking
import redis
from fuzz_clients import Answers
from fuzz_requests import Fuzz
from log_rows import add_site
from queues import queue_on
from stack import SHARDS, is_open, pending, running, wait_for

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.metrics.declared import ACCEPTED, EXCLUDED, IGNORED, REFUSED
from footfall.metrics.metric import Counts
from footfall.queue import counters
from footfall.queue.redis import keys
from footfall.settings import Settings
from footfall.users import Users

SECONDS = int(os.environ.get("FUZZ_SECONDS", "10"))
SEED = int(os.environ.get("FUZZ_SEED", random.randrange(1_000_000)))
CLIENTS = 16
CANARY_SITE = 7001


@dataclass(frozen=True)
class Account:
    """What became of the requests.

    Args:
        drained: records that left the queue.
        visits: of the altered requests, one of each that was recorded.
        canaries: the pages that were recorded of the requests that nothing was done to, one row each.
        dead: dead letters by their reason.
    """

    counts: Counts
    drained: int
    visits: int
    canaries: list[str]
    dead: Counter[str]

    @classmethod
    def read(cls, database: Database, client: redis.Redis) -> "Account":
        """The account as it stands."""
        canaries = database.query(
            "SELECT a.name FROM log_link_visit_action l JOIN log_action a ON a.idaction = l.idaction_url "
            "WHERE l.idsite = %s",
            (CANARY_SITE,),
        )
        return cls(
            counters.read(queue_on(client).board),
            sum(int(client.get(keys.trimmed(shard)) or 0) for shard in SHARDS),
            database.query("SELECT COUNT(*) FROM log_visit WHERE idsite <> %s", (CANARY_SITE,))[0][0],
            [str(name) for (name,) in canaries],
            Counter(str(reason) for (reason,) in database.query("SELECT reason FROM footfall_dead_letter")),
        )

    @property
    def excluded(self) -> int:
        """Requests that were left out on purpose."""
        return sum(self.counts.values(EXCLUDED).values())

    def print(self) -> None:
        """The figures, for people."""
        print(
            f"  accepted {self.counts.of(ACCEPTED):,} = {self.visits:,} altered and recorded + "
            f"{len(self.canaries):,} unaltered and recorded + {self.excluded:,} excluded + {self.dead.total():,} dead; "
            f"besides {self.counts.of(IGNORED):,} not to be recorded, refused: {self.counts.values(REFUSED)}"
        )
        print(f"  excluded: {self.counts.values(EXCLUDED)}")
        for reason, count in self.dead.most_common(25):
            print(f"  {count:>7,} dead: {reason}")


@pytest.mark.timeout(SECONDS + 240)
def test_whatever_is_sent_nothing_dies_and_every_accepted_request_is_accounted_for(
    settings: Settings, database: Database, redis_client: redis.Redis, environment: dict[str, str], tmp_path: Path
) -> None:
    print(f"\nfuzzing for {SECONDS} s with FUZZ_SEED={SEED}")
    recorded_tracking.put_sites(database)
    add_site(database, CANARY_SITE)
    token = Users(database, settings, SystemClock()).create_token("admin", "of the fuzzer", superuser=True)
    fuzz = Fuzz(SEED, CANARY_SITE, token)
    with running(environment, tmp_path, workers=2) as stack:
        asyncio.run(fuzz_clients.run(fuzz, stack.port, 0.5, clients=1))  # until all processes are there
        processes = stack.processes()
        answers = asyncio.run(fuzz_clients.run(fuzz, stack.port, SECONDS, CLIENTS))
        wait_for(lambda: pending(redis_client) == 0, 60, "an empty queue")
        wait_for(lambda: not redis_client.keys(keys.lease("*")), 10, "every shard given back")
        assert is_open(stack.port)
        assert stack.processes() == processes, "a process died and was replaced"

    account = Account.read(database, redis_client)
    print_answers(answers)
    account.print()
    assert [delivery for delivery, _ in answers.failures] == []
    assert [delivery for delivery, _ in answers.unanswered] == []
    recorded = account.visits + len(account.canaries)
    assert account.counts.of(ACCEPTED) == account.drained == recorded + account.excluded + account.dead.total()
    assert len(set(account.canaries)) == len(account.canaries)
    assert set(answers.canaries) <= set(account.canaries)
    unexpected = [reason for reason in account.dead if reason.startswith(("Unexpected", "It cannot be recorded ("))]
    assert unexpected == []


def print_answers(answers: Answers) -> None:
    statuses: Counter[int] = Counter()
    for (_, status), count in answers.statuses.items():
        statuses[status] += count
    print(f"  {answers.deliveries.total():,} connections: {dict(answers.deliveries.most_common())}")
    print(f"  answers by status: {dict(sorted(statuses.items()))}, the slowest after {answers.slowest:.1f} s")
