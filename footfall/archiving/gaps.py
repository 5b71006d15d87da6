"""Ranges of a number, each a row: visits by how many pages they have, conversions by how many days they took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

Gap = tuple[int, int | None]  # from, to; both included, None for no end

_BETWEEN, _AND_MORE = "-", "%2B"  # as labels are archived: `6-7`, `21%2B`

DAYS: Final[tuple[Gap, ...]] = (
    *((days, days) for days in range(8)),
    (8, 14),
    (15, 30),
    (31, 60),
    (61, 120),
    (121, 364),
    (365, None),
)


def gap_label(gap: Gap) -> str:
    """The label under which a gap is archived."""
    low, high = gap
    return f"{low}{_AND_MORE}" if high is None else f"{low}{_BETWEEN}{high}"


def gap_of(label: str) -> Gap:
    """The gap of an archived label."""
    low, _, high = label.partition(_BETWEEN)
    return (int(low.removesuffix(_AND_MORE)), None) if label.endswith(_AND_MORE) else (int(low), int(high))


def gap_counts(values: Iterable[tuple[int | None, int]], gaps: Sequence[Gap]) -> dict[str, int]:
    """How often values lie in each gap, by its label.

    Args:
        values: each with how often it occurs; null lies nowhere.
    """
    known = [(value, count) for value, count in values if value is not None]
    return {
        gap_label((low, high)): sum(count for value, count in known if low <= value and (high is None or value <= high))
        for low, high in gaps
    }


def gap_text(gap: Gap) -> str:
    """The gap as people read it: `1`, `6-7`, `21+`."""
    low, high = gap
    if high is None:
        return f"{low}+"
    return str(low) if low == high else f"{low}-{high}"


def counted(gap: Gap, one: str, many: str) -> str:
    """The gap with what it counts: `1 page`, `6-7 pages`."""
    return f"{gap_text(gap)} {one if gap == (1, 1) else many}"
