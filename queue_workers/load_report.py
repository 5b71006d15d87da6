"""The load report: one line per batch, the newest kept in the `option` table."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import NotRequired, TypedDict

import msgspec

from footfall.clock import Clock
from footfall.log import fields
from footfall.metrics.steps import Step
from footfall.options import Options
from queue_workers.recording import Loaded

OPTION = "footfall_load_report"
_SAVE_SECONDS = 1.0
_SHOWN_SECONDS = 0.0001  # of a step, below which a line is better without it
_log = logging.getLogger("footfall.load")


class Report(TypedDict):
    """A load report as it is kept; times in UTC.

    Keys:
        requests: records taken from the queue, `dead` ones included.
        excluded: requests left out on purpose, by reason.
        seconds: how long it took.
        since: the oldest moment of a recorded request; None when there was none.
        line: the same as one sentence.
    """

    loaded_at: str
    requests: int
    visits: int
    page_views: int
    goals: int
    dead: int
    excluded: NotRequired[dict[str, int]]
    seconds: float
    since: str | None
    line: str


class LoadReports:
    """Logs every batch, and keeps the newest report, written at most once a second."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._unsaved: Report | None = None
        self._saved_at = float("-inf")

    def loaded(self, shard: str, loaded: Loaded, seconds: float, spent: Mapping[Step, float]) -> None:
        """A batch was recorded in this time.

        Args:
            spent: the seconds of each step.
        """
        report = Report(
            loaded_at=_text(self._clock.now()),
            requests=loaded.requests,
            visits=loaded.visits,
            page_views=loaded.page_views,
            goals=loaded.goals,
            dead=loaded.dead,
            excluded=dict(loaded.excluded),
            seconds=round(seconds, 3),
            since=_text(loaded.since) if loaded.since else None,
            line=sentence(loaded, seconds),
        )
        _log.info(
            report["line"],
            extra=fields(
                shard=shard,
                requests=loaded.requests,
                visits=loaded.visits,
                actions=loaded.actions,
                goals=loaded.goals,
                excluded=loaded.excluded.total(),
                dead=loaded.dead,
                seconds=round(seconds, 4),
                steps={step.value: round(taken, 4) for step, taken in spent.items() if taken >= _SHOWN_SECONDS},
            ),
        )
        self._unsaved = report
        if self._clock.monotonic() - self._saved_at >= _SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Keep the newest report now."""
        if self._unsaved is not None:
            self._options.set(OPTION, msgspec.json.encode(self._unsaved).decode())
            self._unsaved = None
            self._saved_at = self._clock.monotonic()


def read_report(options: Options) -> Report | None:
    """The newest load report of any worker; None when nothing was ever loaded."""
    value = options.get(OPTION)
    return None if value is None else msgspec.json.decode(value, type=Report)


def sentence(loaded: Loaded, seconds: float) -> str:
    """The report as one line, such as
    `Loaded 1405 visits, 45000 page views, 345 goals - Duration 32s - Logs since 2010-09-08 04:02:52`; in the end what
    was left out on purpose, if anything was: ` - Excluded 3: excluded address 2, prefetched page 1`.
    """
    since = _text(loaded.since) if loaded.since else "-"
    return (
        f"Loaded {loaded.visits} visits, {loaded.page_views} page views, {loaded.goals} goals"
        f" - Duration {seconds:.0f}s - Logs since {since}{_excluded(loaded)}"
    )


def _excluded(loaded: Loaded) -> str:
    if not loaded.excluded:
        return ""
    reasons = ", ".join(f"{reason} {count}" for reason, count in loaded.excluded.most_common())
    return f" - Excluded {loaded.excluded.total()}: {reasons}"


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
