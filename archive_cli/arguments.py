"""What people write as sites, dates and periods on the command line."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import click

from footfall.archiving.periods import PeriodKind, parse_day
from footfall.errors import InvalidInput

_AGE = re.compile(r"(\d{1,4}[dw]|\d{1,3}m|\d{1,2}y)")
_MONTHS = {"m": 1, "y": 12}
_PART = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


class SiteList:
    """The sites that a person named: `all`, numbers, and ranges of numbers."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.everything = text.strip().lower() == "all"
        self.numbers: set[int] = set()
        self.ranges: list[range] = []
        for part in [] if self.everything else text.split(","):
            self._add(part.strip())

    def _add(self, part: str) -> None:
        match = _PART.fullmatch(part)
        if match is None or int(match[1]) == 0:
            raise ValueError(f"{self.text!r} is not a list of sites: write 1-50, or 1,4-6, or all.")
        first, last = int(match[1]), int(match[2] or match[1])
        if match[2] is None:
            self.numbers.add(first)
            return
        if last < first:
            raise ValueError(f"{part} ends before it begins: write {last}-{first}.")
        self.ranges.append(range(first, last + 1))

    def among(self, existing: list[int]) -> list[int]:
        """The sites of the list that exist, in order.

        A range takes whatever exists inside it; a site named by its number has to exist.

        Raises:
            InvalidInput: a site does not exist, or a range has none.
        """
        if self.everything:
            return sorted(existing)
        known = set(existing)
        if missing := sorted(self.numbers - known):
            raise InvalidInput(f"There is no site {missing[0]}: `footfall site list` shows those there are.")
        for wanted in self.ranges:
            if known.isdisjoint(wanted):
                raise InvalidInput(
                    f"There is no site from {wanted[0]} to {wanted[-1]}: `footfall site list` shows those there are."
                )
        return sorted(n for n in known if n in self.numbers or any(n in wanted for wanted in self.ranges))


class SiteListParameter(click.ParamType[SiteList]):
    """A list of sites as an option's value."""

    name = "sites"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> SiteList:
        try:
            return value if isinstance(value, SiteList) else SiteList(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@dataclass(frozen=True)
class Age:
    """A time that has passed: days, or months (of the calendar)."""

    days: int = 0
    months: int = 0

    def before(self, day: date) -> date:
        """The day that lies so far before."""
        month = day.year * 12 + day.month - 1 - self.months
        year, month = divmod(month, 12)
        return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1])) - timedelta(days=self.days)


class AgeParameter(click.ParamType[Age]):
    """A number of days, weeks, months or years: `180d`, `26w`, `24m`, `2y`."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Age:
        if isinstance(value, Age):
            return value
        match = _AGE.fullmatch(value.strip().lower())
        if match is None or int(match[1][:-1]) == 0:
            self.fail(f"{value!r} is not an age: write 180d, 26w, 24m or 2y.", param, ctx)
        number, unit = int(match[1][:-1]), match[1][-1]
        return Age(days=number * (7 if unit == "w" else 1)) if unit in "dw" else Age(months=number * _MONTHS[unit])


class DateParameter(click.ParamType[date]):
    """A date."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else parse_day(value)
        except InvalidInput as error:
            self.fail(str(error), param, ctx)


class DateRangeParameter(click.ParamType[tuple[date, date]]):
    """A date, or two with a comma between for all days from the first to the last."""

    name = "dates"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[date, date]:
        if isinstance(value, tuple):
            return value
        first, _, last = value.partition(",")
        try:
            days = parse_day(first), parse_day(last or first)
        except InvalidInput as error:
            self.fail(str(error), param, ctx)
        if days[1] < days[0]:
            self.fail(f"{value} ends before it begins: put the earlier date first.", param, ctx)
        return days


class PeriodKindsParameter(click.ParamType[tuple[PeriodKind, ...]]):
    """Kinds of period with commas between."""

    name = "periods"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[PeriodKind, ...]:
        if isinstance(value, tuple):
            return value
        if value.strip().lower() == "all":
            return tuple(PeriodKind)
        try:
            return tuple(sorted({PeriodKind.parse(name) for name in value.split(",")}))
        except InvalidInput as error:
            self.fail(str(error), param, ctx)
