"""Reads the rows of a stored table without making an array of each: sums of periods read every row of every day.

Rows mostly have the same columns in the same order, and numbers in them. The text of such columns is cut at its
semicolons; the keys among the pieces, taken together, are looked up. What does not look like that is read as any array.
Pieces are whole tokens (`i:2`, `s:9:"nb_events"`), so that none means anything else than when it was first read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from footfall.archiving.blob import row_of
from footfall.archiving.metrics import COLUMN_NAMES
from footfall.archiving.phpserialize import NotSerialized, dumps, read_pair

T = TypeVar("T")

NO_LABEL: Final = object()

_TABLE: Final = re.compile(rb"a:(\d{1,9}):\{")
# A row up to its label; the text of the label follows.
_ROW: Final = re.compile(
    rb'i:(-?\d{1,9});a:3:\{i:0;a:(\d{1,4}):\{s:5:"label";(?:s:(\d{1,7}):"|i:(-?\d{1,15});)', re.ASCII
)
_METADATA: Final = re.compile(rb"i:1;a:(\d{1,4}):\{")
_SCALAR: Final = re.compile(rb's:(\d{1,7}):"|(?:i:-?\d+|d:[-+.0-9E]+|b:[01]|N);')
_END: Final = re.compile(rb"i:3;(?:N|i:(\d{1,9}));\}")
_COLUMN: Final = re.compile(rb'i:(\d{1,9})|s:(\d{1,4}):"([^"]*)"')
_VALUE: Final = re.compile(rb"i:(-?\d{1,18})|d:(-?[0-9.]+(?:E[-+]?\d+)?)|(N)")
_MOST_VALUES: Final = 200_000


@dataclass(slots=True)
class StoredRow(Generic[T]):
    """One row.

    Args:
        key: its place in the table; negative for the summary row and for notes.
        label: NO_LABEL where it has none.
        shape: what was made of the names of its columns, label aside.
        values: of these columns, in their order.
        metadata: serialized.
        subtable_id: 0 for none.
    """

    key: int
    label: Any
    shape: T
    values: Sequence[Any]
    metadata: bytes
    subtable_id: int


class RowReader(Generic[T]):
    """Reads rows.

    Args:
        shape_of: makes something of the names of columns; called once for the same names in the same order.
    """

    def __init__(self, shape_of: Callable[[tuple[str, ...]], T]) -> None:
        self._shape_of = shape_of
        self._shapes: dict[tuple[str, ...], T] = {}
        self._by_keys: dict[tuple[bytes, ...], T | None] = {}

    def shape(self, names: tuple[str, ...]) -> T:
        """What was made of these names."""
        if names not in self._shapes:
            self._shapes[names] = self._shape_of(names)
        return self._shapes[names]

    def rows(self, table: bytes) -> Iterator[StoredRow[T]]:
        """The rows of a serialized table.

        Raises:
            NotSerialized: it is damaged.
        """
        begin = _TABLE.match(table)
        if begin is None:
            raise NotSerialized("The stored record is not an array: archive it again.")
        at = begin.end()
        for _ in range(int(begin[1])):
            row = self._numbers(table, at) or self._anything(table, at)
            at = row[1]
            yield row[0]
        if table[at:] != b"}":
            raise NotSerialized("The stored record does not end where it should: archive it again.")

    def _numbers(self, table: bytes, at: int) -> tuple[StoredRow[T], int] | None:
        """A row whose columns are numbers, and where it ends; None when it may be anything else."""
        head = _ROW.match(table, at)
        if head is None:
            return None
        at = head.end()
        if head[3] is None:
            label: Any = int(head[4])
        else:
            end = at + int(head[3])
            if table[end : end + 2] != b'";':
                return None
            label, at = table[at:end].decode("utf-8", "surrogateescape"), end + 2
        end = table.find(b"}", at)
        pieces = table[at:end].split(b";")
        keys = tuple(pieces[:-1:2])
        if len(keys) != int(head[2]) - 1 or pieces[-1]:
            return None
        shape = self._by_keys[keys] if keys in self._by_keys else self._new_shape(keys)
        if shape is None:
            return None
        try:
            values = list(map(_VALUES.__getitem__, pieces[1::2]))
        except ValueError:
            return None
        begin, end = end + 1 + len("i:1;"), _skipped_metadata(table, end + 1)
        rest = _END.match(table, end) if end else None
        if rest is None:
            return None
        row = StoredRow(int(head[1]), label, shape, values, table[begin:end], int(rest[1] or 0))
        return row, rest.end()

    def _new_shape(self, keys: tuple[bytes, ...]) -> T | None:
        names = [_column_name(key) for key in keys]
        known = [name for name in names if name is not None]
        is_plain = len(set(known)) == len(names) and "label" not in known
        self._by_keys[keys] = self.shape(tuple(known)) if is_plain else None
        return self._by_keys[keys]

    def _anything(self, table: bytes, at: int) -> tuple[StoredRow[T], int]:
        """Any row, and where it ends."""
        key, value, end = read_pair(table, at)
        row = row_of(value)
        label = row.columns.pop("label", NO_LABEL)
        shape = self.shape(tuple(row.columns))
        number = key if isinstance(key, int) else 0
        values = list(row.columns.values())
        return StoredRow(number, label, shape, values, dumps(row.metadata), row.subtable_id or 0), end


class _Values(dict[bytes, int | float | None]):
    """The numbers that tokens stand for, kept: tables repeat the same small ones.

    Raises:
        ValueError: by look-ups, for what is no number.
    """

    def __missing__(self, token: bytes) -> int | float | None:
        found = _VALUE.fullmatch(token)
        if found is None:
            raise ValueError(token)
        value = int(found[1]) if found[1] is not None else float(found[2]) if found[2] is not None else None
        if len(self) >= _MOST_VALUES:
            self.clear()
        self[token] = value
        return value


_VALUES: Final = _Values()


def _column_name(token: bytes) -> str | None:
    """The column that a key stands for; None for what is no key."""
    found = _COLUMN.fullmatch(token)
    if found is None:
        return None
    if found[1] is not None:
        return COLUMN_NAMES.get(int(found[1])) or str(int(found[1]))
    return found[3].decode("utf-8", "surrogateescape") if len(found[3]) == int(found[2]) else None


def _skipped_metadata(table: bytes, at: int) -> int:
    """Where the metadata of a row end whose columns ended here; 0 when they are more than texts and numbers."""
    head = _METADATA.match(table, at)
    if head is None:
        return 0
    at = head.end()
    for _ in range(2 * int(head[1])):
        found = _SCALAR.match(table, at)
        if found is None:
            return 0
        at = found.end()
        if found[1] is not None:
            at += int(found[1]) + 2
            if table[at - 2 : at] != b'";':
                return 0
    return at + 1 if table[at : at + 1] == b"}" else 0
