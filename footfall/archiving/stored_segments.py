"""The segments that people stored (table `segment`) for `archive_cli run` to archive.

A segment is archived with all visits of its sites. One that is new, or changed, is archived back to a date as well; one
that was deleted loses its archives, and so does what a changed one was before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from footfall.archiving.scope import done_flag
from footfall.database import Database

_ALL_SITES = 0


@dataclass(frozen=True)
class SegmentChanges:
    """What became of a site's stored segments since they were last taken up: definitions."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


class StoredSegments:
    """Reads which segments are to be archived."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = database.table("footfall_archived_segment")

    def of_sites(self, idsites: Collection[int]) -> dict[int, list[str]]:
        """The definitions by site, each once."""
        rows = self._database.query(
            f"SELECT definition, COALESCE(enable_only_idsite, {_ALL_SITES}) FROM {self._database.table('segment')} "
            "WHERE auto_archive = 1 AND deleted = 0 AND definition <> '' ORDER BY idsegment"
        )
        found: dict[int, dict[str, str]] = {idsite: {} for idsite in idsites}
        for definition, only in rows:
            for idsite in idsites if only == _ALL_SITES else (only,):
                if idsite in found:
                    found[idsite].setdefault(done_flag(definition), definition)
        return {idsite: list(by_flag.values()) for idsite, by_flag in found.items()}

    def of_site(self, idsite: int) -> list[str]:
        """The definitions of one site."""
        return self.of_sites([idsite])[idsite]

    def changes(self, stored: Mapping[int, Sequence[str]]) -> dict[int, SegmentChanges]:
        """What is to be taken up, for sites with changes.

        Args:
            stored: the definitions by site, as `of_sites` has read them.
        """
        known: dict[int, dict[str, str]] = {}
        for idsite, definition in self._database.query(f"SELECT idsite, definition FROM {self._known}"):
            known.setdefault(idsite, {})[done_flag(definition)] = definition
        found = {}
        for idsite, definitions in stored.items():
            present = {done_flag(definition): definition for definition in definitions}
            before = known.get(idsite, {})
            changes = SegmentChanges(
                tuple(definition for flag, definition in present.items() if flag not in before),
                tuple(definition for flag, definition in before.items() if flag not in present),
            )
            if changes.added or changes.removed:
                found[idsite] = changes
        return found

    def take_up(self, idsite: int, changes: SegmentChanges) -> None:
        """Remember that the changes of a site are taken care of."""
        for definition in changes.removed:
            self._database.execute(
                f"DELETE FROM {self._known} WHERE idsite = %s AND hash = %s", (idsite, _hash(definition))
            )
        for definition in changes.added:
            self._database.execute(
                f"INSERT IGNORE INTO {self._known} (idsite, hash, definition) VALUES (%s, %s, %s)",
                (idsite, _hash(definition), definition),
            )


def _hash(definition: str) -> str:
    return done_flag(definition).removeprefix("done")
