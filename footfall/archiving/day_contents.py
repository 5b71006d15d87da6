"""Computes what is archived of a day, of all visits and of segments, from one reading of its log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from footfall.archiving.blob import StoredTable, to_blobs
from footfall.archiving.contents import kept, limited_blobs
from footfall.archiving.datatable import DataTable
from footfall.archiving.daylog import DayLog
from footfall.archiving.plan import Plan
from footfall.archiving.scope import VISITS, Scope
from footfall.archiving.tables import Blobs, Content
from footfall.database import is_lost

Outcome = dict[Scope, Content | Exception]


def day_contents(plan: Plan, log: DayLog, scopes: Sequence[Scope]) -> Outcome:
    """The content of the archive of each scope, or why it could not be made.

    Args:
        log: of all visits, read with what the plan needs for these scopes.

    Raises:
        Exception: what everything depends on went wrong: all visits, or the connection to the database.
    """
    families: dict[str, list[Scope]] = {}
    for scope in scopes:
        families.setdefault(scope.segment if scope.base is None else scope.base, []).append(scope)
    day, found = _Day(plan, log, scopes), Outcome()
    for family in families.values():
        found |= day.family(family)
    return found


def decides_all(scopes: Iterable[Scope], error: Exception) -> bool:
    """Whether an error means that there is nothing to archive of any segment either."""
    return is_lost(error) or VISITS in scopes


class _Day:
    """The log of a day, and what is to be made of it."""

    def __init__(self, plan: Plan, log: DayLog, scopes: Iterable[Scope]) -> None:
        self._plan = plan
        self._log = log
        self._segments = {
            definition: plan.segment(definition)
            for scope in scopes
            for definition in (scope.segment, scope.condition)
            if definition
        }

    def family(self, scopes: Iterable[Scope]) -> Outcome:
        """What is made of a segment, or of all visits, and of parts of them."""
        by_segment: dict[str, list[Scope]] = {}
        for scope in scopes:
            by_segment.setdefault(scope.segment, []).append(scope)
        found: Outcome = {}
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

    def _view(self, scopes: Sequence[Scope], segment: str, log: DayLog) -> DayLog:
        """The log as scopes of one segment see it.

        Args:
            segment, log: another segment, and what it sees.
        """
        first = scopes[0]
        if not first.segment:
            return self._log
        columns = self._plan.columns(scopes) if all(scope.plugin for scope in scopes) else None
        if first.base == segment and self._segments[first.condition].is_of_visits:
            return self._segments[first.condition].apply(log, columns)
        return self._segments[first.segment].apply(self._log, columns)

    def _computed(self, scope: Scope, log: DayLog) -> Content:
        """What the builders of a scope make of the log."""
        records = self._plan.index(scope)
        numbers: dict[str, float] = {}
        blobs: Blobs = {}
        for builder in self._plan.builders(scope) if not log.is_empty else ():
            for name, value in builder.values(log).items():
                if scope.record and name not in records:
                    continue
                if isinstance(value, StoredTable):
                    blobs |= to_blobs(name, value)
                elif isinstance(value, DataTable):
                    numbers |= records.counts(name, value)
                    blobs |= limited_blobs(records.table(name), name, value)
                else:
                    numbers[name] = value
        return kept(scope, records, numbers, blobs)
