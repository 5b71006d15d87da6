"""Requests that are so large, or so many at once, that they do not fit into one statement or one batch."""

import itertools
from collections.abc import Callable

import pytest
import recorded_tracking
import redis
from queues import queue_on
from recorded_tracking import Rows

from footfall.clock import FixedClock
from footfall.database import Database
from footfall.queue.dead_letters import DeadLetter, DeadLetters, LetterChoice
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, new_tools

SHARD = "16-03"
ITEMS = '[["S{0}","Boots {0}","Shoes",49.99,1],["L{0}","Laces",["Extras"],3.5,2]]'
MEBIBYTE = 1024 * 1024


def requests(count: int) -> list[TrackingRequest]:
    """Page views, events, orders and goals of ten visitors, each with texts of its own."""
    kinds: tuple[Callable[[int], str], ...] = (
        lambda n: f"action_name=Page+{n}&urlref=http%3A%2F%2Fwww.example.net%2F{n}",
        lambda n: f"e_c=Video&e_a=play&e_n=Clip+{n}",
        lambda n: f"idgoal=0&revenue=50&ec_id=A-{n}&ec_items={ITEMS.format(n)}",
        lambda n: f"idgoal=0&revenue=50&ec_items={ITEMS.format(n)}",
        lambda n: "idgoal=10&revenue=3",
        lambda n: f"dimension1=gold+{n}&dimension2=ann&pf_net={n}&pv_id=abc{n % 3}",
    )
    return [
        TrackingRequest(
            1_785_000_000.0 + n,
            "198.51.100.7",
            f"idsite=1&rec=1&_id={n % 10:016x}&url=http%3A%2F%2Fshop.example.com%2F{n}&{kind(n)}".encode(),
            b"",
            {"user-agent": "Mozilla/5.0 Firefox/128.0"},
        )
        for n, kind in zip(range(count), itertools.cycle(kinds), strict=False)
    ]


@pytest.fixture
def recorded_in_packets(
    settings: Settings, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], Rows]:
    """Records the same requests on empty tables, in statements of so many bytes; the rows."""

    def record(packet_bytes: int) -> Rows:
        for table in ("log_visit", "log_link_visit_action", "log_conversion", "log_conversion_item", "log_action"):
            database.execute(f"TRUNCATE TABLE {table}")
        monkeypatch.setattr(Database, "packet_bytes", lambda _: packet_bytes)
        recorder = Recorder(database, settings, clock)
        sent = requests(120)
        for batch in (sent[:60], sent[60:]):
            recorded_tracking.record(recorder, database, batch)
        return recorded_tracking.rows_after(database, 0)

    return record


def test_a_batch_that_takes_many_statements_gives_the_same_rows(
    database: Database, recorded_in_packets: Callable[[int], Rows]
) -> None:
    recorded_tracking.put_sites(database)
    whole = recorded_in_packets(16 * MEBIBYTE)
    assert whole["log_visit"]
    assert whole["log_conversion_item"]
    assert recorded_in_packets(3_000) == whole


def test_large_requests_that_are_rejected_become_dead_letters_whatever_the_packet(
    database: Database, clock: FixedClock
) -> None:
    letters = DeadLetters(database, clock)
    body = b"x" * (2 * MEBIBYTE)
    record = encode(TrackingRequest(1_785_000_000.0, "192.0.2.1", b"idsite=9", body, {}))
    with database.transaction():
        letters.add([DeadLetter(SHARD, record, f"There is no site {n}", 9) for n in range(12)])
    kept = letters.newest(100)
    assert [buried.letter.reason for buried in kept] == [f"There is no site {n}" for n in reversed(range(12))]
    assert {buried.letter.record for buried in kept} == {record}


def test_a_request_that_no_statement_can_hold_is_kept_without_its_end(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Database, "packet_bytes", lambda _: 10_000)
    letters = DeadLetters(database, clock)
    record = encode(TrackingRequest(1_785_000_000.0, "192.0.2.1", b"x" * 50_000, b"", {}))
    letters.add([DeadLetter(SHARD, record, "There is no site")])
    (kept,) = letters.newest(1, LetterChoice())
    assert kept.letter.reason == f"There is no site (cut: {len(record)} bytes exceed max_allowed_packet)"
    assert record.startswith(kept.letter.record)
    assert kept.letter.request() is None


def test_a_batch_of_large_requests_is_read_in_parts_and_recorded_once(
    settings: Settings, database: Database, clock: FixedClock, redis_client: redis.Redis
) -> None:
    recorded_tracking.put_sites(database)
    body = b"&ignored=" + b"y" * (3 * MEBIBYTE)
    for sent in requests(20):
        redis_client.rpush(
            keys.requests(SHARD), encode(TrackingRequest(sent.received_at, sent.address, sent.query, body, {}))
        )
    tools = new_tools(
        settings, clock, database, queue_on(redis_client), Recorder(database, settings, clock), patience=IMPATIENT
    )
    batches: list[int] = []
    record = tools.recording.record
    tools.recording.record = lambda position, records, alive: (  # type: ignore[method-assign]
        batches.append(sum(map(len, records))) or record(position, records, alive)  # type: ignore[func-returns-value]
    )
    assert drain(tools, SHARD) == 20
    assert max(batches) <= settings.queue_batch_bytes
    assert database.query("SELECT COUNT(*) FROM log_link_visit_action") != [(0,)]
    assert redis_client.llen(keys.requests(SHARD)) == 0
