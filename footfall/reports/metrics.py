"""Processed metrics: numbers that are not archived but computed from archived ones when a report is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from footfall.reports.formatting import clock, sentence
from footfall.reports.formatting import percent as percent
from footfall.reports.numbers import Number as Number
from footfall.reports.numbers import number as number
from footfall.reports.numbers import rounded as rounded
from footfall.reports.shape import Formatting

Columns = Mapping[str, Any]
Unit = Literal["number", "percent", "seconds", "clock"]


def quotient(columns: Columns, dividend: str, divisor: str, digits: int) -> Number:
    """One column divided by another, rounded; 0 where the divisor is 0 or missing."""
    below = number(columns.get(divisor))
    return rounded(number(columns.get(dividend)) / below, digits) if below else 0


@dataclass(frozen=True)
class ProcessedMetric:
    """A metric computed from a row's columns.

    Args:
        name: the column it becomes.
        compute: from the columns of a row to the value.
        unit: what the value counts, and how people read it: a `percent` is a quotient that is read as `33%`, `seconds`
            as `2 min 42s`, a `clock` as `00:02:42`.
        root_only: whether rows inside subtables go without it.
        needs: a column without which a report of one row goes without it.
    """

    name: str
    compute: Callable[[Columns], Number]
    unit: Unit = "number"
    root_only: bool = False
    needs: str | None = None

    def shown(self, columns: Columns, formatting: Formatting) -> Number | str:
        """The value for an answer, formatted as asked."""
        value = self.compute(columns)
        if self.unit == "number" or formatting == "none":
            return value
        if self.unit == "percent":
            return percent(value)
        if formatting != "all":
            return value
        return clock(value) if self.unit == "clock" else sentence(value)


def ratio(name: str, dividend: str, divisor: str, digits: int = 0, unit: Unit = "number") -> ProcessedMetric:
    """The metric that is one column divided by another."""
    return ProcessedMetric(name, lambda columns: quotient(columns, dividend, divisor, digits), unit)


@dataclass(frozen=True)
class Measurement:
    """Columns about something that not every hit was measured for (the time until a page had loaded, say).

    A table in which nothing was measured is shown without the columns and without the metric.

    Args:
        count: the column that says how many hits were measured.
        columns: the other columns about it that are shown.
        hidden: columns about it that serve the computation alone.
        metric: what is computed from them.
    """

    count: str
    columns: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    metric: ProcessedMetric | None = None
