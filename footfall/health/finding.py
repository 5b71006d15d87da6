"""What a check finds, and how a check is declared."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Flag, StrEnum, auto

from footfall.health.installation import Installation


class State(StrEnum):
    """How things are."""

    OK = "ok"
    WARNING = "warning"
    """Works, but not as it should, or will not for long."""

    PROBLEM = "problem"
    """Does not work, or loses what it must not lose."""


@dataclass(frozen=True)
class Finding:
    """What was found.

    Args:
        text: what is the case.
        advice: what to do about it; empty when nothing is to be done.
    """

    state: State
    text: str
    advice: str = ""


def ok(text: str) -> Finding:
    """All is well."""
    return Finding(State.OK, text)


def warning(text: str, advice: str) -> Finding:
    """It works, but not as it should."""
    return Finding(State.WARNING, text, advice)


def problem(text: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(State.PROBLEM, text, advice)


class Need(Flag):
    """What a check cannot look without."""

    NOTHING = 0
    DATABASE = auto()
    TABLES = auto()
    """Those of this version, and the database with them."""

    QUEUE = auto()
    """The store that the queue lies in."""

    REDIS = auto()
    """As that store."""


@dataclass(frozen=True)
class Check:
    """A check: a row in the CHECKS of its file.

    Args:
        name: topic and subject, `redis.persistence`; what monitoring knows it by.
        look: looks and says what it finds: one finding, or one for each thing that it looks at.
        needs: without which it cannot look.
        gives: what is missing when it finds a problem.
    """

    name: str
    look: Callable[[Installation], Finding | list[Finding]]
    needs: Need = Need.NOTHING
    gives: Need = Need.NOTHING
