"""The file that addresses are located with."""

from datetime import UTC, datetime
from pathlib import Path

import maxminddb

from footfall.health.finding import Check, Finding, ok, problem, warning
from footfall.health.installation import Installation

_OLD_DAYS = 90


def geoip_file(installation: Installation) -> Finding:
    """Whether GEOIP_DATABASE can be read, and how old it is."""
    path = installation.settings.geoip_database
    if not path:
        return ok("GEOIP_DATABASE is not set: the country is guessed from the browser's language")
    try:
        with maxminddb.open_database(Path(path)) as reader:
            metadata = reader.metadata()
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        return problem(
            f"{path} (GEOIP_DATABASE) cannot be read as a .mmdb file ({error}): workers do not start",
            "correct the path, or download the file again.",
        )
    made = datetime.fromtimestamp(metadata.build_epoch, UTC)
    age = (installation.clock.now() - made).days
    text = f"{metadata.database_type} of {made:%Y-%m-%d} ({path})"
    if age > _OLD_DAYS:
        return warning(f"{text} is {age} days old: networks have moved", "have it updated every week (geoipupdate).")
    return ok(text)


CHECKS = (Check("settings.geoip-file", geoip_file),)
