"""How far the clocks of the servers are from this machine's.

All times are made by Footfall's processes, none by a server. What differs between machines differs in the log: a visit
may end before it began, a token expires early, a request seems to have waited for long.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from footfall.health.finding import Check, Finding, Need, ok, problem, warning
from footfall.health.installation import Installation

_WARNING_SECONDS = 2.0
_PROBLEM_SECONDS = 60.0


def database_clock(installation: Installation) -> Finding:
    """The database's clock."""

    def read() -> datetime:
        ((moment,),) = installation.database.query("SELECT UTC_TIMESTAMP(6)")
        return cast(datetime, moment).replace(tzinfo=UTC)

    return _compared("the database", installation, read)


def redis_clock(installation: Installation) -> Finding:
    """Redis's clock."""

    def read() -> datetime:
        seconds, microseconds = installation.redis.time()
        return datetime.fromtimestamp(seconds + microseconds / 1e6, UTC)

    return _compared("Redis", installation, read)


def _compared(server: str, installation: Installation, read: Callable[[], datetime]) -> Finding:
    read()  # the connection is open then
    before = installation.clock.now()
    there = read()
    after = installation.clock.now()
    # It may be anything between: only what lies outside of that is wrong for sure.
    ahead = max((there - after).total_seconds(), (before - there).total_seconds(), 0.0)
    if ahead < _WARNING_SECONDS:
        return ok(f"the clock of {server} and ours agree")
    direction = "ahead of" if there > after else "behind"
    text = f"the clock of {server} is {ahead:.1f} s {direction} this machine's"
    finding = problem if ahead >= _PROBLEM_SECONDS else warning
    return finding(text, "set both by NTP (chrony, systemd-timesyncd).")


CHECKS = (
    Check("database.clock", database_clock, Need.DATABASE),
    Check("redis.clock", redis_clock, Need.REDIS),
)
