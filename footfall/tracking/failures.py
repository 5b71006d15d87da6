"""Tracking failures: what site owners are told of requests that were refused (Matomo's table `tracking_failure`).

One row for each site and kind of failure, the first that occurred within the last two days, as Matomo has it: enough to
find the mistake, never more rows than sites. Every refused request is also a dead letter.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from cachetools import TTLCache

from footfall.clock import Clock
from footfall.database import Database
from footfall.queue.request import TrackingRequest
from footfall.queue.tokens import PLACEHOLDER, token_of, without_tokens
from footfall.tracking.errors import Failure

_KEPT = timedelta(days=2)
_HIGHEST_SITE = 9_999_999
_LONGEST_REQUEST = 20_000  # characters
_AT_ONCE = 100
_MOST_ROWS = 10_000  # a client that makes up sites must not fill the disk
_NOTED_SECONDS = 600  # a client that is wrong is wrong with every request: not each is worth a statement


class FailedRequest(NamedTuple):
    """A request that was refused for a reason that Matomo has a number for."""

    idsite: int
    failure: Failure
    request: TrackingRequest


class TrackingFailures:
    """Writes the tracking failures of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._noted: TTLCache[tuple[int, Failure], bool] = TTLCache(10_000, _NOTED_SECONDS, timer=clock.monotonic)

    def note(self, failed: Sequence[FailedRequest]) -> None:
        """Keep those that are the first of their site and kind. Not inside a transaction."""
        news: dict[tuple[int, Failure], TrackingRequest] = {}
        for idsite, failure, request in failed:
            if len(news) < _AT_ONCE and 0 <= idsite <= _HIGHEST_SITE and (idsite, failure) not in self._noted:
                news.setdefault((idsite, failure), request)
        if not news:
            return
        now = self._clock.now().replace(tzinfo=None, microsecond=0)
        table = self._database.table("tracking_failure")
        self._database.execute(f"DELETE FROM {table} WHERE date_first_occurred < %s", (now - _KEPT,))
        if int(self._database.query(f"SELECT COUNT(*) FROM {table}")[0][0]) < _MOST_ROWS:
            self._database.execute(
                f"INSERT IGNORE INTO {table} (idsite, idfailure, date_first_occurred, request_url) VALUES "
                + ", ".join(["(%s, %s, %s, %s)"] * len(news)),
                [value for key, request in news.items() for value in (*key, now, _shown(request))],
            )
        self._noted.update(dict.fromkeys(news, True))


def _shown(request: TrackingRequest) -> str:
    """The request's parameters as one query string, without its token."""
    parts = [without_tokens(part) for part in (request.query, request.body)]
    if token_of(request):
        parts.append(f"token_auth={PLACEHOLDER}".encode())
    return b"&".join(part for part in parts if part).decode("utf-8", "replace")[:_LONGEST_REQUEST]
