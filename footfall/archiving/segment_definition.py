"""The grammar of segments: from `countryCode==de;actions>3,visitCount>1` to conditions.

`;` is and, `,` is or and binds tighter: what is written above is "from Germany, and more than three actions or not the
first visit". A backslash before one of them makes it part of a value. Values are encoded as in a URL; the definition as
a whole may be encoded once more.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import unquote_plus

from footfall.errors import InvalidInput

LONGEST: Final = 10_000
MOST_CONDITIONS: Final = 300


class Operator(Enum):
    """How a condition compares, in the order in which operators are told apart."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    AT_LEAST = ">="
    GREATER = ">"
    AT_MOST = "<="
    LESS = "<"
    CONTAINS = "=@"
    CONTAINS_NOT = "!@"
    STARTS = "=^"
    ENDS = "=$"

    @property
    def is_negative(self) -> bool:
        """Whether it holds where the opposite does not."""
        return self in _OPPOSITES

    @property
    def positive(self) -> Operator:
        """The operator that holds where this negative one does not; a positive one itself."""
        return _OPPOSITES.get(self, self)


_OPPOSITES: Final = {Operator.NOT_EQUAL: Operator.EQUAL, Operator.CONTAINS_NOT: Operator.CONTAINS}
_CONDITION = re.compile(f"(.+?)({'|'.join(re.escape(operator.value) for operator in Operator)})(.*)", re.DOTALL)
_AND, _OR = (re.compile(rf"(?<!\\){sign}") for sign in ";,")
_ESCAPED = re.compile(r"\\([;,])")


@dataclass(frozen=True)
class Condition:
    """One comparison.

    Args:
        value: decoded; empty only with EQUAL and NOT_EQUAL, which then ask whether there is a value.
    """

    name: str
    operator: Operator
    value: str


Definition = tuple[tuple[Condition, ...], ...]
"""All of the members hold; a member holds when any of its conditions does."""


def parse(text: str, names: Container[str]) -> Definition:
    """The conditions of a definition, encoded as a whole or not: whichever reading has more conditions.

    Args:
        names: those that conditions may use.

    Raises:
        InvalidInput: it is too long, a condition has no operator or needs a value, or a name does not exist.
    """
    if len(text) > LONGEST:
        raise InvalidInput(f"A segment has at most {LONGEST:,} characters: this one has {len(text):,}.")
    decoded = unquote_plus(text)
    if decoded == text:
        return _read(text, names)
    readings, errors = [], []
    for reading in (decoded, text):
        try:
            readings.append(_read(reading, names))
        except InvalidInput as error:
            errors.append(error)
    if not readings:
        raise errors[-1]
    return max(readings, key=lambda definition: sum(map(len, definition)))


def _read(text: str, names: Container[str]) -> Definition:
    definition = tuple(tuple(_condition(part, names) for part in _OR.split(clause)) for clause in _AND.split(text))
    if sum(map(len, definition)) > MOST_CONDITIONS:
        raise InvalidInput(f"A segment has at most {MOST_CONDITIONS} conditions.")
    return definition


def _condition(text: str, names: Container[str]) -> Condition:
    match = _CONDITION.fullmatch(_ESCAPED.sub(r"\1", text.strip()))
    if match is None:
        operators = " ".join(operator.value for operator in Operator)
        raise InvalidInput(
            f"{_shown(text)} is no condition of a segment: write a name, one of {operators}, and a value."
        )
    name, operator, value = match[1], Operator(match[2]), unquote_plus(match[3])
    if name not in names:
        raise InvalidInput(f"{_shown(name)} is not a name that segments know: API.getSegmentsMetadata lists them.")
    if not value and operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
        raise InvalidInput(f"{_shown(text)} has no value: only == and != can do without one.")
    return Condition(name, operator, value)


def _shown(text: str) -> str:
    """Text of somebody else's in an error message."""
    return repr(text if len(text) <= 100 else text[:100] + "…")
