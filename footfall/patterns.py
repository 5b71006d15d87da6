"""Regular expressions that people give, for goals, dimensions and exclusions: no text can make one take long.

`re` goes through all ways in which an expression might match. A visitor who knows that a site has the goal `.*thanks.*`
could keep a worker busy for minutes with one long URL. RE2 takes time linear in the text. What it does not know
(look-arounds, back references) goes to `regex`, which gives up after a moment, as the reference's engine does after a
number of steps; an expression that gave up is not tried again until its site is read anew.
"""

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2
import regex

_SECONDS = 0.05
# RE2 takes 3 us to be called; URLs and titles come again and again.
_REMEMBERED, _SHORT = 512, 200
_log = logging.getLogger(__name__)


class InvalidPattern(Exception):
    """The text is no regular expression."""


@dataclass(eq=False)
class Pattern:
    """A compiled expression.

    Args:
        source: as it was given.
        groups: how many there are in it.
    """

    source: str
    groups: int
    _linear: Any
    _bounded: Any

    def __post_init__(self) -> None:
        self._remembered = lru_cache(_REMEMBERED)(self._search)

    def search(self, text: str) -> Any:
        """The first match, with its groups by number as of `re`; None when there is none, or none was found in time."""
        return self._remembered(text) if len(text) <= _SHORT else self._search(text)

    def _search(self, text: str) -> Any:
        if self._linear is not None:
            try:
                return self._linear.search(text)
            except UnicodeEncodeError:  # half a character: no text that anybody sees
                return None
        if self._bounded is None:
            return None
        try:
            return self._bounded.search(text, timeout=_SECONDS)
        except TimeoutError:
            _log.warning("The regular expression %.200r takes too long and is not used for a while", self.source)
            self._bounded = None
            return None


def compiled(source: str, flags: str = "") -> Pattern:
    """The expression, ready to search with.

    Args:
        flags: any of `i` (either case), `m` (^ and $ at each line), `s` (a dot is any character), `x` (spaces and
            comments do not count).

    Raises:
        InvalidPattern: it is none.
    """
    prefix = f"(?{flags})" if flags else ""
    try:
        linear = re2.compile(prefix + source, _OPTIONS)
        return Pattern(source, linear.groups, linear, None)
    except (re2.error, UnicodeEncodeError):
        pass
    try:
        bounded = regex.compile(prefix + source)
    except (regex.error, RecursionError, OverflowError) as error:
        raise InvalidPattern(str(error)) from None
    return Pattern(source, bounded.groups, None, bounded)


_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
