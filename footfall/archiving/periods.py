"""Periods of archives, and dates as people and the Reporting API write them.

A period is a run of whole days of a site's own calendar. Days are those of the site's timezone: `day_bounds` says which
moments of UTC a site's day covers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import IntEnum

from footfall.errors import InvalidInput

ONE_DAY = timedelta(days=1)
FIRST_DAY = date(1991, 8, 6)  # the reference refuses dates before the first website
MOST_PERIODS = 3660  # ten years of days: what one request may ask for

_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_COUNT = re.compile(r"(last|previous)(\d{0,5})")


class PeriodKind(IntEnum):
    """The kinds of period, with the numbers that the archive tables store."""

    DAY = 1
    WEEK = 2
    MONTH = 3
    YEAR = 4
    RANGE = 5

    @classmethod
    def parse(cls, name: str) -> PeriodKind:
        """The kind of that name (`day`, `week`, `month`, `year`, `range`).

        Raises:
            InvalidInput: there is no such kind.
        """
        try:
            return cls[name.strip().upper()]
        except KeyError:
            raise InvalidInput(f"There is no period {name!r}: use day, week, month, year or range.") from None

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    kind: PeriodKind
    first: date
    last: date

    @classmethod
    def of(cls, kind: PeriodKind, day: date) -> Period:
        """The day, week (from Monday), month or year that contains `day`; a range of that one day."""
        if kind is PeriodKind.WEEK:
            monday = day - timedelta(days=day.weekday())
            return cls(kind, monday, monday + timedelta(days=6))
        if kind is PeriodKind.MONTH:
            following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
            return cls(kind, day.replace(day=1), following - ONE_DAY)
        if kind is PeriodKind.YEAR:
            return cls(kind, date(day.year, 1, 1), date(day.year, 12, 31))
        return cls(kind, day, day)

    @classmethod
    def range(cls, first: date, last: date) -> Period:
        """The range of the days from `first` to `last`.

        Raises:
            InvalidInput: `last` is before `first`.
        """
        if last < first:
            raise InvalidInput(f"The range {first},{last} ends before it begins: put the earlier date first.")
        return cls(PeriodKind.RANGE, first, last)

    def __str__(self) -> str:
        return f"{self.kind.label} {self.date_text}"

    @property
    def date_text(self) -> str:
        """The period's date as a request names it: `2026-08-10`, `2026-08` or `2026`; `first,last` for a range."""
        if self.kind is PeriodKind.YEAR:
            return f"{self.first:%Y}"
        if self.kind is PeriodKind.MONTH:
            return f"{self.first:%Y-%m}"
        return str(self.first) if self.kind is PeriodKind.DAY else f"{self.first},{self.last}"

    def contains(self, other: Period | date) -> bool:
        """Whether all days of `other` are days of this period."""
        first, last = (other.first, other.last) if isinstance(other, Period) else (other, other)
        return self.first <= first and last <= self.last

    def days(self) -> Iterator[Period]:
        """Its days, in order."""
        day = self.first
        while day <= self.last:
            yield Period(PeriodKind.DAY, day, day)
            day += ONE_DAY

    def above(self) -> list[Period]:
        """The week, month and year that contain a day."""
        return [Period.of(kind, self.first) for kind in (PeriodKind.WEEK, PeriodKind.MONTH, PeriodKind.YEAR)]

    def parts(self) -> list[Period]:
        """The lower periods that it is made of, in order, without gap or overlap; none for a day.

        A year is made of months, a month of the weeks inside it and days, a week of days, and a range of the largest
        periods that fit.
        """
        if self.kind is PeriodKind.DAY:
            return []
        found, day = [], self.first
        while day <= self.last:
            part = next(
                part
                for kind in (PeriodKind.YEAR, PeriodKind.MONTH, PeriodKind.WEEK, PeriodKind.DAY)
                if kind < self.kind and self.contains(part := Period.of(kind, day)) and part.first == day
            )
            found.append(part)
            day = part.last + ONE_DAY
        return found

    def shifted(self, steps: int) -> Period:
        """The period of the same kind that lies `steps` further on (before, when negative).

        A range moves by its own length.
        """
        if self.kind is PeriodKind.MONTH:
            month = self.first.year * 12 + self.first.month - 1 + steps
            return Period.of(self.kind, date(month // 12, month % 12 + 1, 1))
        if self.kind is PeriodKind.YEAR:
            return Period.of(self.kind, date(self.first.year + steps, 1, 1))
        span = (self.last - self.first + ONE_DAY) * steps
        return Period(self.kind, self.first + span, self.last + span)

    def utc_bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """The first moment of the period and the first after it, as naive datetimes in UTC."""
        return _midnight(self.first, zone), _midnight(self.last + ONE_DAY, zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def local_date(moment: datetime, zone: tzinfo) -> date:
    """The day of the site's calendar that an aware moment falls on."""
    return moment.astimezone(zone).date()


def parse_date(text: str, today: date) -> date:
    """The day that `text` names: `YYYY-MM-DD`, `today`, `yesterday`, `tomorrow`, or a day a week, month or year ago.

    Args:
        text: the date as a person wrote it.
        today: the site's present day.

    Raises:
        InvalidInput: the text is not a date.
    """
    word = text.strip().lower().replace(" ", "")
    month_ago = today.replace(day=1) - ONE_DAY
    words = {
        "today": today,
        "now": today,
        "yesterday": today - ONE_DAY,
        "tomorrow": today + ONE_DAY,
        "lastweek": today - timedelta(days=7),
        "lastmonth": min(month_ago, month_ago.replace(day=min(today.day, month_ago.day))),
        "lastyear": date(today.year - 1, today.month, 28 if (today.month, today.day) == (2, 29) else today.day),
    }
    return words[word] if word in words else parse_day(text)


def parse_day(text: str) -> date:
    """The day written as `YYYY-MM-DD`.

    Raises:
        InvalidInput: the text is not such a date, or one before there were websites.
    """
    match = _DAY.fullmatch(text.strip())
    try:
        day = date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        day = None
    if day is None:
        raise InvalidInput(f"{text!r} is not a date: write YYYY-MM-DD.")
    if day < FIRST_DAY:
        raise InvalidInput(f"The date {text!r} is before {FIRST_DAY}, when there was no website to count.")
    return day


def parse_period(kind: str, text: str, today: date) -> Period | list[Period]:
    """What the `period` and `date` of a request ask for.

    `date` is one date, `lastN` (N periods, the present one the last), `previousN` (the same without the present one),
    or `a,b`. For `range` the last three name one range of days; for the others they name several periods.

    Returns:
        One period, or for several a list in the order of time.

    Raises:
        InvalidInput: there is no such period, or the text is not a date or range of dates.
    """
    wanted, word = PeriodKind.parse(kind), text.strip().lower()
    if match := _COUNT.fullmatch(word):
        return _counted(wanted, match[1] == "last", _count(match[2], text), today)
    if "," in word:
        first, _, last = word.partition(",")
        days = Period.range(parse_date(first, today), parse_date(last, today))
        if wanted is PeriodKind.RANGE:
            return days
        return _several(wanted, days.first, days.last, text)
    if wanted is PeriodKind.RANGE:
        raise InvalidInput(f"A range needs two dates, not {text!r}: write first,last or lastN.")
    return Period.of(wanted, parse_date(text, today))


def _count(digits: str, text: str) -> int:
    count = int(digits or 0)
    if not 1 <= count <= MOST_PERIODS:
        raise InvalidInput(f"{text!r} is not a date: the number must be from 1 to {MOST_PERIODS}.")
    return count


def _counted(kind: PeriodKind, with_present: bool, count: int, today: date) -> Period | list[Period]:
    end = 0 if with_present else -1
    if kind is PeriodKind.RANGE:
        last = today + ONE_DAY * end
        return Period.range(last - ONE_DAY * (count - 1), last)
    present = Period.of(kind, today)
    return [present.shifted(step) for step in range(end - count + 1, end + 1)]


def _several(kind: PeriodKind, first: date, last: date, text: str) -> list[Period]:
    found = [Period.of(kind, first)]
    while found[-1].last < last:
        found.append(found[-1].shifted(1))
        if len(found) > MOST_PERIODS:
            raise InvalidInput(f"{text!r} names more than {MOST_PERIODS} periods: ask for fewer, or for longer ones.")
    return found


def months_before(day: date, months: int) -> date:
    """The first day of the month that lies so many months before the day's own."""
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)
