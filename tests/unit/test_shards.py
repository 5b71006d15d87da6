"""Which shard a visitor's requests go to."""

import pytest

from footfall.queue.request import TrackingRequest
from footfall.queue.shards import layout, layout_of
from footfall.queue.visitor import identity, parse, visitor_hash


def test_a_shard_is_named_after_the_number_of_shards() -> None:
    assert layout(3) == ("3-00", "3-01", "3-02")
    assert layout_of("16-03") == 16


@pytest.mark.parametrize("name", ["16", "16-16", "x-1", "-1-0", ""])
def test_what_is_not_a_shard_has_no_layout(name: str) -> None:
    with pytest.raises(ValueError):
        layout_of(name)


def test_the_strongest_identity_decides() -> None:
    assert identity("user", "cid", "id", "192.0.2.1", "agent") == "user"
    assert identity("", "cid", "id", "192.0.2.1", "agent") == "cid"
    assert identity("", "", "id", "192.0.2.1", "agent") == "id"
    assert identity("", "", "", "192.0.2.1", "agent") == "192.0.2.1agent"


def hash_of(query: str, body: str = "", address: str = "192.0.2.1", agent: str = "x") -> int:
    request = TrackingRequest(0.0, address, query.encode(), body.encode(), {"user-agent": agent})
    return visitor_hash({**parse(request.body), **parse(request.query)}, request)


def test_visitors_spread_over_all_shards_and_stay_where_they_are() -> None:
    numbers = [hash_of(f"_id=visitor{n}") % 16 for n in range(1000)]
    assert set(numbers) == set(range(16))
    assert numbers == [hash_of("rec=1", f"_id=visitor{n}", agent=str(n)) % 16 for n in range(1000)]


def test_without_an_identity_address_and_user_agent_decide() -> None:
    assert hash_of("") == hash_of("rec=1")
    assert len({hash_of(""), hash_of("", agent="y"), hash_of("", address="192.0.2.2"), hash_of("cip=192.0.2.3")}) == 4


def test_an_identity_of_any_text_has_a_shard() -> None:
    assert 0 <= hash_of("uid=%FF%00%F0%9D%84%9E", agent="\udcff") % 16 < 16
