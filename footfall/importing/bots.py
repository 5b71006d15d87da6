"""Which requests people did not make: those of bots, and of programs that fetch pages (curl, say).

What the tracker takes for a bot is one (footfall/tracking/detection); a library for HTTP requests in a user agent is
the other, as conformance shows (`import/ncsa_extended`: curl).
"""

from footfall.tracking.detection.detector import detect
from footfall.tracking.devices import Agent

_LIBRARY = "library"
_KEPT = 100_000


class Bots:
    """Tells bots by their user agents; remembers those it has seen."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def is_bot(self, user_agent: str) -> bool:
        """Whether a user agent is a bot's; one that is not known is not."""
        known = self._known.get(user_agent)
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[user_agent] = bool(user_agent) and _is_bot(user_agent)
        return known


def _is_bot(user_agent: str) -> bool:
    found = detect(Agent.of(user_agent).user_agent)
    return found.is_bot or found.client.kind == _LIBRARY
