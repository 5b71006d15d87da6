"""A run of the rig: faults while requests are sent, and quiet points at which everything is checked."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from queues import queue_on
from stack import wait_for

from faults import checks, comparison
from faults.checks import Verdict
from faults.clients import Clients
from faults.injector import Injector, schedule
from faults.installation import DATABASE, SECRET_KEY, SHARDS, Installation, installation
from faults.kinds import KINDS
from faults.ledger import Answer, Ledger
from faults.queue_log import QueueLog
from faults.undisturbed import Undisturbed, archive
from faults.visitors import GOAL, SITES
from footfall import migrations
from footfall.changes import Changes
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.entities.goals import GoalRepository, GoalSettings
from footfall.entities.sites import SiteRepository, SiteSettings
from footfall.queue.lease import holders
from footfall.queue.state import read_state
from footfall.settings import Settings
from footfall.users import Users

_DRAIN_SECONDS = 120
_TIMEZONES = ("UTC", "Europe/Berlin")


@dataclass(frozen=True)
class Plan:
    """What a run does.

    Args:
        injections: how many faults.
        longest: seconds that one lasts at most.
        pause: seconds between the beginnings of two at most; they may overlap.
        between_checks: faults from one quiet point to the next.
        rate: requests a second.
    """

    seed: int
    injections: int
    longest: float = 4.0
    pause: float = 4.0
    between_checks: int = 20
    rate: float = 60.0


@dataclass
class Result:
    """What a run came to.

    Args:
        began: UTC.
        kinds: injected faults by kind; kinds without any are there too.
        without_effect: tries that hit nothing, and were made again.
        recorded: requests in the log tables; `recorded_unacknowledged` of them were not acknowledged.
        archives, records: compared at the last quiet point.
        disk: how the disk was made full.
        problems: a sentence each; none for a run that proves what it should.
    """

    plan: Plan
    began: datetime
    kinds: dict[str, int] = field(default_factory=dict)
    without_effect: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    checks: int = 0
    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    unanswered: int = 0
    recorded: int = 0
    recorded_unacknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    overtaken: int = 0
    excused: int = 0
    visits: int = 0
    archives: int = 0
    records: int = 0
    disk: str = ""
    problems: list[str] = field(default_factory=list)


def run(plan: Plan, directory: Path, say: Callable[[str], None]) -> Result:
    """Run the rig; it stops at the first quiet point at which something is wrong.

    Args:
        directory: for the data and logs of everything that is started; empty.
        say: told what happens.
    """
    began = time.monotonic()
    result = Result(plan, datetime.now(UTC))
    with installation(directory) as there:
        settings = Settings(database_url=there.mariadb.root_url(DATABASE), secret_key=SECRET_KEY)
        database = Database(settings)
        token = _set_up(there, database, settings)
        ledger = Ledger()
        there.start()
        undisturbed = Undisturbed(there)
        injector = Injector(there, lambda text: say(f"{time.monotonic() - began:6.1f} s  {text}"))
        clients = Clients(there.port, plan.rate, plan.seed, token, ledger)
        clients.resume()
        there.archiving.resume()
        checker = _Checker(there, database, undisturbed, ledger, injector, result)
        faults = schedule(plan.seed, plan.injections, plan.longest, plan.pause)
        while faults and not result.problems:
            faults, now = faults[plan.between_checks :], faults[: plan.between_checks]
            for injection in now:
                injector.begin(injection)
            injector.wait()
            clients.pause()
            there.archiving.pause()
            checker.check()
            say(f"{time.monotonic() - began:6.1f} s  {checker.summary()}")
            if faults:
                clients.resume()
                there.archiving.resume()
        clients.end()
        if result.problems:
            _keep(ledger, injector, directory / "ledger.json")
        undisturbed.close()
        database.close()
        result.disk = there.disk.how
    result.kinds = {kind.name: injector.injected[kind.name] for kind in KINDS}
    result.without_effect = dict(injector.without_effect)
    result.seconds = time.monotonic() - began
    return result


def _keep(ledger: Ledger, injector: Injector, path: Path) -> None:
    """What was sent and when overtaking was allowed, for a person to look at."""
    entries = [asdict(entry) for entry in ledger.entries.values()]
    path.write_text(json.dumps({"reordering": injector.reordering, "entries": entries}, default=str))


def _set_up(there: Installation, database: Database, settings: Settings) -> str:
    """Sites, goals and a token."""
    clock = SystemClock()
    migrations.migrate(database, clock)
    changes = Changes(queue_on(there.redis.client).board)
    sites, goals = SiteRepository(database, clock, changes), GoalRepository(database, changes)
    for idsite, timezone in zip(SITES, _TIMEZONES, strict=True):
        made = sites.create(
            SiteSettings(name=f"Shop {idsite}", urls=["https://shop.example.org"], ecommerce=True, timezone=timezone)
        )
        assert made == idsite
        assert goals.create(idsite, GoalSettings("Thanked", "manually", allow_multiple=True)) == GOAL
    return Users(database, settings, clock).create_token("rig", "of the rig", superuser=True)


class _Checker:
    """Checks everything at a quiet point: no fault, no request and no archiver is under way."""

    def __init__(
        self,
        there: Installation,
        database: Database,
        undisturbed: Undisturbed,
        ledger: Ledger,
        injector: Injector,
        result: Result,
    ) -> None:
        self._there = there
        self._database = database
        self._undisturbed = undisturbed
        self._ledger = ledger
        self._injector = injector
        self._result = result
        self._queue_log = QueueLog(there.redis.directory)
        self._queued: set[int] = set()

    def check(self) -> None:
        """Wait until everything is recorded, and note in the result what there is and what is wrong."""
        result = self._result
        result.problems += self._injector.errors
        try:
            self._there.wait_until_whole()
            wait_for(self._is_drained, _DRAIN_SECONDS, "everything is recorded")
        except AssertionError as error:
            result.problems.append(str(error))
            return
        result.problems += [
            f"a dead letter: {reason}"
            for (reason,) in self._database.query("SELECT reason FROM footfall_dead_letter LIMIT 10")
        ]
        verdict = self._count()
        result.problems += verdict.complaints
        if not result.problems:
            self._compare()
        result.checks += 1

    def _is_drained(self) -> bool:
        queue = queue_on(self._there.redis.client, len(SHARDS))
        state = read_state(queue, SystemClock(), 1000)
        return not (state.pending or self._there.disk.holds() or holders(queue, list(SHARDS)))

    def _count(self) -> Verdict:
        result, entries = self._result, self._ledger.entries
        found, queued = checks.recorded(self._database), self._queue_log.news()
        self._queued.update(number for number, _ in queued)
        verdict = checks.judge(entries, self._queued, found, self._injector.reordering)
        result.sent = len(entries)
        result.acknowledged = self._ledger.count(Answer.ACKNOWLEDGED)
        result.refused, result.unanswered = self._ledger.count(Answer.REFUSED), self._ledger.count(Answer.NONE)
        result.recorded = len(found)
        result.recorded_unacknowledged = len(
            {one.number for one in found if one.number in entries}
            - {number for number, entry in entries.items() if entry.answer is Answer.ACKNOWLEDGED}
        )
        result.lost, result.doubled = len(verdict.lost), len(verdict.doubled)
        result.overtaken, result.excused = len(verdict.overtaken), len(verdict.excused)
        if not verdict.complaints:
            self._undisturbed.record([request for _, request in queued])
        return verdict

    def _compare(self) -> None:
        result, undisturbed = self._result, self._undisturbed
        result.problems += comparison.differences(self._database, undisturbed.database)
        result.visits = self._database.query("SELECT COUNT(*) FROM log_visit")[0][0]
        day = None
        while day != datetime.now(UTC).date():  # both on the same day
            day = datetime.now(UTC).date()
            try:
                archive(self._there.environment(DATABASE))
                undisturbed.archive()
            except AssertionError as error:
                result.problems.append(str(error))
                return
        result.problems += comparison.archive_differences(self._database, undisturbed.database)
        result.archives, result.records = comparison.archive_count(self._database)

    def summary(self) -> str:
        """What there is, in a line."""
        result = self._result
        return (
            f"checked: {result.sent:,} sent, {result.acknowledged:,} acknowledged, {result.recorded:,} recorded, "
            f"{result.lost} lost, {result.doubled} doubled, {result.visits:,} visits and {result.archives} archives "
            f"compared, {len(result.problems)} problems"
        )
