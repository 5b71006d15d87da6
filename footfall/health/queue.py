"""Whether accepted requests are being recorded."""

from collections import Counter

from footfall.health.finding import Check, Finding, Need, ok, problem, warning
from footfall.health.installation import Installation
from footfall.queue import failures
from footfall.queue.capacity import Capacity
from footfall.queue.dead_letters import DeadLetters, LetterChoice
from footfall.queue.lanes import LANES, LIVE
from footfall.queue.shards import layout

_LATE_SECONDS = 300
_STRANDED_SWEEPS = 4  # what is asked for stays so for three
_LEAST_STRANDED_SECONDS = 20


def store(installation: Installation) -> Finding:
    """Whether the store that the queue lies in can be reached, and outlives a crash of its machine."""
    queue, settings = installation.queue, installation.settings
    queue.ping()
    if queue.kind == "files" and settings.queue_fsync == "no":
        return warning(
            f"the queue lies in {settings.queue_directory}; a crash of the machine loses the last accepted requests",
            "set QUEUE_FSYNC=always where that matters.",
        )
    return ok(f"the queue lies in {queue.kind}, which can be reached")


def age(installation: Installation) -> Finding:
    """How long requests wait."""
    state = installation.state
    text = f"{state.queued} requests wait in the queue, the oldest for {state.oldest_seconds:.0f} s"
    if state.oldest_seconds > _LATE_SECONDS:
        return warning(text, "look at `queue_workers status`: start more workers, or see why the database is slow.")
    return ok(text)


def stranded(installation: Installation) -> Finding:
    """Whether there are shards with requests that nobody is going to drain: the sweep looks for these."""
    patience = max(_LEAST_STRANDED_SECONDS, _STRANDED_SWEEPS * installation.settings.queue_sweep_seconds)
    left = [
        shard
        for shard in installation.state.shards
        if shard.depth and shard.holder is None and shard.oldest_seconds > patience
    ]
    if left and not installation.queue.drains.any_wait():
        return problem(
            f"{sum(shard.depth for shard in left)} requests in {len(left)} shards are asked for by nobody, the oldest "
            f"for {max(shard.oldest_seconds for shard in left):.0f} s: no sweep runs",
            "start `queue_workers run`, whose sweep asks for them.",
        )
    return ok("no shard is stranded")


def workers(installation: Installation) -> Finding:
    """Whether anybody records."""
    states = Counter(worker.state for worker in installation.queue.workers())
    if not states:
        finding = problem if installation.state.queued else warning
        return finding("no worker runs on any machine", "start `queue_workers run`.")
    return ok(f"{states.total()} workers run, {states['busy']} of them busy")


def draining(installation: Installation) -> Finding:
    """Whether draining has stopped after too many failures."""
    limit = installation.settings.dead_letter_limit
    if failures.stopped(installation.queue.board, limit):
        return problem(
            f"draining has stopped: more than {limit} requests failed within an hour (DEAD_LETTER_LIMIT)",
            "`queue_workers dead list --failed` shows why; then `… dead resume` and `… dead replay --failed`.",
        )
    return ok("draining goes on")


def dead_letters(installation: Installation) -> Finding:
    """Requests that could not be recorded."""
    letters = DeadLetters(installation.database, installation.clock)
    count, failed = letters.count(), letters.count(LetterChoice(failed=True))
    if failed:
        return warning(
            f"{failed} requests failed to be recorded and are kept as dead letters",
            "`queue_workers dead list --failed` shows why; once the cause is removed, `… dead replay --failed`.",
        )
    return ok(
        f"{count} dead letters, all rejected by the rules (`queue_workers dead` says why)"
        if count
        else "no dead letters"
    )


def layouts(installation: Installation) -> list[Finding]:
    """Whether requests wait in shards of a former QUEUE_SHARDS, and which is in use."""
    queue, wanted, found = installation.queue, installation.settings.queue_shards, []
    for lane in LANES:
        for count in queue.layouts(lane)[:-1]:
            if depth := sum(queue.depths(layout(count, lane)).values()):
                found.append(
                    warning(
                        f"{depth} requests wait in the {count} shards of a former QUEUE_SHARDS ({lane.name} lane), "
                        "newer ones behind them",
                        "nothing, where workers run; else start `queue_workers run`.",
                    )
                )
    in_use = queue.layouts(LIVE)[-1]
    if in_use != wanted:
        found.append(
            warning(
                f"QUEUE_SHARDS is {wanted} here, and {in_use} are in use",
                "set the same everywhere; the endpoint process that starts last decides.",
            )
        )
    return found or [ok(f"{in_use} shards are in use, nothing waits in former ones")]


def room(installation: Installation) -> list[Finding]:
    """How full the lanes are."""
    found = []
    for lane in LANES:
        capacity, load = Capacity.of(installation.settings, lane), installation.queue.load(lane)
        capacity.judge(load)
        if capacity.full:
            what = "further requests go to the spool" if lane == LIVE else "imports wait"
            found.append(warning(f"{capacity.full}: {what}", "start more workers, or raise the limit."))
        else:
            found.append(ok(f"the {lane.name} lane holds {load.requests} requests, {load.bytes} bytes"))
    return found


CHECKS = (
    Check("queue.store", store, Need.QUEUE),
    Check("queue.age", age, Need.QUEUE),
    Check("queue.stranded", stranded, Need.QUEUE),
    Check("queue.workers", workers, Need.QUEUE),
    Check("queue.draining", draining, Need.QUEUE),
    Check("queue.layouts", layouts, Need.QUEUE),
    Check("queue.room", room, Need.QUEUE),
    Check("queue.dead-letters", dead_letters, Need.TABLES),
)
