"""Carries out a schedule of faults, some of them at the same time."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from faults.installation import Installation
from faults.kinds import KINDS, Kind, NoEffect

_TRY_SECONDS = 60


@dataclass(frozen=True)
class Injection:
    """A fault to come.

    Args:
        pause: seconds after the one before it has begun, or ended where both need the same.
        seconds: how long it lasts.
        seed: of whatever else it leaves to chance.
    """

    kind: Kind
    pause: float
    seconds: float
    seed: int


def schedule(seed: int, count: int, longest: float, pause: float) -> list[Injection]:
    """A random order of so many faults, each kind as often as the others.

    Args:
        longest: seconds that a fault lasts at most.
        pause: seconds between the beginnings of two, at most.
    """
    chance = random.Random(seed)
    kinds: list[Kind] = []
    while len(kinds) < count:
        kinds += chance.sample(KINDS, len(KINDS))
    return [
        Injection(kind, chance.uniform(0, pause), chance.uniform(0.3, longest), chance.randrange(1_000_000_000))
        for kind in kinds[:count]
    ]


class Injector:
    """Injects faults into an installation.

    Args:
        say: told about each that was injected.
    """

    def __init__(self, there: Installation, say: Callable[[str], None]) -> None:
        self._there = there
        self._say = say
        self._taken: set[str] = set()
        self._free = threading.Condition()
        self._running: list[threading.Thread] = []
        self.injected: Counter[str] = Counter()
        self.without_effect: Counter[str] = Counter()
        self.errors: list[str] = []
        self.reordering: list[tuple[float, float]] = []
        """When requests were allowed to overtake each other: spans of the monotonic clock."""

    def begin(self, injection: Injection) -> None:
        """Begin a fault, once nothing else has hold of what it needs."""
        time.sleep(injection.pause)
        with self._free:
            self._free.wait_for(lambda: not self._taken & injection.kind.needs)
            self._taken |= injection.kind.needs
        thread = threading.Thread(target=self._run, args=(injection,), name=injection.kind.name, daemon=True)
        self._running.append(thread)
        thread.start()

    def wait(self) -> None:
        """Wait until no fault is under way."""
        for thread in self._running:
            thread.join()
        self._running = []

    def _run(self, injection: Injection) -> None:
        kind, chance, began = injection.kind, random.Random(injection.seed), time.monotonic()
        try:
            self._try(injection, chance)
            self.injected[kind.name] += 1
            self._say(f"{kind.name}, {time.monotonic() - began:.1f} s")
        except NoEffect as reason:
            self.errors.append(f"{kind.name} had no effect for {_TRY_SECONDS} s: {reason}")
        except Exception as error:
            self.errors.append(f"{kind.name} went wrong: {type(error).__name__}: {error}")
        finally:
            if kind.reorders:
                self.reordering.append((began, time.monotonic()))
            with self._free:
                self._taken -= kind.needs
                self._free.notify_all()

    def _try(self, injection: Injection, chance: random.Random) -> None:
        end = time.monotonic() + _TRY_SECONDS
        while True:
            try:
                injection.kind.inject(self._there, chance, injection.seconds)
                return
            except NoEffect:
                self.without_effect[injection.kind.name] += 1
                if time.monotonic() > end:
                    raise
