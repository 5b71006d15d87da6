"""The steps of recording a batch, and how long each takes."""

import time
from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """What a worker does with a batch, in this order."""

    READ = "read"
    """The head of the shard's list, and where it stands."""

    DECODE = "decode"
    """Records to requests."""

    PARSE = "parse"
    """Requests to hits: parameters, sites, tokens, exclusions."""

    DEVICES = "devices"
    ACTION_IDS = "action_ids"
    PROVIDERS = "providers"
    """Waiting for names of addresses (PROVIDER_LOOKUP_MILLISECONDS)."""

    OFFSET = "offset"
    """The beginning of the transaction, and the shard's row in it."""

    VISIT_LOOKUP = "visit_lookup"
    ORDER_LOOKUP = "order_lookup"
    RULES = "rules"
    """Visits, actions and conversions in memory."""

    INSERT_VISITS = "insert_visits"
    INSERT_ACTIONS = "insert_actions"
    CONVERSIONS = "conversions"
    UPDATE_VISITS = "update_visits"
    UPDATE_ACTIONS = "update_actions"
    TOUCHED_DAYS = "touched_days"
    BARRIER = "barrier"
    """Whether actions were removed meanwhile."""

    DEAD_LETTERS = "dead_letters"
    COMMIT = "commit"
    TRIM = "trim"
    """Removing the batch from the list, and counting it."""

    RETRY = "retry"
    """Waiting after a deadlock or a lost connection."""


class Steps:
    """Sums up the time of a batch by step: a step lasts until the next one begins. For one thread.

    Args:
        now: seconds that only grow.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._step: Step | None = None
        self._since = 0.0
        self._spent: dict[Step, float] = {}

    def begin(self, step: Step) -> None:
        """A batch begins with this step; what was not taken of the one before is forgotten."""
        self.take()
        self.at(step)

    def at(self, step: Step) -> None:
        """This step begins."""
        now = self._now()
        if self._step is not None:
            self._spent[self._step] = self._spent.get(self._step, 0.0) + now - self._since
        self._step, self._since = step, now

    def take(self) -> dict[Step, float]:
        """The seconds of each step since the last call, in the order in which they began; the last one has ended."""
        if self._step is not None:
            self.at(self._step)
        self._step = None
        spent, self._spent = self._spent, {}
        return spent
