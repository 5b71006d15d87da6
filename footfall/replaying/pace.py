"""How fast requests are replayed."""

from collections.abc import Callable

from footfall.clock import Clock

_LONGEST_NAP = 0.2


class Pace:
    """Waits until a request is due.

    Args:
        rate: requests a second; None for no such limit.
        speed: times their own pace (1: as they came, 10: ten times as fast); None for as fast as possible.
        sleep: pauses for so many seconds.
        should_stop: whether somebody asked for the end; then nothing is waited for.
    """

    def __init__(
        self,
        clock: Clock,
        sleep: Callable[[float], None],
        should_stop: Callable[[], bool],
        *,
        rate: float | None = None,
        speed: float | None = None,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._should_stop = should_stop
        self._rate = rate
        self._speed = speed
        self._begun = 0.0
        self._first: float | None = None
        self._count = 0

    @property
    def is_free(self) -> bool:
        """Whether nothing is ever waited for."""
        return self._rate is None and self._speed is None

    def wait(self, received_at: float) -> None:
        """Return when the request is due; at once when it is late, or older than the first one.

        Args:
            received_at: when it came, Unix time in seconds.
        """
        if self._first is None:
            self._begun, self._first = self._clock.monotonic(), received_at
        due = self._begun
        if self._rate is not None:
            due += self._count / self._rate
        if self._speed is not None:
            due = max(due, self._begun + (received_at - self._first) / self._speed)
        self._count += 1
        while (left := due - self._clock.monotonic()) > 0 and not self._should_stop():
            self._sleep(min(left, _LONGEST_NAP))
