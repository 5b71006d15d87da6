"""Stored form of a table: PHP-serialized rows with integer column ids, compressed, subtables in chunks of a hundred.

A row is `{0: columns, 1: metadata, 3: subtable id or null}`, the summary row has key -1; what is noted about the table
as a whole are the columns of a row of key -3. Subtable ids count from 1, a
table before the tables below it. The subtables of record `Name` lie in `Name_chunk_0_99`, `Name_chunk_100_199` and so
on: each an array from subtable id to serialized table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, Final, cast

from isal import isal_zlib

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.metrics import COLUMN_IDS, COLUMN_NAMES
from footfall.archiving.phpserialize import NotSerialized, dump_key, dumps, loads

CHUNK_SIZE: Final = 100
SUMMARY_KEY: Final = -1
NOTES_KEY: Final = -3
_NOTES_LABEL: Final = "__datatable_metadata__"
_COLUMNS, _METADATA, _SUBTABLE = 0, 1, 3
_MOST_BYTES: Final = 256 * 1024 * 1024  # of a record; a compressed one of 16 MB could hold sixty times as many
_Damaged: Final = cast(type[Exception], isal_zlib.error)  # which its stub takes for an instance


def chunk_name(record: str, subtable_id: int) -> str:
    """The name of the chunk that holds a subtable."""
    first = subtable_id // CHUNK_SIZE * CHUNK_SIZE
    return f"{record}_chunk_{first}_{first + CHUNK_SIZE - 1}"


@dataclass(frozen=True)
class StoredTable:
    """A table and its subtables, within their limits and serialized.

    Args:
        tables: in the order of their ids, the table itself first; perhaps made one after the other as they are taken.
    """

    tables: Iterable[bytes]


def stored(table: DataTable) -> StoredTable:
    """The table with its subtables serialized."""
    tables: list[bytes] = []
    _serialize(table, tables)
    return StoredTable(tables)


def _serialize(table: DataTable, tables: list[bytes]) -> None:
    """Give the table the next id, then each subtable its own, depth first."""
    own_id = len(tables)
    tables.append(b"")
    rows = list(enumerate(table.rows))
    if table.summary is not None:
        rows.append((SUMMARY_KEY, table.summary))
    pieces: list[bytes] = []
    for key, row in rows:
        below = None
        if row.subtable is not None:
            below = len(tables)
            _serialize(row.subtable, tables)
        columns = b"".join([column_bytes(name, value) for name, value in row.columns.items()])
        pieces.append(
            b"i:%d;a:3:{i:0;a:%d:{%b}i:1;%bi:3;%b}"
            % (key, len(row.columns), columns, dumps(row.metadata), dumps(below))
        )
    if table.notes:
        pieces.append(notes_row(table.notes))
    tables[own_id] = b"a:%d:{%b}" % (len(pieces), b"".join(pieces))


def notes_row(notes: Mapping[str, Any]) -> bytes:
    """The row with what is noted about a table as a whole."""
    columns = {**notes, "label": _NOTES_LABEL}
    serialized = b"".join(column_bytes(name, value) for name, value in columns.items())
    return b"i:%d;a:3:{i:0;a:%d:{%b}i:1;a:0:{}i:3;N;}" % (NOTES_KEY, len(columns), serialized)


def column_bytes(name: str, value: Any) -> bytes:
    """A column as it stands in a stored row: its id, or its name where it has none, and the value."""
    # Metrics are mostly the same few small numbers under the same names; a label is seen once, an array has no hash.
    return _column(name, value) if name == "label" or type(value) is dict else _metric(name, value)


def _column(name: str, value: Any) -> bytes:
    return dump_key(COLUMN_IDS.get(name, name)) + dumps(value)


_metric = lru_cache(maxsize=50_000, typed=True)(_column)


def to_blobs(record: str, table: StoredTable) -> dict[str, bytes]:
    """The compressed blobs that hold a table and its subtables, by name."""
    numbered = enumerate(table.tables)
    _, root = next(numbered)
    if root == _NO_ROWS:
        return {record: _COMPRESSED}
    blobs = {record: _compress(root)}
    for name, chunk in groupby(numbered, key=lambda item: chunk_name(record, item[0])):
        blobs[name] = _compress(_chunk(list(chunk)))
    return blobs


def _chunk(subtables: Sequence[tuple[int, bytes]]) -> bytes:
    """Subtables by their ids, serialized."""
    pieces = [piece for number, data in subtables for piece in (b'i:%d;s:%d:"' % (number, len(data)), data, b'";')]
    return b"".join((b"a:%d:{" % len(subtables), *pieces, b"}"))


def _compress(data: bytes) -> bytes:
    return isal_zlib.compress(data, 1)  # the size of zlib's level 1, in a quarter of its time


_NO_ROWS: Final = dumps({})  # most tables of a small day
_COMPRESSED: Final = _compress(_NO_ROWS)
NO_TABLE: Final = StoredTable((_NO_ROWS,))


def read_table(blob: bytes) -> DataTable:
    """The table of a record's blob, its rows' subtables only by id.

    Raises:
        NotSerialized: the blob is damaged.
    """
    return _table(_decompress(blob))


def read_chunk(blob: bytes) -> dict[int, str]:
    """The serialized subtables of a chunk, by id.

    Raises:
        NotSerialized: the blob is damaged.
    """
    chunk = _decompress(blob)
    if not all(isinstance(data, str) for data in chunk.values()):
        raise NotSerialized("A chunk of subtables holds something else: archive it again.")
    return chunk


def read_subtable(data: str) -> DataTable:
    """A subtable of a chunk, its rows' subtables only by id.

    Raises:
        NotSerialized: the data is damaged.
    """
    return _table(_array(loads(data.encode("utf-8", "surrogateescape"))))


def expand(table: DataTable, subtable: Callable[[int], DataTable | None]) -> None:
    """Put the subtables of a table in their places, at every depth.

    Args:
        table: is changed.
        subtable: gives the subtable of an id, or None when it is not stored.

    Raises:
        NotSerialized: a subtable belongs to two rows, perhaps one of its own.
    """
    seen: set[int] = set()
    unfinished = [table]
    while unfinished:
        for row in unfinished.pop():
            if row.subtable_id is None or (below := subtable(row.subtable_id)) is None:
                continue
            if row.subtable_id in seen:
                raise NotSerialized(f"Subtable {row.subtable_id} belongs to two rows: archive it again.")
            seen.add(row.subtable_id)
            row.subtable = below
            unfinished.append(below)


def _decompress(blob: bytes) -> dict[Any, Any]:
    return _array(loads(decompressed(blob)))


def decompressed(blob: bytes) -> bytes:
    """The serialized array of a blob.

    Raises:
        NotSerialized: the blob is damaged.
    """
    reading = isal_zlib.decompressobj()
    try:
        data = reading.decompress(blob, _MOST_BYTES)
    except _Damaged as error:
        raise NotSerialized(f"The stored record cannot be decompressed ({error}): archive it again.") from None
    if not reading.eof:
        what = "is larger than any that is written" if reading.unconsumed_tail else "is cut short"
        raise NotSerialized(f"The stored record {what}: archive it again.")
    return bytes(data)


def _array(value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise NotSerialized("The stored record is not an array: archive it again.")
    return value


def _table(rows: Mapping[Any, Any]) -> DataTable:
    table = DataTable()
    for key, stored in rows.items():
        if key == NOTES_KEY:
            continue
        row = row_of(stored)
        if key == SUMMARY_KEY:
            table.summary = row
        else:
            table.rows.append(row)
    return table


def row_of(stored: Any) -> Row:
    """The row of a stored array, its subtable only by id.

    Raises:
        NotSerialized: it is no row.
    """
    row, names = _array(stored), COLUMN_NAMES
    columns = {
        names.get(key) or str(key): _number(value) if type(value) is str and key != "label" else value
        for key, value in _array(row.get(_COLUMNS)).items()
    }
    subtable_id, metadata = row.get(_SUBTABLE), row.get(_METADATA)
    if subtable_id and type(subtable_id) is not int:
        raise NotSerialized("The stored record has a subtable that is no number: archive it again.")
    return Row(columns, dict(_array(metadata)) if metadata else {}, subtable_id=subtable_id or None)


def _number(text: str) -> int | float | str:
    """The number of a metric that Matomo stored as the text that its database gave it."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
