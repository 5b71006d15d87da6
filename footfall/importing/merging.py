"""Several logs as one, in the order of time, so that a visitor's lines come in order whichever log they are in."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from footfall.importing.line import Line
from footfall.importing.source import Source


class _Reading(NamedTuple):
    """A log that is open; in the order of its next line, then of the logs."""

    time: float
    number: int
    line: Line | None
    lines: Iterator[Line | None]
    log: Source


_END = Line(0.0, "", "", 0)


def merged(
    logs: Sequence[tuple[float, Source]],
    renewed: Callable[[Source], Source | None] = lambda log: None,
    awaited: Sequence[Source] = (),
) -> Iterator[tuple[Source, Line] | None]:
    """The lines of all logs; those of the same moment in the order of the logs.

    A log is opened when its time has come. One whose own lines are out of order stays as it is. None stands where
    logs that are followed have nothing to read at present.

    Args:
        logs: each with a time that its first line is not before.
        renewed: a log in the place of one that was rotated away; None as long as there is none.
        awaited: logs that have no line yet; `renewed` tells when they do.
    """
    waiting = [_Reading(since, number, None, log.read(), log) for number, (since, log) in enumerate(logs)]
    heapq.heapify(waiting)
    idle: list[_Reading] = []
    gone: list[Source] = list(awaited)
    numbers = len(logs)
    while True:
        while waiting:
            reading = heapq.heappop(waiting)
            _, number, line, lines, log = reading
            until = (waiting[0].time, waiting[0].number) if waiting else (float("inf"), 0)
            if line is None:
                line = next(lines, _END)
                if line is not None and line is not _END and (line.time, number) > until:
                    heapq.heappush(waiting, reading._replace(time=line.time, line=line))
                    continue
            while line is not None and line is not _END and (line.time, number) <= until:
                yield log, line
                line = next(lines, _END)
            if line is None:
                idle.append(reading._replace(line=None))
            elif line is not _END:
                heapq.heappush(waiting, reading._replace(time=line.time, line=line))
            elif log.was_replaced:
                gone.append(log)
        if not idle and not gone:
            return
        yield None
        waiting, idle = idle, []
        for log in gone[:]:
            if (new := renewed(log)) is not None:
                gone.remove(log)
                waiting.append(_Reading(0.0, numbers, None, new.read(), new))
                numbers += 1
        heapq.heapify(waiting)
