"""What every store of the queue does alike: Redis lists, files and MySQL tables are held by the same tests."""

import asyncio
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

import pytest
from row_recorder import RowRecorder, in_order, new_row_recorder

from footfall.changes import Changes, ChangeWatch
from footfall.clock import Clock, FixedClock, SystemClock
from footfall.database import Database
from footfall.errors import ConfigurationError, QueueUnavailable
from footfall.metrics.declared import ACCEPTED
from footfall.queue import counters, failures, spools
from footfall.queue.backend import Backend, Held
from footfall.queue.capacity import Capacity
from footfall.queue.failures import DrainingStopped
from footfall.queue.flush import Flush
from footfall.queue.keeper import SpoolKeeper
from footfall.queue.lanes import IMPORT, LIVE, Lane
from footfall.queue.layouts import all_shards, known_shards
from footfall.queue.lease import Lease, LeaseLost, holders, release_all
from footfall.queue.memory import Memory
from footfall.queue.producer import Producer
from footfall.queue.push import Pusher
from footfall.queue.request import TrackingRequest, encode
from footfall.queue.shards import layout
from footfall.queue.spool import Spool, Usage
from footfall.queue.state import read_state
from footfall.queue.stores import open_async_pusher, open_queue
from footfall.settings import Settings
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, Tools, new_tools

SHARD = "16-03"
ENOUGH = 1_000_000  # bytes
FORK = get_context("fork")


def push(queue: Backend, *records: bytes, visitor: int = 3, lane: Lane = LIVE) -> None:
    queue.pusher(lane).push(Flush(uuid4().hex, 1, [visitor] * len(records), list(records), 0.0))


def numbered(count: int) -> list[bytes]:
    return [b"%d" % n for n in range(count)]


def content(queue: Backend, shard: str = SHARD) -> list[bytes]:
    return queue.read(shard, 100_000, 10 * ENOUGH).records


# In


def test_the_records_of_a_flush_lie_in_the_shards_of_their_visitors_in_order(queue: Backend) -> None:
    queue.pusher().push(Flush("p", 1, [3, 5, 3, 19], [b"a", b"b", b"c", b"d"], 0.0))
    queue.pusher().push(Flush("p", 2, [3], [b"e"], 0.0))
    assert content(queue) == [b"a", b"c", b"d", b"e"]
    assert content(queue, "16-05") == [b"b"]
    assert queue.depths(["16-03", "16-04", "16-05"]) == {"16-03": 4, "16-04": 0, "16-05": 1}
    assert counters.read(queue.board).of(ACCEPTED) == 5


def test_a_flush_is_taken_once_however_often_and_late_it_comes(queue: Backend) -> None:
    pusher, other = queue.pusher(), queue.pusher()
    first = Flush("p", 1, [3], [b"1"], 0.0, {"x": 2})
    for again in (pusher, pusher, other):
        again.push(first)
    pusher.push(Flush("p", 7, [3], [b"2"], 0.0))
    other.push(first)
    other.push(Flush("q", 1, [3], [b"3"], 0.0))
    assert content(queue) == [b"1", b"2", b"3"]
    assert queue.board.counts()["x"] == 2
    assert (queue.latest("p"), queue.latest("q"), queue.latest("nobody")) == (7, 1, 0)
    queue.forget_producers(["p"])
    assert queue.latest("p") == 0


def test_counts_without_requests_are_taken(queue: Backend) -> None:
    queue.pusher().push(Flush("p", 1, [], [], 0.0, {"x": 2}))
    queue.board.count({"x": 3, "y": 1})
    assert queue.board.counts() == {"x": 5, "y": 1}


def test_large_flushes_and_large_records_are_kept_whole(queue: Backend) -> None:
    large = [bytes([n]) * 1_500_000 for n in range(4)]
    push(queue, *numbered(2500), *large, b"last")
    assert content(queue)[:2500] == numbered(2500)
    assert content(queue)[2500:] == [*large, b"last"]


def test_many_writers_at_once_lose_nothing_and_each_one_keeps_its_order(stored: Settings, queue: Backend) -> None:
    errors: list[Exception] = []

    def write(name: int) -> None:
        try:
            own = open_queue(stored)
            pusher = own.pusher()
            for n in range(40):
                # Visitors of two shards in each flush, so that writers meet in either order.
                hashes = [3, 4] if name % 2 else [4, 3]
                pusher.push(Flush(f"w{name}", n + 1, hashes, [b"%d %03d" % (name, n)] * 2, 0.0, {f"c{name}": 1}))
            own.disconnect()
        except Exception as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(name,)) for name in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert errors == []
    for shard in ("16-03", "16-04"):
        found = content(queue, shard)
        for name in range(6):
            assert [one for one in found if one.startswith(b"%d " % name)] == [
                b"%d %03d" % (name, n) for n in range(40)
            ]
    assert counters.read(queue.board).of(ACCEPTED) == 480


# Out


def test_a_batch_stays_until_it_is_trimmed_and_is_trimmed_once(queue: Backend) -> None:
    push(queue, *numbered(5))
    found = queue.read(SHARD, 3, ENOUGH)
    assert (found.trimmed, found.depth, found.records) == (0, 5, numbered(3))
    assert queue.read(SHARD, 3, ENOUGH) == found
    assert queue.trim(SHARD, found.generation, 0, 3, {"gone": 3})
    assert not queue.trim(SHARD, found.generation, 0, 3, {"gone": 3})
    found = queue.read(SHARD, 9, ENOUGH)
    assert (found.trimmed, found.depth, found.records) == (3, 2, [b"3", b"4"])
    assert queue.board.counts()["gone"] == 3


def test_records_that_were_pushed_together_can_be_trimmed_apart(queue: Backend) -> None:
    push(queue, *numbered(7))
    push(queue, *[b"x%d" % n for n in range(7)])
    trimmed, seen = 0, []
    generation = queue.begin()
    for count in (2, 3, 4, 5):
        seen += queue.read(SHARD, count, ENOUGH).records
        assert queue.trim(SHARD, generation, trimmed, count)
        trimmed += count
        push(queue, b"more")
    assert seen == [*numbered(7), *[b"x%d" % n for n in range(7)]]
    assert content(queue) == [b"more"] * 4


@pytest.mark.parametrize(("byte_limit", "count"), [(0, 1), (99, 1), (100, 1), (199, 1), (200, 2), (3_999, 39)])
def test_a_batch_ends_before_it_is_too_large_and_has_a_record_in_any_case(
    queue: Backend, byte_limit: int, count: int
) -> None:
    for start in range(0, 50, 10):
        push(queue, *[b"%0100d" % n for n in range(start, start + 10)])
    found = queue.read(SHARD, 50, byte_limit)
    assert (found.depth, found.records) == (50, [b"%0100d" % n for n in range(count)])


def test_a_slice_begins_at_an_offset_or_at_the_head(queue: Backend) -> None:
    push(queue, *numbered(5))
    assert queue.slice(SHARD, 1, 2) == (1, [b"1", b"2"])
    assert queue.trim(SHARD, queue.begin(), 0, 3)
    assert queue.slice(SHARD, 1, 9) == (3, [b"3", b"4"])
    assert queue.slice(SHARD, 5, 9) == (5, [])


def test_nothing_is_trimmed_from_a_queue_that_was_emptied_meanwhile(queue: Backend) -> None:
    push(queue, b"old")
    found = queue.read(SHARD, 2, ENOUGH)
    queue.empty()
    push(queue, b"new")
    assert not queue.trim(SHARD, found.generation, found.trimmed, 1)
    after = queue.read(SHARD, 2, ENOUGH)
    assert after.records == [b"new"]
    assert after.generation != found.generation


def test_a_shard_that_nothing_was_ever_pushed_into_is_empty(queue: Backend) -> None:
    found = queue.read(SHARD, 2, ENOUGH)
    assert (found.trimmed, found.depth, found.records) == (0, 0, [])
    assert queue.stands([SHARD])[0].first is None
    assert queue.layouts() == [16] and queue.layouts(IMPORT) == []


# Leases


@pytest.fixture
def leasable(queue: Backend) -> Backend:
    """A queue with something in its shards."""
    queue.pusher().push(Flush("p", 1, list(range(16)), [b"x"] * 16, 0.0))
    return queue


def test_one_holds_the_lease_and_each_next_has_a_larger_fencing_number(leasable: Backend) -> None:
    first = Lease.acquire(leasable, SHARD, "one", 30)
    assert first is not None
    assert Lease.acquire(leasable, SHARD, "two", 30) is None
    assert holders(leasable, [SHARD, "16-04"]) == {SHARD: "one"}
    first.release()
    second = Lease.acquire(leasable, SHARD, "two", 30)
    assert second is not None and second.fence > first.fence


def test_a_lost_lease_is_noticed_and_the_next_holders_is_left_alone(leasable: Backend) -> None:
    lost = Lease.acquire(leasable, SHARD, "one", 0.05)
    assert lost is not None
    while leasable.leases([SHARD]):
        time.sleep(0.01)  # it expires by the clock of the store
    assert Lease.acquire(leasable, SHARD, "two", 30) is not None
    with pytest.raises(LeaseLost):
        lost.keep()
    lost.release()
    assert holders(leasable, [SHARD]) == {SHARD: "two"}


def test_a_lease_that_is_kept_lives_on(leasable: Backend) -> None:
    fence = leasable.take_lease(SHARD, "one", 0.5)
    assert fence is not None
    assert leasable.keep_lease(SHARD, Held("one", fence), 60)
    assert not leasable.keep_lease(SHARD, Held("two", fence), 60)
    assert not leasable.keep_lease(SHARD, Held("one", fence + 1), 60)
    leasable.drop_lease(SHARD, Held("two", fence))
    assert leasable.leases([SHARD]) == {SHARD: Held("one", fence)}


def test_the_leases_of_a_dead_holder_are_released_and_no_others(leasable: Backend) -> None:
    Lease.acquire(leasable, "16-01", "dead", 30)
    Lease.acquire(leasable, "16-02", "alive", 30)
    assert release_all(leasable, ["16-00", "16-01", "16-02"], "dead") == ["16-01"]
    assert holders(leasable, ["16-00", "16-01", "16-02"]) == {"16-02": "alive"}


# Lanes and layouts


def test_lanes_are_queues_of_their_own(queue: Backend, stored: Settings) -> None:
    push(queue, b"live")
    push(queue, b"old", b"older", lane=IMPORT)
    assert (content(queue), content(queue, "import-16-03")) == ([b"live"], [b"old", b"older"])
    assert queue.begin(LIVE) != queue.begin(IMPORT)
    state = read_state(queue, SystemClock(), 1000)
    assert (state.pending_in(LIVE), state.pending_in(IMPORT), state.pending) == (1, 2, 3)
    with Producer(replace(stored, queue_max_requests=1, queue_import_max_requests=3), IMPORT) as imports:
        assert not imports.full()
        push(queue, b"oldest", lane=IMPORT)
        imports._measured_at = float("-inf")
        assert "QUEUE_IMPORT_MAX_REQUESTS" in imports.full()


def test_the_process_that_was_started_last_decides_on_the_layout_and_the_others_follow(
    stored: Settings, queue: Backend
) -> None:
    old, new = queue.pusher(), open_queue(replace(stored, queue_shards=4)).pusher()
    for sequence, pusher in enumerate((old, new, old), 1):
        pusher.push(Flush("p", sequence, [9], [b"%d" % sequence], 0.0))
    assert queue.layouts() == [16, 4]
    assert (content(queue, "16-09"), content(queue, "4-01")) == ([b"1"], [b"2", b"3"])
    assert known_shards(queue) == [*layout(4), *layout(16)]


def test_a_former_layout_comes_back_into_use_once_it_is_empty(stored: Settings, queue: Backend) -> None:
    def process(count: int) -> None:
        push(open_queue(replace(stored, queue_shards=count)), b"x", visitor=9)

    process(16)
    process(4)
    process(16)
    assert queue.layouts() == [16, 4]
    assert queue.trim("16-09", queue.begin(), 0, 1)
    process(16)
    assert queue.layouts() == [4, 16]


# How it stands


def test_the_state_says_how_much_waits_how_long_and_who_has_it(queue: Backend) -> None:
    moment = time.time() - 60
    push(queue, encode(TrackingRequest(moment, "", b"", b"", {})), b"second")
    Lease.acquire(queue, SHARD, "worker", 30)
    spools.publish(queue.board, "machine:/spool", Usage(5, 700, moment))
    state = read_state(queue, SystemClock(), 1)
    shard = next(shard for shard in state.shards if shard.depth)
    assert (shard.shard, shard.depth, shard.holder, shard.recorded) == (SHARD, 2, "worker", 0)
    assert shard.oldest_seconds == pytest.approx(60, abs=10)
    assert (state.pending, state.spooled, state.in_flight) == (7, 5, 1)
    spools.publish(queue.board, "machine:/spool", Usage())
    assert read_state(queue, SystemClock(), 1).spools == []


def test_the_load_grows_with_what_is_pushed_and_falls_with_what_is_trimmed(queue: Backend) -> None:
    push(queue, *[b"x" * 1000] * 50)
    push(queue, *[b"y" * 1000] * 50)
    full = queue.load()
    assert full.requests == 100 and full.bytes == pytest.approx(100_000, rel=0.3)
    assert queue.trim(SHARD, queue.begin(), 0, 100)
    empty = queue.load()
    assert (empty.requests, empty.bytes) == (0, 0)
    assert 0 <= empty.memory < 1


# What all processes share


def test_failures_stop_draining_until_somebody_has_looked(queue: Backend) -> None:
    failures.note(queue.board, 3, 3)
    assert not failures.stopped(queue.board, 3)
    with pytest.raises(DrainingStopped):
        failures.note(queue.board, 1, 3)
    assert failures.stopped(queue.board, 3)
    failures.resume(queue.board)
    assert not failures.stopped(queue.board, 3)


def test_values_vanish_when_their_time_is_over(queue: Backend) -> None:
    board = queue.board
    assert board.put("a", b"1", 1, only_new=True)
    assert not board.put("a", b"2", 1, only_new=True)
    assert board.put("b", b"3", 60)
    assert board.get(["a", "b", "c"]) == [b"1", b"3", None]
    assert board.add("n", 2, 1) == 2
    assert board.add("n", 2, 1) == 4
    while board.get(["a"]) != [None] or board.get(["n"]) != [None]:
        time.sleep(0.05)
    assert board.put("a", b"2", 60, only_new=True)
    assert board.add("n", 1, 60) == 1
    board.delete("a")
    assert board.get(["a", "b"]) == [None, b"3"]


def test_a_change_is_seen_by_whoever_looks_and_with_the_next_batch(queue: Backend, clock: Clock) -> None:
    forgotten: list[int] = []
    watch = ChangeWatch(lambda: forgotten.append(1))
    watch.look(queue.board, clock)
    Changes(queue.board).announce()
    watch.seen(queue.read(SHARD, 1, 1).change)
    watch.look(queue.board, clock)
    assert len(forgotten) == 2  # at the first look, and for the change


def test_a_store_that_cannot_be_used_is_said_in_a_sentence(stored: Settings, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    nowhere = replace(
        stored,
        redis_url="redis://127.0.0.1:1/0",
        database_url="mysql://root@127.0.0.1:1/footfall",
        queue_directory=str(file / "queue"),
    )
    with pytest.raises(QueueUnavailable, match=r"REDIS_URL|DATABASE_URL|QUEUE_DIRECTORY"):
        open_queue(nowhere).ping()


def test_a_store_that_does_not_exist_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="redis, files, mysql"):
        open_queue(replace(settings, queue_backend="kafka"))
    with pytest.raises(ConfigurationError, match="QUEUE_FSYNC"):
        open_queue(replace(settings, queue_backend="files", queue_fsync="sometimes"))


# Exactly once, to the log tables


@pytest.fixture
def recorder(database: Database) -> RowRecorder:
    return new_row_recorder(database)


def tools_of(settings: Settings, database: Database, queue: Backend) -> Tools:
    settings = replace(settings, queue_batch_size=20)
    return new_tools(settings, SystemClock(), database, queue, RowRecorder(database), patience=IMPATIENT)


def request(name: str) -> bytes:
    return encode(TrackingRequest(1_785_000_000.0, "192.0.2.1", name.encode(), b"", {}))


def drain_all(tools: Tools) -> None:
    end = time.monotonic() + 30
    while waiting := [shard for shard, depth in tools.queue.depths(all_shards(tools.queue)).items() if depth]:
        assert time.monotonic() < end
        for shard in waiting:
            drain(tools, shard)


@pytest.mark.parametrize("seed", range(2))
def test_a_changed_number_of_shards_loses_and_reorders_nothing_of_a_visitor(
    stored: Settings, queue: Backend, database: Database, recorder: RowRecorder, seed: int
) -> None:
    chance, tools = random.Random(seed), tools_of(stored, database, queue)
    pushers = [queue.pusher(), queue.pusher()]
    sent: dict[int, int] = {}
    for number in range(150):
        event = chance.random()
        if event < 0.06:  # one process after the other is started anew, with another number
            anew = open_queue(replace(stored, queue_shards=chance.choice([4, 7, 16, 30])))
            pushers[chance.randrange(2)] = anew.pusher()
        elif event < 0.15:
            waiting = [shard for shard, depth in queue.depths(known_shards(queue)).items() if depth]
            for shard in chance.sample(waiting, min(len(waiting), 3)):
                drain(tools, shard)
        else:
            visitor = chance.randrange(12)
            sent[visitor] = sent.get(visitor, 0) + 1
            record = request(f"{visitor} {sent[visitor]:04d}")
            chance.choice(pushers).push(Flush(f"f{number}", 1, [visitor], [record], 0.0))
    drain_all(tools)
    found = in_order(database)
    for visitor, count in sent.items():
        own = [name for name in found if name.startswith(f"{visitor} ")]
        assert own == [f"{visitor} {n + 1:04d}" for n in range(count)]
    assert len(found) == sum(sent.values())


def write(settings: Settings, name: str, begin: int, total: int, acknowledged: Connection) -> None:
    """The body of a process that pushes one visitor's requests, two at a time."""
    pusher = open_queue(settings).pusher()
    for number in range(begin, total):
        records = [request(f"{name} {number:04d} {half}") for half in "ab"]
        pusher.push(Flush(f"writer {name}", number + 1, [int(name)] * 2, records, 0.0))
        acknowledged.send(number)


def read(settings: Settings) -> None:
    """The body of a process that drains whatever it finds."""
    database = Database(settings)
    tools = tools_of(settings, database, open_queue(settings))
    while True:
        for shard in all_shards(tools.queue):
            drain(tools, shard)


class Processes:
    """Writers and readers, which are killed and replaced."""

    def __init__(self, settings: Settings, writers: int, flushes: int) -> None:
        self._settings = settings
        self._total = flushes
        self._pipes = {str(n): FORK.Pipe(duplex=False) for n in range(writers)}
        self._acknowledged = dict.fromkeys(self._pipes, 0)
        self._alive = {name: self._start(name) for name in [*self._pipes, "reader 1", "reader 2"]}

    def _start(self, name: str):  # type: ignore[no-untyped-def]
        if name.startswith("reader"):
            process = FORK.Process(target=read, args=(self._settings,))
        else:
            begin = max(0, self.acknowledged(name) - 1)  # the last one again, as if its answer had been lost
            arguments = (self._settings, name, begin, self._total, self._pipes[name][1])
            process = FORK.Process(target=write, args=arguments)
        process.start()
        return process

    def kill(self, name: str) -> None:
        """kill -9, and another one takes over where the last acknowledgement was."""
        victim = self._alive[name]
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        if name.startswith("reader"):
            queue = open_queue(self._settings)
            release_all(queue, all_shards(queue), f"{os.uname().nodename}-{victim.pid}")  # as the pool does
            queue.disconnect()
        self._alive[name] = self._start(name)

    def acknowledged(self, name: str) -> int:
        """How many flushes of a writer are acknowledged."""
        pipe = self._pipes[name][0]
        while pipe.poll():
            self._acknowledged[name] = pipe.recv() + 1
        return self._acknowledged[name]

    def unfinished(self) -> list[str]:
        """The writers that have more to push."""
        return [name for name in self._pipes if self.acknowledged(name) < self._total]

    def names(self) -> list[str]:
        """All of them."""
        return list(self._alive)

    def end(self) -> None:
        """Kill all that are left."""
        for process in self._alive.values():
            process.kill()
            process.join()


@pytest.fixture
def processes(stored: Settings, recorder: RowRecorder) -> Iterator[Processes]:
    started = Processes(replace(stored, queue_lease_seconds=5), writers=3, flushes=60)
    yield started
    started.end()


def test_killed_writers_and_readers_lose_nothing_and_double_nothing(
    stored: Settings, queue: Backend, database: Database, processes: Processes
) -> None:
    chance, kills, end = random.Random(7), 0, time.monotonic() + 60
    while processes.unfinished() or kills < 12:
        assert time.monotonic() < end
        time.sleep(chance.uniform(0.01, 0.06))
        victim = chance.choice(
            [name for name in processes.names() if "reader" in name or name in processes.unfinished()]
        )
        processes.kill(victim)
        kills += 1
        if kills > 12:
            time.sleep(0.2)  # enough of them: the rest may come to an end
    processes.end()
    release_all(queue, all_shards(queue), "nobody")
    for shard, held in queue.leases(all_shards(queue)).items():
        queue.drop_lease(shard, held)
    drain_all(tools_of(stored, database, queue))
    found = in_order(database)
    for name in "012":
        own = [one for one in found if one.startswith(f"{name} ")]
        assert own == [f"{name} {number:04d} {half}" for number in range(60) for half in "ab"]


def test_two_stores_can_be_drained_into_one_database_side_by_side(
    stored: Settings, settings: Settings, queue: Backend, database: Database, recorder: RowRecorder, tmp_path: Path
) -> None:
    """As it is while a store is changed for another one: what lies in the former is recorded."""
    other_kind = {"redis": "files", "files": "mysql", "mysql": "redis"}[stored.queue_backend]
    moved = replace(settings, queue_backend=other_kind, queue_directory=str(tmp_path / "other"))
    other = open_queue(moved)
    one_tools, other_tools = tools_of(stored, database, queue), tools_of(moved, database, other)
    for number in range(5):
        push(queue, request(f"one {number}"))
        push(other, request(f"other {number}"))
        push(other, request(f"other {number} again"))
        drain_all(one_tools)
        drain_all(other_tools)
    assert len(in_order(database)) == len(set(in_order(database))) == 15
    other.disconnect()


# Files that go back in time


def elsewhere(work: Callable[[], None]) -> None:
    """Do something in a process of its own, which is gone afterwards."""
    process = FORK.Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == 0


@pytest.mark.parametrize("seed", range(4))
def test_files_that_were_replaced_by_older_ones_skip_nothing_new_and_record_nothing_twice(
    settings: Settings, database: Database, recorder: RowRecorder, clock: FixedClock, tmp_path: Path, seed: int
) -> None:
    """Only what was pushed after the copy that came back, and was not recorded by then, may be missing."""
    chance, directory = random.Random(seed), tmp_path / "queue"
    own = replace(settings, queue_backend="files", queue_directory=str(directory), queue_batch_size=10)
    pushed, copies, since_copy, lost = 0, 0, [], set[str]()

    def push_some(names: list[str]) -> None:
        push(open_queue(own), *map(request, names))

    def drain_some(crash: bool) -> None:
        connection = Database(own)
        queue = open_queue(own)
        tools = tools_of(own, connection, queue)
        if crash:
            queue.trim = lambda *_: os._exit(0)  # type: ignore[method-assign,assignment]
        drain(tools, SHARD)

    for event in [*chance.choices(["push", "push", "drain", "crash", "save", "back"], k=14), "push", "drain"]:
        if event == "push":
            names = [f"{pushed + n:04d}" for n in range(7)]
            pushed += 7
            since_copy += names
            elsewhere(lambda names=names: push_some(names))  # type: ignore[misc]
        elif event in ("drain", "crash"):
            elsewhere(lambda event=event: drain_some(event == "crash"))  # type: ignore[misc]
            queue = open_queue(own)
            for shard, held in queue.leases([SHARD]).items():
                queue.drop_lease(shard, held)
            queue.disconnect()
            del queue
        elif event == "save" and directory.exists():
            copies += 1
            shutil.copytree(directory, tmp_path / f"copy-{copies}")
            since_copy = []
        elif event == "back" and copies:
            shutil.rmtree(directory)
            shutil.copytree(tmp_path / f"copy-{copies}", directory)
            lost |= set(since_copy) - set(in_order(database))
            since_copy = []
    assert in_order(database) == [name for n in range(pushed) if (name := f"{n:04d}") not in lost]


def test_files_are_readable_by_their_owner_alone(settings: Settings, tmp_path: Path) -> None:
    queue = open_queue(replace(settings, queue_backend="files", queue_directory=str(tmp_path / "queue")))
    push(queue, b"x")
    files = [tmp_path / "queue", *(tmp_path / "queue").iterdir()]
    assert {path.name for path in files} >= {"queue", "queue.db", "session"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_files_leave_room_on_their_disk_for_what_empties_them(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = open_queue(replace(settings, queue_backend="files", queue_directory=str(tmp_path / "queue")))
    push(queue, b"x" * 1000)
    assert queue.load().memory < 0.5
    real = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result([*real[:4], 100, *real[5:]]))
    assert queue.load().memory == 1.0


def test_a_full_queue_in_files_refuses_what_comes_next(settings: Settings, tmp_path: Path) -> None:
    """There is no spool for it: that would lie on the same disk."""
    own = replace(settings, queue_backend="files", queue_directory=str(tmp_path / "queue"))
    capacity = Capacity(3, ENOUGH)
    queue, spool = open_queue(own), Spool("", ENOUGH, "no")
    keeper = SpoolKeeper(queue, spool, capacity, lambda _: None)
    with asyncio.Runner() as loop:
        pusher = Pusher(open_async_pusher(own), spool, capacity, Memory(ENOUGH), SystemClock(), lambda _: None)
        loop.run(pusher.push([(3, b"a"), (3, b"b"), (3, b"c")]))
        keeper.look()
        with pytest.raises(QueueUnavailable, match="QUEUE_MAX_REQUESTS"):
            loop.run(pusher.push([(3, b"d")]))
        assert queue.trim(SHARD, queue.begin(), 0, 2)
        keeper._measured_at = float("-inf")
        keeper.look()
        loop.run(pusher.push([(3, b"e")]))
    assert content(queue) == [b"c", b"e"]


def test_threads_may_share_a_connection(queue: Backend) -> None:
    def use(name: int) -> None:
        for n in range(30):
            push(queue, b"%d %d" % (name, n), visitor=name)
            queue.board.count({"together": 1})
            assert queue.depths([SHARD]) is not None

    threads = [threading.Thread(target=use, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queue.board.counts()["together"] == 120
    assert sum(queue.depths(list(layout(16))).values()) == 120


def test_rows_that_somebody_deleted_are_said_and_not_waited_for(settings: Settings, database: Database) -> None:
    queue = open_queue(replace(settings, queue_backend="mysql"))
    push(queue, b"x")
    database.execute("DELETE FROM footfall_queue_chunk")
    with pytest.raises(QueueUnavailable, match="footfall_queue_chunk"):
        queue.read(SHARD, 1, ENOUGH)
