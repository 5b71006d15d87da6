"""Which shard a visitor's requests go to."""

import pytest

from footfall.queue.shards import identity, layout, layout_of, visitor_hash


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


def test_visitors_spread_over_all_shards_and_stay_where_they_are() -> None:
    numbers = [visitor_hash(f"visitor {n}") % 16 for n in range(1000)]
    assert set(numbers) == set(range(16))
    assert numbers == [visitor_hash(f"visitor {n}") % 16 for n in range(1000)]


def test_an_identity_of_any_text_has_a_shard() -> None:
    assert 0 <= visitor_hash("\udcff\x00𝄞") % 16 < 16
