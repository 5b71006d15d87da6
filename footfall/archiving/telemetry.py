"""Says what is archived: a line of the log for each archive, and counts for /metrics."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from footfall.archiving.periods import PeriodKind
from footfall.archiving.scope import Scope
from footfall.log import fields
from footfall.metrics.declared import ARCHIVE_SECONDS, ARCHIVES

if TYPE_CHECKING:
    from footfall.archiving.periods import Period
    from footfall.archiving.tables import Archive, Content
    from footfall.clock import Clock
    from footfall.queue.counters import CountWriter

LOGGER = "footfall.archive"
_log = logging.getLogger(LOGGER)


class Telemetry:
    """What an archiver tells about its work.

    Args:
        counts: for /metrics; None counts nothing.
    """

    def __init__(self, clock: Clock, counts: CountWriter | None = None) -> None:
        self._clock = clock
        self._counts = counts

    @contextmanager
    def making(self, idsite: int, period: Period) -> Iterator[Making]:
        """While the block makes what is wanted of a period; what it is made of may be made within."""
        making, started = Making(), self._clock.monotonic()
        try:
            yield making
        except Exception:
            self._count(period, failed=1)
            raise
        seconds = self._clock.monotonic() - started
        archives = _with_parts(making.archives)
        for scope, scopes in archives.items():
            _log.info(
                "Archived site %d, %s %s",
                idsite,
                period.kind.label,
                _date(period),
                extra=fields(
                    site=idsite,
                    period=period.kind.label,
                    date=_date(period),
                    segment=scope.segment or None,
                    plugin=scope.plugin or None,
                    record=scope.record or None,
                    visits=making.visits.get(scope),
                    records=sum(making.records[part] for part in scopes),
                    seconds=round(seconds, 4),
                    together=len(archives),
                ),
            )
        self._count(period, made=len(archives), failed=len(_with_parts(making.failed)), seconds=seconds)

    def _count(self, period: Period, *, made: int = 0, failed: int = 0, seconds: float | None = None) -> None:
        if self._counts is None:
            return
        tally, kind = self._counts.tally, period.kind.label
        tally.count(ARCHIVES, kind, "made", by=made)
        tally.count(ARCHIVES, kind, "failed", by=failed)
        if seconds is not None:
            tally.observe(ARCHIVE_SECONDS, seconds, kind)
        self._counts.write_due()


class Making:
    """What becomes of the archives of a period.

    Attributes:
        archives: those that were stored, by scope.
        records: how many are in each.
        visits: how many each is about that says so.
        failed: why a scope could not be archived.
    """

    def __init__(self) -> None:
        self.archives: dict[Scope, Archive] = {}
        self.records: dict[Scope, int] = {}
        self.visits: dict[Scope, int] = {}
        self.failed: dict[Scope, Exception] = {}

    def add(self, scope: Scope, archive: Archive, content: Content) -> None:
        """Note what was stored."""
        self.archives[scope] = archive
        self.records[scope] = len(content.numbers) + len(content.blobs)
        if not scope.plugin:
            self.visits[scope] = int(content.numbers.get("nb_visits", 0))  # what is zero is not stored


def _date(period: Period) -> str:
    return f"{period.first},{period.last}" if period.kind is PeriodKind.RANGE else str(period.first)


def _with_parts(scopes: Iterable[Scope]) -> dict[Scope, list[Scope]]:
    """The scopes that people know, each with those of the parts of its visits that are archived beside it."""
    found: dict[Scope, list[Scope]] = {}
    for scope in scopes:
        found.setdefault(scope if scope.base is None else Scope(scope.base), []).append(scope)
    return found
