"""Records and flushes that an older or a newer version wrote."""

import msgspec
import pytest

from footfall.queue import flush as flushes
from footfall.queue import request as requests
from footfall.queue.flush import Flush
from footfall.queue.request import TrackingRequest

RECORD = TrackingRequest(1.5, "192.0.2.1", b"idsite=1", b"", {"user-agent": "x"}, "bulk", "hash")
FLUSH = Flush("producer", 3, [7], [b"record"], 1.5, {"ignored": 1})


def test_a_record_of_a_newer_version_is_read_without_what_is_new() -> None:
    newer = msgspec.msgpack.encode([*msgspec.msgpack.decode(requests.encode(RECORD)), "new", {"also": "new"}])
    assert requests.decode(newer) == RECORD


@pytest.mark.parametrize("fields", [5, 6])
def test_a_record_of_an_older_version_is_read_with_defaults_for_what_is_missing(fields: int) -> None:
    older = msgspec.msgpack.decode(requests.encode(RECORD))[:fields]
    read = requests.decode(msgspec.msgpack.encode(older))
    assert (read.query, read.token_hash) == (b"idsite=1", "")


def test_a_spool_may_be_brought_back_by_another_version() -> None:
    fields = msgspec.msgpack.decode(flushes.encode(FLUSH))
    assert flushes.decode(msgspec.msgpack.encode([*fields, "new"])) == FLUSH
    assert flushes.decode(msgspec.msgpack.encode(fields[:5])).records == [b"record"]
