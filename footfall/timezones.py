"""The days of a site: calendar dates in the site's own timezone."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from footfall.errors import InvalidInput

_OFFSET = re.compile(r"UTC([+-])(\d{1,2}(?:\.\d+)?)")
_DAYS_KEPT = 1000


def site_zone(name: str) -> tzinfo:
    """The timezone of a site's setting: a name of the tz database, or an offset in hours as `UTC+2` or `UTC-5.5`.

    Raises:
        InvalidInput: there is no such timezone.
    """
    if match := _OFFSET.fullmatch(name):
        minutes = round(float(match[2]) * 60)
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"There is no timezone {name!r}: correct the site's timezone setting.") from None


class LocalDays:
    """Which date a moment falls on in a timezone; remembers the days it has seen, as traffic stays on few of them."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._days: dict[int, date] = {}

    def date_of(self, moment: int) -> date:
        """The local date of a Unix time in seconds."""
        # Offsets are whole quarters of an hour, so within a quarter the date does not change.
        quarter = moment // 900
        day = self._days.get(quarter)
        if day is None:
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            day = self._days[quarter] = datetime.fromtimestamp(quarter * 900, UTC).astimezone(self.zone).date()
        return day
