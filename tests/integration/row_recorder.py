"""A recorder that writes one row per request, so that tests see exactly which request was recorded how often."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from footfall.database import Database
from footfall.metrics.steps import Steps
from footfall.queue.request import TrackingRequest


@dataclass
class Report:
    visits: int
    actions: int = 0
    page_views: int = 0
    goals: int = 0
    since: datetime | None = None
    rejected: Sequence[tuple[int, str, int | None]] = ()
    excluded: Mapping[str, int] = field(default_factory=dict)


@dataclass
class RowRecorder:
    """Writes the query of each request into a row; `meanwhile` runs in the middle of a write."""

    database: Database
    meanwhile: Callable[[], None] = lambda: None
    writes: list[int] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)

    def forget(self) -> None:
        """It keeps nothing."""

    def prepare(self, requests: Sequence[TrackingRequest]) -> list[str]:
        return [request.query.decode() for request in requests]

    def write(self, batch: list[str]) -> Report:
        self.writes.append(len(batch))
        rejected = [(index, "The site is unknown", 9) for index, text in enumerate(batch) if text == "rejected"]
        for text in batch:
            if text == "bug":
                raise KeyError("bug")
            # `poison` is not a number: MySQL refuses the whole statement.
            value = "poison" if text == "poison" else len(text)
            if text not in ("rejected", "excluded"):
                self.database.execute("INSERT INTO recorded (query, length) VALUES (%s, %s)", (text, value))
        self.meanwhile()
        return Report(
            len(batch) - len(rejected),
            since=datetime(2010, 9, 8, 4, 2, 52, tzinfo=UTC),
            rejected=rejected,
            excluded=Counter(f"{text} address" for text in batch if text == "excluded"),
        )


def new_row_recorder(database: Database) -> RowRecorder:
    """A recorder, and the table that it writes to."""
    database.execute("CREATE TABLE recorded (id INT AUTO_INCREMENT PRIMARY KEY, query VARCHAR(100), length INT)")
    return RowRecorder(database)


def recorded(database: Database) -> list[str]:
    """What was recorded, sorted."""
    return sorted(in_order(database))


def in_order(database: Database) -> list[str]:
    """What was recorded, in that order."""
    return [str(query) for (query,) in database.query("SELECT query FROM recorded ORDER BY id")]
