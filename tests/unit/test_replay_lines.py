"""Requests as lines of JSON: everything of them, no token, and what is no request."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.clock import FixedClock
from footfall.queue.request import TrackingRequest, encode
from footfall.queue.tokens import sealed
from footfall.replaying import lines
from footfall.replaying.lines import InvalidLine
from footfall.replaying.pace import Pace

TOKEN = "0123456789abcdef0123456789abcdef"
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
requests = st.builds(
    TrackingRequest,
    received_at=st.floats(1, 2**33),
    address=texts,
    query=st.binary(max_size=60) | texts.map(str.encode),
    body=st.binary(max_size=60),
    headers=st.dictionaries(st.text("abc-", min_size=1, max_size=6), texts, max_size=3),
    bulk_token=st.sampled_from(["", TOKEN]),
    token_hash=st.sampled_from(["", "f" * 128]),
)


@given(requests)
def test_a_line_carries_all_of_a_request_but_its_token(request: TrackingRequest) -> None:
    line = lines.written(request, str.upper)
    assert b"\n" not in line
    assert lines.read(line) == sealed(request, str.upper)
    assert TOKEN.encode() not in line


@pytest.mark.parametrize("place", ["query", "body"])
def test_a_token_is_written_as_its_hash(place: str) -> None:
    plain = TrackingRequest(1.5, "192.0.2.1", b"idsite=1&rec=1", b"", {})
    line = lines.written(
        msgspec.structs.replace(plain, **{place: b"token%5Fauth=" + TOKEN.encode() + b"&cdt=1"}), str.upper
    )
    assert TOKEN.encode() not in line
    assert json.loads(line)["token_hash"] == TOKEN.upper()
    assert json.loads(line)[place] == "cdt=1"


def test_bytes_that_are_no_text_are_written_as_base64() -> None:
    line = json.loads(lines.written(TrackingRequest(1.0, "", b"a=\xff", b"b=\x00", {}), None))
    assert line["query_base64"] == "YT3/"
    assert line["body"] == "b=\x00"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"nonsense",
        b'{"received_at":1}',
        b'{"received_at":"1","address":""}',
        b'{"received_at":NaN,"address":""}',
        b'{"received_at":1e400,"address":""}',
        b'{"received_at":-1,"address":""}',
        b'{"received_at":1,"address":"","query_base64":"%"}',
        b'{"received_at":1,"address":"","headers":{"a":1}}',
        b'{"received_at":1,"address":"\\ud800"}',
        b'{"received_at":1,"address":' + b"[" * 100_000,
    ],
)
def test_what_is_no_request_is_refused(line: bytes) -> None:
    with pytest.raises(InvalidLine):
        lines.read(line)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_request_or_refused(line: bytes) -> None:
    with suppress(InvalidLine):
        encode(lines.read(line))


def waits(received: list[float], **pace: float) -> list[float]:
    """When each request goes, in seconds after the first."""
    clock, sent = FixedClock(datetime(2026, 8, 20, tzinfo=UTC)), []
    elapsed = 0.0

    def sleep(seconds: float) -> None:
        nonlocal elapsed
        elapsed += seconds

    clock.monotonic = lambda: elapsed  # type: ignore[method-assign]
    paced = Pace(clock, sleep, lambda: False, **pace)  # type: ignore[arg-type]
    for at in received:
        paced.wait(at)
        sent.append(round(elapsed, 6))
    return sent


def test_requests_go_at_their_own_pace_or_times_faster() -> None:
    assert waits([100.0, 101.0, 103.5], speed=1) == [0, 1, 3.5]
    assert waits([100.0, 101.0, 103.5], speed=10) == [0, 0.1, 0.35]


def test_requests_go_at_a_given_rate_whatever_their_times() -> None:
    assert waits([100.0, 100.0, 500.0, 100.0], rate=2) == [0, 0.5, 1, 1.5]


def test_the_rate_holds_back_what_its_own_pace_would_not() -> None:
    assert waits([100.0, 100.0, 105.0], speed=1, rate=2) == [0, 0.5, 5]


def test_what_is_older_than_the_first_goes_at_once_and_without_a_pace_everything_does() -> None:
    assert waits([100.0, 90.0, 100.5], speed=1) == [0, 0, 0.5]
    assert waits([100.0, 900.0]) == [0, 0]
