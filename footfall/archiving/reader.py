"""Reads what is archived: numbers and tables of the newest usable archive of a period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from footfall.archiving.blob import chunk_name, expand, read_chunk, read_subtable, read_table
from footfall.archiving.datatable import DataTable
from footfall.archiving.periods import Period
from footfall.archiving.tables import Archive, ArchiveTables
from footfall.database import Database

T = TypeVar("T")


class ArchiveReader:
    """Answers from the archive tables; columns come by metric name."""

    def __init__(self, database: Database) -> None:
        self._tables = ArchiveTables(database)

    def archive(self, idsite: int, period: Period, segment: str = "") -> Archive | None:
        """The archive that the other methods read; None when there is no usable one."""
        return self._tables.find(idsite, period, segment)

    def numeric(self, idsite: int, period: Period, names: Sequence[str], segment: str = "") -> dict[str, float] | None:
        """The numbers of these names that are not zero; None when there is no usable archive."""

        def read(archive: Archive) -> dict[str, float]:
            return self._tables.numeric([archive], names)[archive] if names else {}

        return self._from_newest(idsite, period, segment, read)

    def table(
        self,
        idsite: int,
        period: Period,
        name: str,
        segment: str = "",
        *,
        expanded: bool = False,
        subtable_id: int | None = None,
    ) -> DataTable | None:
        """A record's table; None when there is no usable archive.

        Args:
            expanded: with all subtables in their places.
            subtable_id: the subtable of this id instead of the table itself; an empty table when there is none.
        """
        record = name if subtable_id is None or expanded else chunk_name(name, subtable_id)

        def read(archive: Archive) -> DataTable:
            blobs = self._tables.blobs(archive, record, with_chunks=expanded)
            return table_of(blobs, name, expanded=expanded, subtable_id=subtable_id)

        return self._from_newest(idsite, period, segment, read)

    def _from_newest(self, idsite: int, period: Period, segment: str, read: Callable[[Archive], T]) -> T | None:
        while (archive := self.archive(idsite, period, segment)) is not None:
            found = read(archive)
            # A newer archive may have taken its place while it was read; then it may have been read in part.
            if self._tables.is_there(archive):
                return found
        return None


def table_of(
    blobs: dict[str, bytes], name: str, *, expanded: bool = False, subtable_id: int | None = None
) -> DataTable:
    """The table of a record from its blobs; empty when it is not among them."""
    subtables = {number: data for blob in blobs if blob != name for number, data in read_chunk(blobs[blob]).items()}

    def below(number: int) -> DataTable | None:
        return read_subtable(subtables[number]) if number in subtables else None

    if subtable_id is not None:
        table = below(subtable_id) or DataTable()
    else:
        table = read_table(blobs[name]) if name in blobs else DataTable()
    if expanded:
        expand(table, below)
    return table
