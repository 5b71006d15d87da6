"""How much goes into one statement."""

from hypothesis import given
from hypothesis import strategies as st

from footfall.packets import groups


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(0, 120))
def test_every_group_fits_or_cannot_be_divided_and_none_is_left_out(sizes: list[int], limit: int) -> None:
    found = list(groups(sizes, limit))
    assert [place for begin, end in found for place in range(begin, end)] == list(range(len(sizes)))
    assert all(sum(sizes[begin:end]) <= limit or end - begin == 1 for begin, end in found)


@given(st.lists(st.integers(1, 50), min_size=2, max_size=40), st.integers(0, 120))
def test_neighbouring_groups_would_not_fit_together(sizes: list[int], limit: int) -> None:
    found = list(groups(sizes, limit))
    assert all(sum(sizes[begin : end + 1]) > limit for begin, end in found[:-1])
