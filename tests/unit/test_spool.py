"""The spool of one machine: order, restarts, killed writers, full disks."""

import errno
import fcntl
import multiprocessing
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.errors import ConfigurationError
from footfall.queue import spool as spool_module
from footfall.queue import spool_format
from footfall.queue.flush import Flush
from footfall.queue.spool import Spool, SpoolUnavailable, SpoolUncertain

MEBIBYTE = 1024 * 1024


def flush(number: int, size: int = 0, producer: str = "a") -> Flush:
    return Flush(producer, number, [number], [b"%d" % number + b"x" * size], 1_785_000_000.0)


def open_spool(directory: Path, most_bytes: int = 64 * MEBIBYTE, sync: str = "no") -> Spool:
    return Spool(str(directory), most_bytes, sync)


def brought_back(spool: Spool, limit: int = 1_000_000) -> list[int]:
    """Take up to `limit` flushes out; their numbers."""
    numbers: list[int] = []
    with spool.replaying() as reader:
        while reader is not None and len(numbers) < limit:
            found = reader.next()
            if found is None:
                break
            numbers.append(found.sequence)
            reader.done()
    return numbers


@pytest.mark.parametrize("sync", ["always", "everysec", "no"])
def test_flushes_come_back_in_order_and_leave_nothing(tmp_path: Path, sync: str) -> None:
    spool = open_spool(tmp_path, sync=sync)
    assert not spool.holds()
    for number in range(10):
        spool.append(flush(number))
    assert spool.holds()
    assert (spool.usage().requests, spool.usage().oldest_at) == (10, 1_785_000_000.0)
    spool.sync()
    assert brought_back(spool) == list(range(10))
    assert not spool.holds()
    assert spool.usage().requests == 0
    assert list((tmp_path / "segments").iterdir()) == []


def test_a_spool_that_is_cleared_begins_anew(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    assert spool.clear() == 0
    for number in range(10):
        spool.append(flush(number))
    brought_back(spool, 4)
    assert spool.clear() == 6
    assert not spool.holds()
    spool.append(flush(11))
    assert (spool.usage().requests, brought_back(spool)) == (1, [11])


def test_a_spool_is_not_cleared_while_requests_are_being_brought_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "_LOCK_SECONDS", 0.05)
    spool = open_spool(tmp_path)
    spool.append(flush(1))
    with spool.replaying() as reader:
        assert reader is not None and reader.next() is not None
        with pytest.raises(SpoolUnavailable, match="being brought back"):
            open_spool(tmp_path).clear()
    assert brought_back(spool) == [1]


def test_a_flush_comes_back_as_it_was(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    kept = Flush("producer", 7, [3, 4], [b"\x00\xff", b""], 1.5, {"refused:idsite": 2})
    spool.append(kept)
    with spool.replaying() as reader:
        assert reader is not None
        assert reader.next() == kept


def test_what_a_process_leaves_behind_another_brings_back(tmp_path: Path) -> None:
    for number in range(5):
        open_spool(tmp_path).append(flush(number))
    assert brought_back(open_spool(tmp_path), limit=2) == [0, 1]
    open_spool(tmp_path).append(flush(5))
    assert open_spool(tmp_path).usage().requests == 4
    assert brought_back(open_spool(tmp_path)) == [2, 3, 4, 5]


def test_a_flush_that_was_not_done_comes_back_again(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.append(flush(1))
    with spool.replaying() as reader:
        assert reader is not None and reader.next() is not None  # and the process is killed
    assert brought_back(open_spool(tmp_path)) == [1]


def test_without_the_file_of_progress_nothing_is_left_out(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for number in range(3):
        spool.append(flush(number))
    assert brought_back(spool, limit=2) == [0, 1]
    (tmp_path / "progress").unlink()
    (tmp_path / "control").unlink()
    spool.append(flush(3))
    assert brought_back(spool) == [0, 1, 2, 3]


def test_what_is_appended_while_others_come_back_comes_after_them(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.append(flush(0))
    with spool.replaying() as reader:
        assert reader is not None
        for number in range(5):
            found = reader.next()
            assert found is not None and found.sequence == number
            reader.done()
            open_spool(tmp_path).append(flush(number + 1))
        assert spool.usage().requests == 1


def test_one_process_at_a_time_brings_back(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.append(flush(0))
    with spool.replaying() as reader, open_spool(tmp_path).replaying() as second:
        assert reader is not None and second is None


def test_many_segments_come_back_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "_SEGMENT_BYTES", 1000)
    spool = open_spool(tmp_path)
    for number in range(100):
        spool.append(flush(number, size=90))
    assert len(spool.segments()) > 10
    assert brought_back(spool, limit=50) == list(range(50))
    assert len(spool.segments()) < 8, "what is back in the queue takes no disk"
    assert brought_back(spool) == list(range(50, 100))


def append_many(directory: Path, producer: str, count: int) -> None:
    spool = open_spool(directory)
    for number in range(count):
        spool.append(flush(number, size=number % 50, producer=producer))


def test_several_processes_append_at_once_and_each_one_s_order_is_kept(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=append_many, args=(tmp_path, name, 200)) for name in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert open_spool(tmp_path).usage().requests == 800
    found: dict[str, list[int]] = {name: [] for name in "abcd"}
    with open_spool(tmp_path).replaying() as reader:
        while reader is not None and (one := reader.next()):
            found[one.producer].append(one.sequence)
            reader.done()
    assert found == {name: list(range(200)) for name in "abcd"}


# Killed writers, damaged and full disks


def tear(spool: Spool, size: int) -> None:
    """Leave what a writer leaves that is killed in the middle of a frame."""
    with spool.path(spool.segments()[-1]).open("ab") as file:
        file.write(spool_format.frame(b"z" * 100, 1)[:size])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.just("flush"), st.integers(1, 115)), min_size=1, max_size=12))
def test_writers_that_were_killed_lose_nothing_that_others_were_acknowledged(steps: list[str | int]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        spool = open_spool(Path(directory))
        acknowledged = 0
        for step in ["flush", *steps]:
            if step == "flush":
                spool.append(flush(acknowledged))
                acknowledged += 1
            else:
                tear(spool, int(step))
        spool.append(flush(acknowledged))
        assert spool.usage().requests == acknowledged + 1
        assert brought_back(spool) == list(range(acknowledged + 1))
        assert not spool.holds()
        assert spool.usage().requests == 0


def test_a_torn_frame_is_set_aside_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = open_spool(tmp_path)
    spool.append(flush(0))
    tear(spool, 50)
    assert brought_back(spool) == [0]
    (kept,) = (tmp_path / "damaged").iterdir()
    assert kept.stat().st_size == 50
    assert "50 bytes" in caplog.text and str(kept) in caplog.text


def test_damage_in_the_middle_costs_the_damaged_frame_alone(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for number in range(3):
        spool.append(flush(number, size=100))
    path = spool.path(spool.segments()[0])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert brought_back(spool) == [0, 2]
    assert spool.usage().requests == 0


def test_a_full_spool_takes_nothing_more_until_there_is_room(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, most_bytes=2000)
    taken = 0
    with pytest.raises(SpoolUnavailable, match="SPOOL_BYTES"):
        for _ in range(100):
            spool.append(flush(taken, size=100))
            taken += 1
    assert 5 < taken < 20
    assert brought_back(spool, limit=5) == list(range(5))
    spool.append(flush(taken, size=100))
    assert brought_back(spool) == list(range(5, taken + 1))


@pytest.mark.parametrize("first", [True, False])
def test_a_full_disk_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool) -> None:
    spool = open_spool(tmp_path)
    if not first:
        spool.append(flush(0))
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 30:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[:20])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(SpoolUnavailable, match="No space left"):
            spool.append(flush(1))
    assert spool.holds() is not first
    spool.append(flush(2))
    assert brought_back(spool) == ([2] if first else [0, 2])
    assert not (tmp_path / "damaged").exists()


def test_a_disk_that_fails_to_sync_says_that_the_flush_may_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = open_spool(tmp_path, sync="always")

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SpoolUncertain, match="Input/output error"):
            spool.append(flush(0))
    assert brought_back(spool) == [0]


def test_a_writer_that_was_stopped_while_it_had_the_lock_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "_LOCK_SECONDS", 0.05)
    spool = open_spool(tmp_path)
    spool.append(flush(0))
    with (tmp_path / "control").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(SpoolUnavailable):
            spool.append(flush(1))
    spool.append(flush(2))
    assert brought_back(spool) == [0, 2]


# Settings


def test_a_spool_that_is_switched_off_takes_nothing(tmp_path: Path) -> None:
    spool = Spool("", MEBIBYTE, "no")
    assert not spool.holds()
    assert "SPOOL_DIRECTORY" in spool.obstacle()
    with pytest.raises(SpoolUnavailable, match="SPOOL_DIRECTORY"):
        spool.append(flush(0))


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    spool = open_spool(tmp_path / "file" / "spool")
    assert str(tmp_path / "file" / "spool") in spool.obstacle()
    with pytest.raises(SpoolUnavailable, match="SPOOL_DIRECTORY"):
        spool.append(flush(0))


def test_only_the_owner_may_read_what_people_did(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "spool")
    spool.append(flush(0))
    paths = [tmp_path / "spool", *(tmp_path / "spool").rglob("*")]
    assert {path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077} == set()


def test_a_way_to_sync_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SPOOL_FSYNC"):
        open_spool(tmp_path, sync="sometimes")
