"""Computes what is archived of a day, of all visits and of segments, from one reading of its log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from footfall.archiving.blob import StoredTable, to_blobs
from footfall.archiving.contents import kept, limited_blobs
from footfall.archiving.datatable import DataTable
from footfall.archiving.daylog import DayLog
from footfall.archiving.plan import Plan
from footfall.archiving.records import Computed
from footfall.archiving.scope import VISITS, Scope
from footfall.archiving.tables import Blobs, Content
from footfall.database import is_lost

# What was computed for each scope, by name of the record; or why it could not be.
Results = Mapping[Scope, Computed | Exception]
# The same as it is stored.
Outcomes = Mapping[Scope, Content | Exception]


def decides_all(scopes: Iterable[Scope], error: Exception) -> bool:
    """Whether an error means that there is nothing to archive of any segment either."""
    return is_lost(error) or VISITS in scopes


class DayContents:
    """Computes what is archived of a day, a family of scopes at a time: a segment, or all visits, and parts of them.

    Args:
        log: of all visits, read with what the plan needs for these scopes.
    """

    def __init__(self, plan: Plan, log: DayLog, scopes: Iterable[Scope]) -> None:
        self._plan = plan
        self._log = log
        families: dict[str, list[Scope]] = {}
        for scope in scopes:
            families.setdefault(scope.segment if scope.base is None else scope.base, []).append(scope)
        # All visits first: without them there is nothing.
        self.families = sorted(families.values(), key=lambda family: VISITS not in family)

    def computed(self, family: Iterable[Scope]) -> Results:
        """What is to be stored of the scopes of a family.

        Raises:
            Exception: what everything depends on went wrong: all visits, or the connection to the database.
        """
        by_segment: dict[str, list[Scope]] = {}
        for scope in family:
            by_segment.setdefault(scope.segment, []).append(scope)
        found: dict[Scope, Computed | Exception] = {}
        whole = ("", self._log)  # the segment that the parts that follow may be part of
        for members in by_segment.values():
            try:
                log = self._view(members, *whole)
                if any(not scope.plugin for scope in members):
                    whole = (members[0].segment, log)
                found |= {scope: self._computed(scope, log) for scope in members}
            except Exception as error:
                if decides_all(members, error):
                    raise
                found |= dict.fromkeys(members, error)
        return found

    def contents(self, results: Results) -> Outcomes:
        """What was computed, as it is stored; another thread may ask for it than computes what is next."""
        found: dict[Scope, Content | Exception] = {}
        for scope, computed in results.items():
            try:
                found[scope] = computed if isinstance(computed, Exception) else self._content(scope, computed)
            except Exception as error:
                if decides_all([scope], error):
                    raise
                found[scope] = error
        return found

    def _content(self, scope: Scope, computed: Computed) -> Content:
        records = self._plan.index(scope)
        numbers: dict[str, float] = {}
        blobs: Blobs = {}
        for name, value in computed.items():
            if isinstance(value, StoredTable):
                blobs |= to_blobs(name, value)
            elif isinstance(value, DataTable):
                numbers |= records.counts(name, value)
                blobs |= limited_blobs(records.table(name), name, value)
            else:
                numbers[name] = value
        return kept(scope, records, numbers, blobs)

    def _view(self, scopes: Sequence[Scope], segment: str, log: DayLog) -> DayLog:
        """The log as scopes of one segment see it.

        Args:
            segment, log: another segment, and what it sees.
        """
        first = scopes[0]
        if not first.segment:
            return self._log
        columns = self._plan.columns(scopes) if all(scope.plugin for scope in scopes) else None
        if first.base == segment and self._plan.segment(first.condition).is_of_visits:
            return self._plan.segment(first.condition).apply(log, columns)
        return self._plan.segment(first.segment).apply(self._log, columns)

    def _computed(self, scope: Scope, log: DayLog) -> Computed:
        """What the builders of a scope make of the log."""
        if log.is_empty:
            return {}
        records = self._plan.index(scope)
        return {
            name: value
            for builder in self._plan.builders(scope)
            for name, value in builder.values(log).items()
            if not scope.record or name in records
        }
