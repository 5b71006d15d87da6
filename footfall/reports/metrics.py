"""Processed metrics: numbers that are not archived but computed from archived ones when a report is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

Columns = Mapping[str, Any]
Number = int | float
Unit = Literal["number", "percent", "seconds"]


def number(value: Any) -> Number:
    """A stored metric as a number; archives of the reference hold some as decimal strings, and absent ones as None."""
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0


def rounded(value: Number, digits: int) -> Number:
    """`value` with halves rounded up, as a person would round its decimal form (1.005 to two digits is 1.01)."""
    exact = Decimal(format(value, ".15g")).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def quotient(columns: Columns, dividend: str, divisor: str, digits: int) -> Number:
    """One column divided by another, rounded; 0 where the divisor is 0 or missing."""
    below = number(columns.get(divisor))
    return rounded(number(columns.get(dividend)) / below, digits) if below else 0


def percent(value: Number) -> str:
    """A quotient as people read it: 0.33 is `33%`, 0.5588 is `55.88%`."""
    return f"{rounded(value * 100, 2)}%"


@dataclass(frozen=True)
class ProcessedMetric:
    """A metric computed from a row's columns.

    Args:
        name: the column it becomes.
        compute: from the columns of a row to the value.
        unit: what the value counts; a `percent` is a quotient that is shown as `33%`.
        root_only: whether rows inside subtables go without it.
    """

    name: str
    compute: Callable[[Columns], Number]
    unit: Unit = "number"
    root_only: bool = False

    def shown(self, columns: Columns, formatted: bool) -> Number | str:
        """The value for an answer.

        Args:
            columns: the row's columns.
            formatted: whether percentages are written as people read them.
        """
        value = self.compute(columns)
        return percent(value) if formatted and self.unit == "percent" else value


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
