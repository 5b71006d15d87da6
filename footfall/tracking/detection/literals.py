"""Which literal texts a match of a regular expression must contain, so that a search for literals can stand before it.

`clauses(pattern)` gives sets of lower-case texts: whatever the pattern matches contains at least one text of every
set, letters of either case. A pattern that promises nothing has no clauses. The pattern is taken apart by the parser
of the standard library's `re`; an element that is not known here promises nothing, which is always right.
"""

import re
from collections.abc import Iterable, Sequence
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

Clause = frozenset[str]

_MOST_TEXTS = 24  # of one clause: "SM-G99[0-9]" is ten texts, a larger choice is left out
_MOST_CHARACTERS = 12  # of one character class
_NOTHING: Clause = frozenset({""})


def clauses(pattern: str) -> list[Clause]:
    """What a match of the pattern, ASCII letters in either case, must contain."""
    exact, required = _sequence(_parser.parse(pattern, re.IGNORECASE | re.ASCII))
    return [*required, *_promised(exact)]


def _promised(exact: Clause | None) -> list[Clause]:
    return [exact] if exact is not None and "" not in exact else []


def _sequence(elements: Iterable[tuple[Any, Any]]) -> tuple[Clause | None, list[Clause]]:
    """The texts that a sequence can be (None: too many or unknown), and what it must contain otherwise.

    Neighbours whose texts are known are joined, as long as there are few enough.
    """
    joined: Clause = _NOTHING
    whole = True
    required: list[Clause] = []
    for operator, argument in elements:
        exact, inside = _element(operator, argument)
        if exact is not None and len(joined) * len(exact) <= _MOST_TEXTS:
            joined = frozenset(before + after for before in joined for after in exact)
            continue
        whole = False
        required += _promised(joined)
        required += inside
        joined = exact if exact is not None else _NOTHING
    if whole:
        return joined, []
    return None, required + _promised(joined)


def _element(operator: Any, argument: Any) -> tuple[Clause | None, list[Clause]]:
    if operator is _constants.LITERAL:
        return frozenset({chr(argument).lower()}), []
    if operator is _constants.IN:
        return _characters(argument), []
    if operator is _constants.BRANCH:
        return _branch(argument[1])
    if operator is _constants.SUBPATTERN:
        return _sequence(argument[3])
    if operator is _constants.ATOMIC_GROUP:
        return _sequence(argument)
    if operator in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT):
        return _repeat(*argument)
    if operator in (_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT):
        return _NOTHING, []
    return None, []


def _characters(items: Sequence[tuple[Any, Any]]) -> Clause | None:
    found: set[str] = set()
    for operator, argument in items:
        if operator is _constants.LITERAL:
            found.add(chr(argument).lower())
        elif operator is _constants.RANGE and argument[1] - argument[0] < _MOST_CHARACTERS:
            found.update(chr(code).lower() for code in range(argument[0], argument[1] + 1))
        else:
            return None
    return frozenset(found) if len(found) <= _MOST_CHARACTERS else None


def _branch(alternatives: Sequence[Iterable[tuple[Any, Any]]]) -> tuple[Clause | None, list[Clause]]:
    parts = [_sequence(alternative) for alternative in alternatives]
    exacts = [exact for exact, _ in parts]
    if all(exact is not None for exact in exacts):
        union = frozenset(text for exact in exacts for text in exact or ())
        # Too many to be joined with neighbours still make a clause.
        return (union, []) if len(union) <= _MOST_TEXTS else (None, _promised(union))
    best = [strongest([*required, *_promised(exact)]) for exact, required in parts]
    if any(clause is None for clause in best):
        return None, []
    return None, [frozenset(text for clause in best for text in clause or ())]


def _repeat(least: int, most: int, element: Iterable[tuple[Any, Any]]) -> tuple[Clause | None, list[Clause]]:
    exact, required = _sequence(element)
    if least == 0:
        return (exact | _NOTHING, []) if most == 1 and exact is not None else (None, [])
    if least == most == 1:
        return exact, required
    return None, [*required, *_promised(exact)]


# Texts that most user agents contain say little, however long they are.
_COMMON = (
    "mozilla/5.0 (linux; android 10; k) applewebkit/537.36 (khtml, like gecko) chrome/126.0.0.0 mobile safari/537.36 "
    "mozilla/5.0 (iphone; cpu iphone os 17_5_1 like mac os x) applewebkit/605.1.15 (khtml, like gecko) version/17.5 "
    "mobile/15e148 safari/604.1 mozilla/5.0 (windows nt 10.0; win64; x64; rv:109.0) gecko/20100101 firefox/115.0 "
    "mozilla/5.0 (x11; linux x86_64) build/ version/4.0 android 4.4.2; u; en-us; android 11; android 9; android 8.1.0;"
)


def strongest(choices: Iterable[Clause]) -> Clause | None:
    """The clause that the fewest user agents will fulfil, by guess; None of none."""
    return max(choices, key=_strength, default=None)


def _strength(clause: Clause) -> tuple[int, int, int]:
    common = sum(text in _COMMON for text in clause)
    return (-common if len(clause) > 1 else -common * 5, min(map(len, clause)), -len(clause))
