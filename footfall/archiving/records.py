"""How a plugin declares what it archives: its records beside the function that computes them.

The engine does the rest: it reads the log once for all, stores and limits the tables, sums days into higher periods and
numbers the columns. What a site has records of may depend on its setup (its goals): a plugin then declares a function
from that to the builder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from footfall.archiving.datatable import DataTable
from footfall.archiving.setup import SiteSetup

if TYPE_CHECKING:
    from footfall.archiving.blob import StoredTable
    from footfall.archiving.daylog import DayLog


class Combine(Enum):
    """What becomes of a value when rows, or days, are put together."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"
    SKIP = "skip"


@dataclass(frozen=True)
class NumericRecord:
    """One number per archive; zero is not stored.

    Args:
        name: as in the archive table, `nb_visits` say.
        combine: how the days' values make the value of a higher period.
        distinct: a column of log_visit; the value is the number of distinct values that it has. Such counts cannot be
            summed: week and month are counted anew from the log, year and range have none.
        rows_of: a table of the same archive; the value is the number of its rows, before limits, which the engine
            counts for every period.
        depth: how far below the table those rows lie: 1 for the rows of its subtables.
    """

    name: str
    combine: Combine = Combine.SUM
    distinct: str | None = None
    rows_of: str | None = None
    depth: int = 0


@dataclass(frozen=True)
class BlobRecord:
    """One table per archive, with its subtables.

    Args:
        name: as in the archive table, `Actions_actions_url` say.
        max_rows: rows that are kept, the summary row "Others" included, which stands for all further ones.
        max_subtable_rows: the same for each subtable.
        sort_column: the metric by which rows are chosen when there are too many, largest first.
        combine: the columns that are not summed.
    """

    name: str
    max_rows: int
    max_subtable_rows: int
    sort_column: str = "nb_visits"
    combine: Mapping[str, Combine] = field(default_factory=dict)


Record = NumericRecord | BlobRecord
# A StoredTable is within the record's limits already; of a DataTable the engine sees to that.
Computed = Mapping[str, "DataTable | StoredTable | float"]


@dataclass(frozen=True)
class RecordBuilder:
    """The records that one function computes from the log of a site-day.

    Args:
        records: what it computes. A number that is zero is left out of the archive; a table without rows is kept if
            it was computed. In higher periods every table is kept.
        reads: the columns it needs, by log table (`log_visit`, `log_link_visit_action`, `log_conversion`,
            `log_conversion_item`).
        compute: from the log of a site-day to values by record name.
        occurs: columns by log table; where none of them has any value, there is nothing to count: all tables are empty
            and nothing is computed, which is most of the time of a small day.
    """

    records: tuple[Record, ...]
    reads: Mapping[str, tuple[str, ...]]
    compute: Callable[[DayLog], Computed]
    occurs: Mapping[str, tuple[str, ...]] | None = None

    def values(self, log: DayLog) -> Computed:
        """What it computes of a log, by record name."""
        if self.occurs is None or any(log.has_values(table, columns) for table, columns in self.occurs.items()):
            return self.compute(log)
        return {record.name: DataTable() for record in self.records if isinstance(record, BlobRecord)}


# A builder, or what makes it for the sites of a setup.
Builder = RecordBuilder | Callable[[SiteSetup], RecordBuilder]


def builders_for(setup: SiteSetup, builders: Iterable[Builder]) -> tuple[RecordBuilder, ...]:
    """The builders of a site of this setup."""
    return tuple(b if isinstance(b, RecordBuilder) else b(setup) for b in builders)


def columns_read(builders: Iterable[RecordBuilder]) -> dict[str, tuple[str, ...]]:
    """The columns that builders need together, by log table."""
    wanted: dict[str, dict[str, None]] = {}
    for builder in builders:
        for table, columns in builder.reads.items():
            wanted.setdefault(table, {}).update(dict.fromkeys(("idvisit", *columns)))
    return {table: tuple(columns) for table, columns in wanted.items()}


class RecordIndex:
    """Finds the declaration of a stored record by its name.

    Args:
        only: the name of the only record that is meant, with those counted in it; None for all of the builders.
    """

    def __init__(self, builders: Iterable[RecordBuilder], only: str | None = None) -> None:
        declared = [record for builder in builders for record in builder.records]
        records = [r for r in declared if only in (None, r.name, isinstance(r, NumericRecord) and r.rows_of)]
        self._by_name: dict[str, Record] = {record.name: record for record in records}
        self.numbers = tuple(record for record in records if isinstance(record, NumericRecord))
        self.tables = tuple(record for record in records if isinstance(record, BlobRecord))
        self.distinct = {
            record.name: record.distinct for record in records if isinstance(record, NumericRecord) and record.distinct
        }
        self._counted: dict[str, list[NumericRecord]] = {}
        for record in records:
            if isinstance(record, NumericRecord) and record.rows_of:
                self._counted.setdefault(record.rows_of, []).append(record)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def number(self, name: str) -> NumericRecord | None:
        """The declaration of a number; None when no plugin declares one of that name."""
        record = self._by_name.get(name)
        return record if isinstance(record, NumericRecord) else None

    def table(self, name: str) -> BlobRecord | None:
        """The declaration of a table; None when no plugin declares one of that name."""
        record = self._by_name.get(name)
        return record if isinstance(record, BlobRecord) else None

    def counts(self, name: str, table: DataTable) -> dict[str, float]:
        """The numbers that are the rows of this table, by name."""
        return {record.name: float(_rows(table, record.depth)) for record in self._counted.get(name, ())}


def _rows(table: DataTable | None, depth: int) -> int:
    if table is None:
        return 0
    return sum(_rows(row.subtable, depth - 1) for row in table) if depth else len(table)
