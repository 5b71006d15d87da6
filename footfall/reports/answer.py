"""What a format writes down: one row of numbers, a table, or answers by site or date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from footfall.archiving.datatable import DataTable


@dataclass(frozen=True)
class Numbers:
    """One row of named numbers."""

    columns: dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows, as they are to be shown."""

    table: DataTable


@dataclass(frozen=True)
class Keyed:
    """An answer for each site or each date of the request.

    Args:
        key: what the keys are.
        answers: in the order asked for: an idsite, or a period's `date_text`, to its answer.
    """

    key: Literal["idSite", "date"]
    answers: dict[str, Answer]


@dataclass(frozen=True)
class Plain:
    """What a method other than a report says.

    Args:
        value: None for a method that only did something, a text, number or bool, a list, or a dictionary.
    """

    value: Any


Answer = Numbers | Table | Keyed | Plain
