"""All checks, in the order in which they are made: what others stand on first.

A new one is a function in the file of its topic, and a row in the CHECKS there.
"""

from footfall.errors import ConfigurationError
from footfall.health import (
    access,
    archiving,
    clocks,
    configuration,
    database_server,
    disks,
    location,
    privileges,
    programs,
    queue,
    redis_server,
    schema,
    spool,
)
from footfall.health.finding import Check, Need
from footfall.health.installation import Installation

CHECKS: tuple[Check, ...] = (
    *programs.CHECKS,
    *configuration.CHECKS,
    *location.CHECKS,
    *database_server.CHECKS,
    *disks.CHECKS,
    *schema.CHECKS,
    *privileges.CHECKS,
    *access.CHECKS,
    *archiving.CHECKS,
    *redis_server.CHECKS,
    *clocks.CHECKS,
    *queue.CHECKS,
    *spool.CHECKS,
)


def checks_of(installation: Installation) -> list[Check]:
    """Those that make sense for an installation: without Redis nobody looks at it, without use for a spool at that."""
    try:
        is_redis, is_spooled = installation.queue.kind == "redis", installation.queue.spooled
    except ConfigurationError:  # the first check that needs the queue says so
        is_redis = is_spooled = True
    return [
        check
        for check in CHECKS
        if (is_redis or Need.REDIS not in check.needs) and (is_spooled or check not in spool.CHECKS)
    ]
