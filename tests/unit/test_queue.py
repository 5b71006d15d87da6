"""Leases, the head of the list, and asking, on a Redis in memory."""

import fakeredis
import pytest
from queues import queue_on
from rq import Queue

from footfall.queue.lease import Lease, LeaseLost, holders, release_all
from footfall.queue.redis import keys

SHARD = "16-03"
ENOUGH = 1_000_000  # bytes


@pytest.fixture
def redis() -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis()


def test_one_holds_the_lease_and_each_next_has_a_larger_fencing_number(redis: fakeredis.FakeRedis) -> None:
    first = Lease.acquire(queue_on(redis), SHARD, "one", 30)
    assert first is not None
    assert Lease.acquire(queue_on(redis), SHARD, "two", 30) is None
    assert holders(queue_on(redis), [SHARD, "16-04"]) == {SHARD: "one"}
    first.release()
    second = Lease.acquire(queue_on(redis), SHARD, "two", 30)
    assert second is not None
    assert second.fence > first.fence


def test_a_lost_lease_is_noticed_and_the_next_holders_is_left_alone(redis: fakeredis.FakeRedis) -> None:
    lost = Lease.acquire(queue_on(redis), SHARD, "one", 0.001)
    assert lost is not None
    redis.delete(keys.lease(SHARD))
    assert Lease.acquire(queue_on(redis), SHARD, "two", 30) is not None
    with pytest.raises(LeaseLost):
        for _ in range(100_000):
            lost.keep()
    lost.release()
    assert holders(queue_on(redis), [SHARD]) == {SHARD: "two"}


def test_the_leases_of_a_dead_holder_are_released_and_no_others(redis: fakeredis.FakeRedis) -> None:
    Lease.acquire(queue_on(redis), "16-01", "dead", 30)
    Lease.acquire(queue_on(redis), "16-02", "alive", 30)
    assert release_all(queue_on(redis), ["16-00", "16-01", "16-02"], "dead") == ["16-01"]
    assert holders(queue_on(redis), ["16-00", "16-01", "16-02"]) == {"16-02": "alive"}


def test_a_batch_stays_in_the_list_until_it_is_trimmed(redis: fakeredis.FakeRedis) -> None:
    redis.rpush(keys.requests(SHARD), *[b"%d" % n for n in range(5)])
    found = queue_on(redis).read(SHARD, 3, ENOUGH)
    assert (found.trimmed, found.depth, found.records) == (0, 5, [b"0", b"1", b"2"])
    assert queue_on(redis).read(SHARD, 3, ENOUGH) == found
    assert queue_on(redis).trim(SHARD, found.generation, found.trimmed, 3)
    found = queue_on(redis).read(SHARD, 3, ENOUGH)
    assert (found.trimmed, found.depth, found.records) == (3, 2, [b"3", b"4"])


@pytest.mark.parametrize(("byte_limit", "count"), [(0, 1), (99, 1), (100, 1), (199, 1), (200, 2), (3_999, 39)])
def test_a_batch_ends_before_it_is_too_large_and_has_a_record_in_any_case(
    redis: fakeredis.FakeRedis, byte_limit: int, count: int
) -> None:
    redis.rpush(keys.requests(SHARD), *[b"%0100d" % n for n in range(50)])
    found = queue_on(redis).read(SHARD, 50, byte_limit)
    assert (found.depth, found.records) == (50, [b"%0100d" % n for n in range(count)])


def test_a_slice_begins_at_an_offset_or_at_the_head(redis: fakeredis.FakeRedis) -> None:
    redis.rpush(keys.requests(SHARD), *[b"%d" % n for n in range(5)])
    queue = queue_on(redis)
    assert queue.slice(SHARD, 1, 2) == (1, [b"1", b"2"])
    assert queue.trim(SHARD, queue.read(SHARD, 1, ENOUGH).generation, 0, 3)
    assert queue.slice(SHARD, 1, 9) == (3, [b"3", b"4"])
    assert queue.slice(SHARD, 5, 9) == (5, [])


def test_a_batch_is_trimmed_once(redis: fakeredis.FakeRedis) -> None:
    redis.rpush(keys.requests(SHARD), *[b"%d" % n for n in range(5)])
    found = queue_on(redis).read(SHARD, 2, ENOUGH)
    assert queue_on(redis).trim(SHARD, found.generation, 0, 2)
    assert not queue_on(redis).trim(SHARD, found.generation, 0, 2)
    assert queue_on(redis).read(SHARD, 9, ENOUGH).records == [b"2", b"3", b"4"]


def test_nothing_is_trimmed_from_a_redis_that_was_emptied_meanwhile(redis: fakeredis.FakeRedis) -> None:
    redis.rpush(keys.requests(SHARD), b"old")
    found = queue_on(redis).read(SHARD, 2, ENOUGH)
    redis.flushall()
    redis.rpush(keys.requests(SHARD), b"new")
    assert not queue_on(redis).trim(SHARD, found.generation, found.trimmed, 1)
    after = queue_on(redis).read(SHARD, 2, ENOUGH)
    assert after.records == [b"new"]
    assert after.generation != found.generation


def test_a_drain_is_asked_for_once(redis: fakeredis.FakeRedis) -> None:
    drains = queue_on(redis).drains
    assert drains.ask(SHARD)
    assert not drains.ask(SHARD)
    assert drains.waiting() == {SHARD}
    assert drains.equals_wait(SHARD)
    assert Queue(keys.drain_queue(), connection=redis).count == 1


def test_a_drain_can_be_asked_for_again_when_the_last_is_done(redis: fakeredis.FakeRedis) -> None:
    drains = queue_on(redis).drains
    drains.ask(SHARD)
    drains.clear(SHARD)
    assert drains.ask(SHARD)


def test_what_is_asked_for_is_forgotten_after_a_while_unless_its_job_waits(redis: fakeredis.FakeRedis) -> None:
    drains = queue_on(redis).drains
    drains.ask(SHARD)
    assert 0 < redis.ttl(keys.asked(SHARD)) <= 15
    redis.expire(keys.asked(SHARD), 1)
    assert drains.renew_waiting() == {SHARD}
    assert redis.ttl(keys.asked(SHARD)) > 1
