"""Versions as the rules of the reference read and compare them."""

import re
from itertools import zip_longest

_PARTS = re.compile(r"\d+|[a-zA-Z]+", re.ASCII)
# The order of words in a version; a number comes after all of them but a patch.
_WORDS = {"dev": 0, "alpha": 1, "a": 1, "beta": 2, "b": 2, "rc": 3, "c": 3, "pl": 6, "p": 6}
_ABSENT, _NUMBER = 4, 5


def tidy(version: str) -> str:
    """A version with dots for underscores, without dots and spaces around it."""
    return version.replace("_", ".").strip(" .")


def is_at_least(version: str, other: str) -> bool:
    """Whether a version is the other one or later."""
    return _compare(version, other) >= 0


def is_before(version: str, other: str) -> bool:
    """Whether a version is earlier than the other one."""
    return _compare(version, other) < 0


def _compare(one: str, other: str) -> int:
    for left, right in zip_longest(_PARTS.findall(one), _PARTS.findall(other)):
        a, b = _rank(left), _rank(right)
        if a != b:
            return -1 if a < b else 1
    return 0


def _rank(part: str | None) -> tuple[int, int]:
    if part is None:
        return _ABSENT, 0
    if part.isdigit():
        return _NUMBER, int(part)
    return _WORDS.get(part.lower(), -1), 0
