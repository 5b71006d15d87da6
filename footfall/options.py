"""The `option` table: named values that outlive a process. Options marked autoload are read together."""

from cachetools import TTLCache

from footfall.database import Database

_AUTOLOADED = "autoloaded"


class Options:
    """Reads and writes options; what is read is kept for a while.

    Args:
        database: the connection to use.
        cache_seconds: how long a value that was read is kept; 0 reads it each time.
    """

    def __init__(self, database: Database, cache_seconds: int = 60) -> None:
        self._database = database
        seconds = max(cache_seconds, 1e-9)
        self._autoloaded: TTLCache[str, dict[str, str]] = TTLCache(1, seconds)
        self._others: TTLCache[str, str | None] = TTLCache(10_000, seconds)

    def get(self, name: str) -> str | None:
        """The option's value, or None when there is no such option."""
        autoloaded = self._autoloaded.get(_AUTOLOADED)
        if autoloaded is None:
            autoloaded = self._autoloaded[_AUTOLOADED] = self._read_autoloaded()
        if name in autoloaded:
            return autoloaded[name]
        try:
            return self._others[name]
        except KeyError:
            value = self._others[name] = self._read(name)
            return value

    def set(self, name: str, value: str, autoload: bool = False) -> None:
        """Write an option, replacing the value that stands there."""
        self._database.execute(
            f"INSERT INTO {self._database.table('option')} (option_name, option_value, autoload) VALUES (%s, %s, %s) "
            "ON DUPLICATE KEY UPDATE option_value = VALUES(option_value), autoload = VALUES(autoload)",
            (name, value, int(autoload)),
        )
        self._keep(name, value)

    def delete(self, name: str) -> None:
        """Remove an option; nothing happens when there is none."""
        self._database.execute(f"DELETE FROM {self._database.table('option')} WHERE option_name = %s", (name,))
        self._keep(name, None)

    def forget(self) -> None:
        """Drop everything that is kept, so that changes are seen at once."""
        self._autoloaded.clear()
        self._others.clear()

    def _keep(self, name: str, value: str | None) -> None:
        self._autoloaded.get(_AUTOLOADED, {}).pop(name, None)
        self._others[name] = value

    def _read_autoloaded(self) -> dict[str, str]:
        rows = self._database.query(
            f"SELECT option_name, option_value FROM {self._database.table('option')} WHERE autoload = 1"
        )
        return {str(name): str(value) for name, value in rows}

    def _read(self, name: str) -> str | None:
        rows = self._database.query(
            f"SELECT option_value FROM {self._database.table('option')} WHERE option_name = %s", (name,)
        )
        return rows[0][0] if rows else None
