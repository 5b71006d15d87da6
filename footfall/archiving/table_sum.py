"""Puts the tables of lower periods together into the table of a higher one.

Rows are lists of numbers, added list by list: columns that are summed and columns that are put together otherwise lie
apart. What the columns of two rows have to do with each other is found out once for all rows that have the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import add, itemgetter
from typing import Any, Final

from footfall.archiving.blob import SUMMARY_KEY, decompressed, read_chunk
from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.metrics import SUMMED_NAMES
from footfall.archiving.phpserialize import NotSerialized, dumps, loads
from footfall.archiving.records import Combine
from footfall.archiving.stored_rows import NO_LABEL, RowReader, StoredRow
from footfall.archiving.summing import add_columns
from footfall.archiving.tables import Blobs
from footfall.archiving.tree_goals import GOALS

_DEEPEST: Final = 100  # levels of subtables; the reference's settings allow ten
_NOTHING: Final = dumps({})
_COMBINED: Final[dict[Combine, Callable[[Any, Any], Any]]] = {
    Combine.SUM: add,
    Combine.MAX: max,
    Combine.MIN: min,
    Combine.SKIP: lambda present, _: present,
}


class _Absent:
    """The value of a column that a row does not have: adding it changes nothing."""

    def __add__(self, other: Any) -> Any:
        return other

    def __radd__(self, other: Any) -> Any:
        return other


_ABSENT: Final = _Absent()
Values = Sequence[Any]
Taken = Callable[[Values], Values]


@dataclass(frozen=True, eq=False)
class _Layout:
    """The columns of a row.

    Args:
        names: in the order in which they are stored.
        sums: those that are summed.
        others: those that are not, and arrays.
        hows: what becomes of the others.
    """

    names: tuple[str, ...]
    sums: tuple[str, ...]
    others: tuple[str, ...]
    hows: tuple[Combine, ...]

    def columns(self, sums: Values, others: Values) -> dict[str, Any]:
        """The columns with their values, absent ones left out."""
        found = dict(zip((*self.sums, *self.others), (*sums, *others), strict=True))
        return {name: found[name] for name in self.names if found[name] is not _ABSENT}


@dataclass(frozen=True, eq=False)
class _Shape:
    """How rows as they are stored become rows of a layout."""

    layout: _Layout
    take_sums: Taken
    take_others: Taken


@dataclass(slots=True)
class _Node:
    """A row of the sum.

    Args:
        noted: the metadata as they were serialized in the row that came last.
    """

    label: Any
    layout: _Layout
    sums: Values
    others: Values
    noted: bytes
    metadata: dict[str, Any] = field(default_factory=dict)
    below: _Table | None = None

    def row(self) -> Row:
        columns = self.layout.columns(self.sums, self.others)
        named = columns if self.label is NO_LABEL else {"label": self.label, **columns}
        return Row(named, self.metadata, self.below.table() if self.below is not None else None)


@dataclass(slots=True)
class _Table:
    rows: dict[str, _Node] = field(default_factory=dict)
    summary: _Node | None = None

    def table(self) -> DataTable:
        return DataTable([node.row() for node in self.rows.values()], self.summary.row() if self.summary else None)


class _Subtables:
    """The subtables of a stored record by id; each belongs to one row."""

    def __init__(self, stored: Mapping[int, str]) -> None:
        self._stored = stored
        self._taken: set[int] = set()

    def take(self, number: int) -> bytes | None:
        if number in self._taken:
            raise NotSerialized(f"Subtable {number} belongs to two rows: archive it again.")
        self._taken.add(number)
        found = self._stored.get(number)
        return found.encode("utf-8", "surrogateescape") if found is not None else None


class TableSum:
    """A table that others are added to, rows by their label, subtables to subtables.

    Args:
        combine: the columns that are not summed.
    """

    def __init__(self, combine: Mapping[str, Combine]) -> None:
        self._combine = combine
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._unions: dict[tuple[_Layout, _Layout], tuple[_Shape, _Shape]] = {}
        self._reader = RowReader(self._shape)
        self._total = _Table()

    def add(self, blobs: Blobs, record: str) -> None:
        """Add a record as it is stored; nothing when it is not among the blobs.

        Raises:
            NotSerialized: it is damaged.
        """
        if record in blobs:
            parts = (read_chunk(blob) for name, blob in blobs.items() if name != record)
            subtables = _Subtables({number: data for chunk in parts for number, data in chunk.items()})
            self._add(decompressed(blobs[record]), self._total, subtables)

    def table(self) -> DataTable:
        """The sum."""
        return self._total.table()

    def _add(self, table: bytes, total: _Table, subtables: _Subtables, depth: int = 0) -> None:
        """Add a serialized table and those below it."""
        if depth > _DEEPEST:
            raise NotSerialized(f"Subtables lie more than {_DEEPEST} levels deep: archive the record again.")
        for row in self._reader.rows(table):
            if row.key == SUMMARY_KEY:
                total.summary = self._added(total.summary, row)
            elif row.key >= 0:
                label = "" if row.label is NO_LABEL else str(row.label)
                node = total.rows[label] = self._added(total.rows.get(label), row)
                if row.metadata != node.noted:
                    self._note(node, row.metadata)
                if row.subtable_id and (below := subtables.take(row.subtable_id)) is not None:
                    node.below = node.below or _Table()
                    self._add(below, node.below, subtables, depth + 1)

    def _added(self, node: _Node | None, row: StoredRow[_Shape]) -> _Node:
        shape, values = row.shape, row.values
        sums, others = shape.take_sums(values), shape.take_others(values)
        if node is None:
            return _Node(row.label, shape.layout, sums, others, _NOTHING)
        if node.layout is not shape.layout:
            mine, theirs = self._union(node.layout, shape.layout)
            node.layout = mine.layout
            node.sums, node.others = mine.take_sums(node.sums), mine.take_others(node.others)
            sums, others = theirs.take_sums(sums), theirs.take_others(others)
        try:
            node.sums = list(map(add, node.sums, sums))
        except TypeError:
            node.sums = [self._put_together(Combine.SUM, *pair) for pair in zip(node.sums, sums, strict=True)]
        if others:
            node.others = list(map(self._put_together, node.layout.hows, node.others, others))
        return node

    def _put_together(self, how: Combine, present: Any, value: Any) -> Any:
        """Two values of a column; null and absent change nothing."""
        if present is None or present is _ABSENT:
            return present if value is _ABSENT else value
        if value is None or value is _ABSENT:
            return present
        if isinstance(value, dict):
            add_columns(present, value, self._combine)
            return present
        return _COMBINED[how](present, value)

    def _note(self, node: _Node, metadata: bytes) -> None:
        for name, value in loads(metadata).items():
            node.metadata.setdefault(name, value)
        node.noted = metadata

    # Which columns rows have

    def _shape(self, names: tuple[str, ...]) -> _Shape:
        """How rows with these columns are taken apart; what cannot be summed gets the name of the sum of the days."""
        kept = [name for name in names if name not in SUMMED_NAMES]
        shown = dict.fromkeys(kept + [SUMMED_NAMES[name] for name in names if name in SUMMED_NAMES])
        place = {SUMMED_NAMES.get(name, name): number for number, name in enumerate(names)}
        layout = self._layout(tuple(shown))
        return _Shape(
            layout, _taking([place[name] for name in layout.sums]), _taking([place[name] for name in layout.others])
        )

    def _layout(self, names: tuple[str, ...]) -> _Layout:
        if names not in self._layouts:
            is_other = {name: name in self._combine or name == GOALS for name in names}
            others = tuple(name for name in names if is_other[name])
            self._layouts[names] = _Layout(
                names,
                tuple(name for name in names if not is_other[name]),
                others,
                tuple(self._combine.get(name, Combine.SUM) for name in others),
            )
        return self._layouts[names]

    def _union(self, first: _Layout, second: _Layout) -> tuple[_Shape, _Shape]:
        """How rows of two layouts become rows of one that has the columns of both."""
        key = (first, second)
        if key not in self._unions:
            union = self._layout(tuple(dict.fromkeys((*first.names, *second.names))))
            self._unions[key] = _widening(first, union), _widening(second, union)
        return self._unions[key]


def _widening(narrow: _Layout, wide: _Layout) -> _Shape:
    sums = [narrow.sums.index(name) if name in narrow.sums else None for name in wide.sums]
    others = [narrow.others.index(name) if name in narrow.others else None for name in wide.others]
    return _Shape(wide, _taking(sums), _taking(others))


def _taking(places: Sequence[int | None]) -> Taken:
    """Gives the values at these places; absent where there is none."""
    if None in places:
        return lambda values: [_ABSENT if place is None else values[place] for place in places]
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: [values[place] for place in places if place is not None]
