"""The log of one site-day as columns: what every record of the day is computed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property
from typing import Any, Final, TypeVar

import polars as pl

HOURS: Final = range(24)
T = TypeVar("T")


def site_hours(day: date, zone: tzinfo) -> tuple[int, ...]:
    """The hour in the site's timezone for each hour of the day in UTC.

    The reference converts whole hours, all by the offset of that date, whichever side of midnight they lie on.
    """
    return tuple(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).astimezone(zone).hour for hour in HOURS)


def total(column: str) -> pl.Expr:
    """The sum of a column of whole numbers.

    Polars adds numbers of 32 bits up in 32 bits, and begins anew where these are full: 4 million page views of 600 ms
    are enough.
    """
    return pl.col(column).cast(pl.Int64).sum()


def filled(rows: pl.DataFrame) -> list[str]:
    """The columns that have a value in any row; asked of one column, polars would write all its nulls out and keep
    them.
    """
    if rows.is_empty():
        return []
    return [name for name, nulls in zip(rows.columns, rows.null_count().row(0), strict=True) if nulls < rows.height]


@dataclass(frozen=True)
class DayLog:
    """Log rows of one site between two moments, the columns that plugins declared.

    Ids and counts are integers, dates and times seconds (since 1970 in UTC, since midnight for `visitor_localtime`),
    eight-byte binaries (`idvisitor`, `config_id`) unsigned integers, other binaries hexadecimal text.

    Args:
        visits: rows of log_visit whose last action lies in the day.
        actions: rows of log_link_visit_action of the day.
        conversions: rows of log_conversion of the day.
        items: rows of log_conversion_item of the day.
        names: `idaction`, `name`, `type`, `url_prefix` of every action that `actions` and `items` refer to.
        hours: the hour of the site's day for each hour in UTC.
        earlier: by log table, rows from before the day, of visits that did not begin in it; in the log of all visits.
        day: the log of all visits; None where this is that.
        made: what `of_names` and `of_day` have made, shared with the logs that are part of this one.
    """

    visits: pl.DataFrame
    actions: pl.DataFrame
    conversions: pl.DataFrame
    items: pl.DataFrame
    names: pl.DataFrame
    hours: Sequence[int] = HOURS
    earlier: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    day: DayLog | None = field(default=None, repr=False)
    made: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        tables: Mapping[str, pl.DataFrame],
        names: pl.DataFrame,
        hours: Sequence[int] = HOURS,
        earlier: Mapping[str, pl.DataFrame] | None = None,
    ) -> DayLog:
        """From frames by log table; a table that nobody reads is empty."""
        nothing = pl.DataFrame()
        return cls(
            tables.get("log_visit", nothing),
            tables.get("log_link_visit_action", nothing),
            tables.get("log_conversion", nothing),
            tables.get("log_conversion_item", nothing),
            names,
            hours,
            earlier or {},
        )

    def whole(self, table: str) -> pl.DataFrame:
        """The rows of a log table, those from before the day included."""
        rows = self._rows[table]
        return pl.concat([rows, self.earlier[table]]) if table in self.earlier else rows

    def has_values(self, table: str, columns: Sequence[str]) -> bool:
        """Whether any of the columns of a log table has a value in any row of the day."""
        return any(self._has_value[table][column] for column in columns)

    @property
    def _rows(self) -> dict[str, pl.DataFrame]:
        return {
            "log_visit": self.visits,
            "log_link_visit_action": self.actions,
            "log_conversion": self.conversions,
            "log_conversion_item": self.items,
        }

    @cached_property
    def _has_value(self) -> dict[str, dict[str, bool]]:
        """By log table and column."""
        return {
            table: dict.fromkeys(rows.columns, False) | dict.fromkeys(filled(rows), True)
            for table, rows in self._rows.items()
        }

    def of_visits(self, visits: pl.DataFrame, columns: Mapping[str, Sequence[str]] | None = None) -> DayLog:
        """The log of those of the visits whose `idvisit` is in a frame.

        Args:
            columns: those that are needed of it, by log table; all by default.
        """
        is_theirs = pl.col("idvisit").is_in(visits["idvisit"].implode())

        def theirs(table: str) -> pl.DataFrame:
            rows = self._rows[table]
            if columns is not None:
                rows = rows[list(columns[table])] if table in columns else pl.DataFrame()
            return rows if rows.is_empty() else rows.filter(is_theirs)

        return replace(
            self,
            visits=theirs("log_visit"),
            actions=theirs("log_link_visit_action"),
            conversions=theirs("log_conversion"),
            items=theirs("log_conversion_item"),
            earlier={},
            day=self.day or self,
        )

    def of_names(self, make: Callable[[pl.DataFrame], T]) -> T:
        """What a function makes of the day's names; it is called once, whatever the number of segments."""
        return self._once(make, self.names)

    def of_day(self, make: Callable[[DayLog], T]) -> T:
        """What a function makes of the log of all visits; it is called once, whatever the number of segments."""
        return self._once(make, self.day or self)

    def _once(self, make: Callable[[Any], T], argument: object) -> T:
        if make not in self.made:
            self.made[make] = make(argument)
        made: T = self.made[make]
        return made

    def names_of(self, ids: pl.Series) -> pl.Series:
        """The name of each of these actions; null where there is none."""
        return ids.to_frame("idaction").join(self.names, on="idaction", how="left", maintain_order="left")["name"]

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return self.visits.is_empty() and self.actions.is_empty() and self.conversions.is_empty()
