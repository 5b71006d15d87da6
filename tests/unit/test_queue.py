"""Asking for drains, on a Redis in memory."""

import fakeredis
import pytest
from queues import queue_on
from rq import Queue

from footfall.queue.redis import keys

SHARD = "16-03"


@pytest.fixture
def redis() -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis()


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


def test_the_live_lane_has_the_names_that_every_version_before_knows() -> None:
    """So that what lies in a queue is drained by whatever version comes next."""
    assert [keys.generation(), keys.run(), keys.layouts(), keys.layout_order(), keys.COUNTERS] == [
        *("footfall:generation", "footfall:run", "footfall:layouts", "footfall:layout-order", "footfall:counters")
    ]
    assert [name(SHARD) for name in (keys.requests, keys.trimmed, keys.begun, keys.lease, keys.fence, keys.asked)] == [
        *("footfall:queue:16-03", "footfall:trimmed:16-03", "footfall:begun:16-03"),
        *("footfall:lease:16-03", "footfall:fence:16-03", "footfall:asked:16-03"),
    ]
    assert (keys.drain_queue(), keys.value("changed")) == ("footfall-drain", "footfall:changed")
    assert keys.requests("import-16-03") == "footfall:queue:import-16-03"
