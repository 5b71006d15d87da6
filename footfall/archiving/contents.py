"""What of the computed records is stored in an archive."""

from __future__ import annotations

from footfall.archiving.blob import stored, to_blobs
from footfall.archiving.datatable import DataTable
from footfall.archiving.records import BlobRecord, RecordIndex
from footfall.archiving.scope import Scope
from footfall.archiving.summing import limit
from footfall.archiving.tables import Blobs, Content


def kept(scope: Scope, records: RecordIndex, numbers: dict[str, float], blobs: Blobs) -> Content:
    """What is stored: nothing that is zero, unless it has to hide an older number."""
    if not scope.is_overlay:
        return Content({name: value for name, value in numbers.items() if value}, blobs)
    empty = {
        name: blob
        for record in records.tables
        for name, blob in limited_blobs(record, record.name, DataTable()).items()
    }
    return Content({record.name: 0 for record in records.numbers} | numbers, empty | blobs)


def limited_blobs(record: BlobRecord | None, name: str, table: DataTable) -> Blobs:
    """A table as it is stored, within the limits of its record."""
    if record is None:
        raise TypeError(f"no plugin declares the table {name} that one computes")
    return to_blobs(name, stored(limit(table, record)))
