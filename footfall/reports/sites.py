"""The sites that reports can be about."""

from footfall.database import Database


class Sites:
    """Reads the sites' timezones; for one thread, as its database is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def timezones(self) -> dict[int, str]:
        """The timezone setting of every site by idsite, in the order of idsite."""
        rows = self._database.query(f"SELECT idsite, timezone FROM {self._database.table('site')} ORDER BY idsite")
        return {int(idsite): str(timezone) for idsite, timezone in rows}
