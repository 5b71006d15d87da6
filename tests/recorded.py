"""The archives and reports that the reference recorded of one smaller corpus (tests/conformance/first).

Facts from ../shared/conformance: the archives of a day, a week and a month of two sites, with every record decoded, and
the answers of the Reporting API about them.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.metrics import COLUMN_NAMES
from footfall.archiving.periods import Period, PeriodKind

FIRST = Path(__file__).resolve().parent / "conformance" / "first"

# What decorates an answer; conform.py leaves these names out of the comparison.
PRESENTATION = {"idsubdatatable", "segment", "url"}


def _lines(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(FIRST / name, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


@dataclass(frozen=True)
class RecordedArchive:
    """One archive: its numbers, and its tables with their subtables in place."""

    idsite: int
    period: Period
    numbers: dict[str, float]
    blobs: dict[str, dict[str, Any]] = field(repr=False)

    @property
    def records(self) -> list[str]:
        return [name for name in self.blobs if "_chunk_" not in name]

    def table(self, record: str, *, expanded: bool, subtable_id: int | None = None) -> DataTable:
        stored = self.blobs.get(record, {}) if subtable_id is None else self._subtable(record, subtable_id)
        table = DataTable()
        for key, row in stored.items():
            made = self._row(record, row, expanded)
            if key == "-1":
                table.summary = made
            else:
                table.rows.append(made)
        return table

    def _subtable(self, record: str, number: int) -> dict[str, Any]:
        chunks = (tables for name, tables in self.blobs.items() if name.startswith(f"{record}_chunk_"))
        return next((tables[str(number)] for tables in chunks if str(number) in tables), {})

    def _row(self, record: str, stored: dict[str, Any], expanded: bool) -> Row:
        columns = {COLUMN_NAMES[int(key)] if key.isdigit() else key: value for key, value in stored["0"].items()}
        row = Row(columns, dict(stored["1"] or {}), subtable_id=stored.get("3"))
        if expanded and row.subtable_id is not None:
            row.subtable = self.table(record, expanded=True, subtable_id=row.subtable_id)
        return row


@cache
def archives() -> tuple[RecordedArchive, ...]:
    """All recorded archives of all visits."""
    return tuple(
        RecordedArchive(
            line["idsite"],
            Period(PeriodKind(line["period"]), date.fromisoformat(line["date1"]), date.fromisoformat(line["date2"])),
            line["numeric"],
            line["blob"],
        )
        for line in _lines("archives.jsonl.gz")
        if line["done"] == "done"
    )


@cache
def reports() -> tuple[dict[str, Any], ...]:
    """All recorded answers: idSite, period, date, method, parameters, shape, answer."""
    return tuple(_lines("reports.jsonl.gz"))


class RecordedArchives:
    """Reads the recorded archives as ArchiveReader reads stored ones."""

    def _find(self, idsite: int, period: Period) -> RecordedArchive | None:
        return next((a for a in archives() if (a.idsite, a.period) == (idsite, period)), None)

    def numeric(self, idsite: int, period: Period, names: Sequence[str], segment: str = "") -> dict[str, float] | None:
        archive = self._find(idsite, period)
        return None if archive is None else {n: archive.numbers[n] for n in names if n in archive.numbers}

    def numeric_of_days(
        self, idsite: int, period: Period, names: Sequence[str], segment: str = ""
    ) -> dict[date, dict[str, float]]:
        found = {day.first: self.numeric(idsite, day, names, segment) for day in period.days()}
        return {day: numbers for day, numbers in found.items() if numbers is not None}

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
        archive = self._find(idsite, period)
        return None if archive is None else archive.table(name, expanded=expanded, subtable_id=subtable_id)
