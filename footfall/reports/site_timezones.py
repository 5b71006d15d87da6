"""The sites that reports can be about, and whose days they are."""

from collections.abc import Sequence

from footfall.database import Database


class SiteTimezones:
    """Reads which sites there are; for one thread, as its database is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def timezones(self, idsites: Sequence[int] | None = None) -> dict[int, str]:
        """The timezone setting of each of these sites that exists, or of all sites, in the order of idsite."""
        condition = "" if idsites is None else f"WHERE idsite IN ({', '.join(['%s'] * len(idsites))})"
        rows = self._database.query(
            f"SELECT idsite, timezone FROM {self._database.table('site')} {condition} ORDER BY idsite", idsites or ()
        )
        return {int(idsite): str(timezone) for idsite, timezone in rows}
