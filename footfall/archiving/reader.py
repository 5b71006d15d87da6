"""Reads what is archived: numbers and tables of the newest usable archive of a period."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from footfall.archiving.blob import chunk_name, expand, read_chunk, read_subtable, read_table
from footfall.archiving.datatable import DataTable
from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.tables import Archive, ArchiveTables, Layers
from footfall.database import Database

T = TypeVar("T")


class ArchiveReader:
    """Answers from the archive tables; columns come by metric name."""

    def __init__(self, database: Database) -> None:
        self._tables = ArchiveTables(database)

    def archive(self, idsite: int, period: Period, segment: str = "", plugin: str = "") -> Archive | None:
        """The newest usable archive with the records of a plugin, or of all plugins; None when there is none."""
        return self._layers(idsite, period, segment).of(plugin)

    def numeric(self, idsite: int, period: Period, names: Sequence[str], segment: str = "") -> dict[str, float] | None:
        """The numbers of these names that are not zero; None when there is no usable archive."""

        def read(layers: Layers) -> dict[str, float]:
            if not names:
                return {}
            found = _newest(self._tables.numeric(layers.archives, names), layers)
            return {name: value for name, value in found.items() if value}

        return self._from_newest(idsite, period, segment, read)

    def numeric_of_days(
        self, idsite: int, period: Period, names: Sequence[str], segment: str = ""
    ) -> dict[date, dict[str, float]]:
        """The same for each day of a period that has a usable archive, in a few statements for each of its months."""
        while True:
            found = self._tables.layers(idsite, period.first, period.last, [segment])
            days = {key[1].first: layers for key, layers in found.items() if key[1].kind is PeriodKind.DAY}
            archives = [archive for layers in days.values() for archive in layers.archives]
            numbers = self._tables.numeric(archives, names)
            if self._tables.are_there(archives):
                break
        newest = {day: _newest(numbers, layers) for day, layers in days.items()}
        return {day: {name: value for name, value in values.items() if value} for day, values in newest.items()}

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

        def read(layers: Layers) -> DataTable:
            archives = layers.archives
            if len(archives) > 1:
                holding = self._tables.holders(archives).get(name, set())
                archives = tuple(archive for archive in archives if archive in holding)
            blobs = self._tables.blobs(archives[-1], record, with_chunks=expanded) if archives else {}
            return table_of(blobs, name, expanded=expanded, subtable_id=subtable_id)

        return self._from_newest(idsite, period, segment, read)

    def _layers(self, idsite: int, period: Period, segment: str) -> Layers:
        found = self._tables.layers(idsite, period.first, period.last, [segment])
        return found.get((segment, period), Layers())

    def _from_newest(self, idsite: int, period: Period, segment: str, read: Callable[[Layers], T]) -> T | None:
        while (layers := self._layers(idsite, period, segment)).archives:
            found = read(layers)
            # A newer archive may have taken the place of one while it was read; then it may have been read in part.
            if self._tables.are_there(layers.archives):
                return found
        return None


def _newest(numbers: Mapping[Archive, Mapping[str, float]], layers: Layers) -> dict[str, float]:
    return {name: value for archive in layers.archives for name, value in numbers[archive].items()}


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
