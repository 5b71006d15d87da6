"""Times statements, by their text with the values taken out (SQL_PROFILING)."""

import random
import re
import threading
from dataclasses import dataclass

from footfall.errors import ConfigurationError

_MOST_CHARACTERS = 4_000
_MOST_STATEMENTS = 2_000
_OTHERS = "(other statements)"

_LITERAL = re.compile(
    r"""x?'(?:[^'\\]|\\.)*(?:'|$)|x?"(?:[^"\\]|\\.)*(?:"|$)|\b0x[0-9a-f]+\b|\b\d[\d.]*\b""", re.I | re.S
)
_MONTH = re.compile(r"_\d{4}_\d{2}\b")
_LIST = re.compile(r"\(\s*(?:(?:%s|\?|NULL)\s*,\s*)+(?:(?:%s?|\?|NULL)\s*)?(?:\)|$)", re.I)
_REPEATED = re.compile(r"(\((?:%s|\?), …\)|\(%s\))(?:\s*,\s*\1)+")
_OF_LISTS = " ,(%s?"  # what a statement that was cut within a list may end with
_SPACE = re.compile(r"\s+")
_VALUES = b" VALUES "


@dataclass
class Timed:
    """How often a statement ran, and how long in all."""

    count: int = 0
    seconds: float = 0.0


def share(setting: str) -> float:
    """The share of statements that SQL_PROFILING asks to be timed: 0 for `off`, 1 for `on`, else a number in between.

    Raises:
        ConfigurationError: it says something else.
    """
    words = {"off": 0.0, "on": 1.0}
    try:
        found = words.get(setting.strip().lower())
        found = float(setting) if found is None else found
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise ConfigurationError(f"SQL_PROFILING must be on, off or a share such as 0.1, not {setting!r}.")
    return found


def normal(sql: str | bytes) -> str:
    """A statement with its values, the length of its lists and the month of its tables taken out.

    What the driver has quoted already (bytes) is cut off where the rows begin.
    """
    if isinstance(sql, bytes):
        head, values, _ = sql[:_MOST_CHARACTERS].partition(_VALUES)
        sql = head.decode("utf-8", "replace") + (" VALUES (?, …)" if values else "")
    text = _SPACE.sub(" ", sql[:_MOST_CHARACTERS]).strip()
    text = _MONTH.sub("_YYYY_MM", _LITERAL.sub("?", text))
    text = _REPEATED.sub(r"\1, …", _LIST.sub("(%s, …)", text))
    return text if len(sql) <= _MOST_CHARACTERS else text.rstrip(_OF_LISTS)


class StatementProfile:
    """The times of this process's statements since the last `take`; from any thread.

    Args:
        timed_share: of all statements, those that are timed, chosen at random.
    """

    def __init__(self, timed_share: float) -> None:
        self._share = timed_share
        self._timed: dict[str, Timed] = {}
        self._normal: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, sql: str | bytes, seconds: float) -> None:
        """Count a statement that took so long."""
        if self._share < 1 and random.random() >= self._share:
            return
        text = self._normal.get(sql) if isinstance(sql, str) else None
        if text is None:
            text = normal(sql)
            if isinstance(sql, str) and len(sql) <= _MOST_CHARACTERS:
                if len(self._normal) >= _MOST_STATEMENTS:
                    self._normal.clear()
                self._normal[sql] = text
        with self._lock:
            timed = self._timed.get(text)
            if timed is None:
                text = text if len(self._timed) < _MOST_STATEMENTS else _OTHERS
                timed = self._timed.setdefault(text, Timed())
            timed.count += 1
            timed.seconds += seconds

    def take(self) -> dict[str, Timed]:
        """The times by statement, which begin anew."""
        with self._lock:
            taken, self._timed = self._timed, {}
            return taken

    def put_back(self, times: dict[str, Timed]) -> None:
        """Count in what could not be written."""
        with self._lock:
            for text, more in times.items():
                timed = self._timed.setdefault(text, Timed())
                timed.count += more.count
                timed.seconds += more.seconds
