"""Stored form of a table: PHP-serialized rows with integer column ids, compressed, subtables in chunks of a hundred.

A row is `{0: columns, 1: metadata, 3: subtable id or null}`, the summary row has key -1. Subtable ids count from 1, a
table before the tables below it. The subtables of record `Name` lie in `Name_chunk_0_99`, `Name_chunk_100_199` and so
on: each an array from subtable id to serialized table.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.metrics import COLUMN_IDS, COLUMN_NAMES
from footfall.archiving.phpserialize import NotSerialized, dump_key, dumps, loads

CHUNK_SIZE: Final = 100
SUMMARY_KEY: Final = -1
_COLUMNS, _METADATA, _SUBTABLE = 0, 1, 3


def chunk_name(record: str, subtable_id: int) -> str:
    """The name of the chunk that holds a subtable."""
    first = subtable_id // CHUNK_SIZE * CHUNK_SIZE
    return f"{record}_chunk_{first}_{first + CHUNK_SIZE - 1}"


def to_blobs(record: str, table: DataTable) -> dict[str, bytes]:
    """The compressed blobs that hold a table and its subtables, by name."""
    numbered: dict[int, bytes] = {}
    _number(table, 0, numbered)
    root = numbered.pop(0)
    chunks: dict[str, dict[int, bytes]] = {}
    for subtable_id, data in numbered.items():
        chunks.setdefault(chunk_name(record, subtable_id), {})[subtable_id] = data
    return {record: _compress(root)} | {name: _compress(dumps(chunk)) for name, chunk in chunks.items()}


def _compress(data: bytes) -> bytes:
    return zlib.compress(data, 1)  # level 6 costs five times the time and saves a tenth of the space


def _number(table: DataTable, own_id: int, numbered: dict[int, bytes], last_id: int = 0) -> int:
    """Give each subtable its id, depth first, and serialize it; returns the last id given."""
    rows: list[bytes] = []
    for number, row in enumerate(table.rows):
        last_id = _write_row(number, row, rows, numbered, last_id)
    if table.summary is not None:
        last_id = _write_row(SUMMARY_KEY, table.summary, rows, numbered, last_id)
    numbered[own_id] = b"a:%d:{%b}" % (len(table), b"".join(rows))
    return last_id


def _write_row(key: int, row: Row, rows: list[bytes], numbered: dict[int, bytes], last_id: int) -> int:
    subtable_id = None
    if row.subtable is not None:
        subtable_id = last_id + 1
        last_id = _number(row.subtable, subtable_id, numbered, subtable_id)
    columns = b"".join([_column(name, value) for name, value in row.columns.items()])
    rows.append(
        b"i:%d;a:3:{i:0;a:%d:{%b}i:1;%bi:3;%b}"
        % (key, len(row.columns), columns, dumps(row.metadata), dumps(subtable_id))
    )
    return last_id


def _column(name: str, value: Any) -> bytes:
    # Metrics are mostly the same few small numbers under the same names; a label is seen once, an array has no hash.
    return _plain_column(name, value) if name == "label" or type(value) is dict else _metric(name, value)


def _plain_column(name: str, value: Any) -> bytes:
    return dump_key(COLUMN_IDS.get(name, name)) + dumps(value)


_metric = lru_cache(maxsize=50_000, typed=True)(_plain_column)


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
    """
    for row in table:
        if row.subtable_id is not None and (below := subtable(row.subtable_id)) is not None:
            row.subtable = below
            expand(below, subtable)


def _decompress(blob: bytes) -> dict[Any, Any]:
    try:
        data = zlib.decompress(blob)
    except zlib.error as error:
        raise NotSerialized(f"The stored record cannot be decompressed ({error}): archive it again.") from None
    return _array(loads(data))


def _array(value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise NotSerialized("The stored record is not an array: archive it again.")
    return value


def _table(rows: Mapping[Any, Any]) -> DataTable:
    table = DataTable()
    for key, stored in rows.items():
        row = _row(_array(stored))
        if key == SUMMARY_KEY:
            table.summary = row
        else:
            table.rows.append(row)
    return table


def _row(stored: Mapping[Any, Any]) -> Row:
    columns = {
        COLUMN_NAMES.get(key, str(key)) if isinstance(key, int) else key: value
        for key, value in _array(stored.get(_COLUMNS)).items()
    }
    subtable_id = stored.get(_SUBTABLE)
    metadata = stored.get(_METADATA)
    return Row(columns, dict(metadata) if metadata else {}, subtable_id=int(subtable_id) if subtable_id else None)
