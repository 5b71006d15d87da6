"""The moments that logs write down, in any of the ways that web servers know."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_CLF = re.compile(
    r"(\d\d)/([A-Z][a-z][a-z])/(\d{4}):(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: ?([+-]\d\d):?(\d\d)| ?(Z|UTC|GMT))?"
)
_EPOCH = re.compile(r"(\d{9,10})(\.\d+)?")
_EPOCH_PARTS = re.compile(r"\d{12,17}")  # milliseconds or microseconds
_KEPT = 50_000


class Times:
    """Reads moments; remembers those it has read, as many lines of a log share one.

    Args:
        zone: of moments that do not say theirs.
        written: the strftime format that they are written in, where the log's own definition names one.
    """

    def __init__(self, zone: tzinfo = UTC, written: str = "") -> None:
        self._zone = zone
        self._read: Callable[[str], float] = self._read_any if not written else self._read_written
        self._written = written
        self._known: dict[str, float] = {}

    def written_as(self, written: str) -> "Times":
        """The same for moments in a strftime format."""
        return Times(self._zone, written)

    def __call__(self, text: str) -> float:
        """The Unix time of a moment.

        Raises:
            ValueError: it is none.
        """
        moment = self._known.get(text)
        if moment is None:
            moment = self._read(text)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[text] = moment
        return moment

    def _read_written(self, text: str) -> float:
        return self._in_zone(datetime.strptime(text, self._written))

    def _read_any(self, text: str) -> float:
        if clf := _CLF.fullmatch(text):
            return self._read_clf(clf)
        if _EPOCH.fullmatch(text):
            return float(text)
        if _EPOCH_PARTS.fullmatch(text):
            return int(text) / (1e3 if len(text) < 15 else 1e6)
        return self._in_zone(datetime.fromisoformat(text))

    def _read_clf(self, match: re.Match[str]) -> float:
        day, month, year, hour, minute, second, part, hours, minutes, utc = match.groups()
        moment = datetime(int(year), _month(month), int(day), int(hour), int(minute), min(int(second), 59))
        if part:
            moment = moment.replace(microsecond=int(part[:6].ljust(6, "0")))
        if hours:
            offset = timedelta(hours=abs(int(hours)), minutes=int(minutes))
            moment = moment.replace(tzinfo=timezone(-offset if hours.startswith("-") else offset))
        elif utc:
            moment = moment.replace(tzinfo=UTC)
        return self._in_zone(moment)

    def _in_zone(self, moment: datetime) -> float:
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone)).timestamp()


def _month(name: str) -> int:
    number = _MONTHS.get(name)
    if number is None:
        raise ValueError(f"{name} is no month")
    return number
