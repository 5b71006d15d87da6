"""What is archived of a site: the plugins' builders and segments, as its goals and custom dimensions make them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cachetools import LRUCache

from footfall.archiving.logreader import Reading
from footfall.archiving.records import Builder, RecordBuilder, RecordIndex, builders_for, columns_read
from footfall.archiving.scope import Scope, both
from footfall.archiving.segment import Segment
from footfall.archiving.segments import VISIT, SegmentName, Segments, names_for
from footfall.archiving.setup import SiteSetup
from footfall.archiving.visit_metrics import together
from footfall.errors import InvalidInput

_PLANS_KEPT = 100
_SEGMENTS_KEPT = 1000
_WHEN_BEGUN = "visit_first_action_time"


@dataclass(frozen=True)
class VisitPart:
    """Some of the visits, which reports compare with all: archived beside all visits and beside every segment.

    Args:
        condition: which visits they are, `visitorType==new` say.
        plugins: those whose records are archived of them.
    """

    condition: str
    plugins: tuple[str, ...]


@dataclass(frozen=True)
class Archived:
    """What plugins declare of archives.

    Args:
        builders: by plugin.
        segments: the names that conditions of segments can use.
        parts: the parts of visits that are archived beside the whole.
    """

    builders: Mapping[str, tuple[Builder, ...]]
    segments: tuple[Segments, ...] = ()
    parts: tuple[VisitPart, ...] = ()

    def beside(self, segment: str) -> list[Scope]:
        """All that is archived of a segment, or of all visits: the whole, then the parts."""
        parts = (
            Scope(both(segment, part.condition), plugin, base=segment, condition=part.condition)
            for part in self.parts
            for plugin in part.plugins
        )
        return [Scope(segment), *parts]

    def with_builders(self, plugin: str, *builders: Builder) -> Archived:
        """The same with another plugin."""
        return replace(self, builders={**self.builders, plugin: builders})


class Plan:
    """What is archived of the sites of one setup.

    Raises:
        InvalidInput: by its methods, where a scope names a segment, plugin or record that there is not.
    """

    def __init__(self, setup: SiteSetup, archived: Archived) -> None:
        self._builders = {plugin: builders_for(setup, builders) for plugin, builders in archived.builders.items()}
        self._names = names_for(setup, archived.segments)
        self._segments: LRUCache[str, Segment] = LRUCache(_SEGMENTS_KEPT)
        self._indexes: dict[tuple[str, str], RecordIndex] = {}

    @property
    def names(self) -> Mapping[str, SegmentName]:
        """The names that conditions of segments can use."""
        return self._names

    @cached_property
    def _all(self) -> tuple[RecordBuilder, ...]:
        return together(builder for builders in self._builders.values() for builder in builders)

    def builders(self, scope: Scope) -> tuple[RecordBuilder, ...]:
        """What computes the records of a scope, and perhaps others."""
        if not scope.plugin:
            return self._all
        if scope.plugin not in self._builders:
            raise InvalidInput(
                f"There is no plugin {scope.plugin!r}: it is one of {', '.join(sorted(self._builders))}."
            )
        builders = self._builders[scope.plugin]
        if not scope.record:
            return builders
        found = tuple(b for b in builders if any(record.name == scope.record for record in b.records))
        if not found:
            names = sorted(record.name for builder in builders for record in builder.records)
            raise InvalidInput(f"{scope.plugin} has no record {scope.record!r}: its records are {', '.join(names)}.")
        return found

    def index(self, scope: Scope) -> RecordIndex:
        """The records of a scope."""
        key = (scope.plugin, scope.record)
        if key not in self._indexes:
            self._indexes[key] = RecordIndex(self.builders(scope), only=scope.record or None)
        return self._indexes[key]

    def segment(self, definition: str) -> Segment:
        """The segment of a definition that is not empty."""
        segment = self._segments.get(definition)
        if segment is None:
            segment = self._segments[definition] = Segment.of(definition, self._names)
        return segment

    def reading(self, scopes: Iterable[Scope]) -> Reading:
        """What has to be read for all of these together."""
        scopes = tuple(scopes)
        return self.reading_of(self.columns(scopes), [scope.segment for scope in scopes if scope.segment])

    def columns(self, scopes: Iterable[Scope]) -> dict[str, tuple[str, ...]]:
        """The columns that the records of these are computed from, by log table."""
        builders = {id(builder): builder for scope in scopes for builder in self.builders(scope)}
        return columns_read(builders.values())

    def reading_of(self, columns: Mapping[str, Sequence[str]], definitions: Iterable[str]) -> Reading:
        """What has to be read to have some columns of the visits of segments."""
        segments = [self.segment(definition) for definition in dict.fromkeys(definitions)]
        wanted = {table: dict.fromkeys(names) for table, names in columns.items()}
        named: dict[str, dict[str, None]] = {}
        for segment in segments:
            for table, names in segment.reads.items():
                wanted.setdefault(table, {"idvisit": None}).update(dict.fromkeys(names))
            for table, names in segment.named.items():
                named.setdefault(table, {}).update(dict.fromkeys(names))
        whole_visits = any(table != VISIT for segment in segments for table in segment.reads)
        if whole_visits:
            wanted[VISIT][_WHEN_BEGUN] = None
        return Reading(
            {table: tuple(names) for table, names in wanted.items()},
            {table: tuple(names) for table, names in named.items()},
            whole_visits,
        )


class Plans:
    """The plans of all sites."""

    def __init__(self, archived: Archived) -> None:
        self.archived = archived
        self._kept: LRUCache[SiteSetup, Plan] = LRUCache(_PLANS_KEPT)

    def of(self, setup: SiteSetup) -> Plan:
        """The plan of the sites of a setup."""
        plan = self._kept.get(setup)
        if plan is None:
            plan = self._kept[setup] = Plan(setup, self.archived)
        return plan
