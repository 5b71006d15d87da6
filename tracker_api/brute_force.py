"""Wrong tokens and passwords by address, in Matomo's table `brute_force_log`, so that both count each other's.

Who has an IPv6 address nearly always has 2^64 of them: they count as one, the first of their network.
"""

from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from footfall.clock import Clock
from footfall.database import Database

_WINDOW = timedelta(hours=1)
_KEPT = timedelta(days=30)
_DELETED_AT_ONCE = 1000


class BruteForceLog:
    """Who tried wrong tokens or passwords lately.

    Args:
        attempts: BRUTE_FORCE_ATTEMPTS; 0 lets everybody try for ever.
    """

    def __init__(self, database: Database, clock: Clock, attempts: int) -> None:
        self._database = database
        self._clock = clock
        self._attempts = attempts
        self._table = database.table("brute_force_log")

    def is_blocked(self, address: str) -> bool:
        """Whether the address has used up its attempts of the last hour."""
        if not self._attempts:
            return False
        since = (self._clock.now() - _WINDOW).replace(tzinfo=None)
        rows = self._database.query(
            f"SELECT COUNT(*) FROM {self._table} WHERE ip_address = %s AND attempted_at > %s",
            (_counted(address), since),
        )
        return int(rows[0][0]) >= self._attempts

    def note(self, address: str) -> None:
        """Remember a wrong token or password; attempts of long ago are forgotten."""
        now = self._clock.now().replace(tzinfo=None, microsecond=0)
        self._database.execute(
            f"INSERT INTO {self._table} (ip_address, attempted_at) VALUES (%s, %s)", (_counted(address), now)
        )
        self._database.execute(
            f"DELETE FROM {self._table} WHERE attempted_at < %s ORDER BY id_brute_force_log LIMIT {_DELETED_AT_ONCE}",
            (now - _KEPT,),
        )


def _counted(address: str) -> str:
    """The address that attempts from this one count for."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or ip_network((int(parsed), 64), strict=False).network_address)
