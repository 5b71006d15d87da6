"""The `option` table: named values that outlive a process. Options marked autoload are read together, once."""

from cachetools import TTLCache

from footfall.database import Database


class Options:
    """Reads and writes options; what is read is kept for a while.

    Args:
        database: the connection to use.
        cache_seconds: how long a value that was read is kept; 0 reads it each time.
    """

    def __init__(self, database: Database, cache_seconds: int = 60) -> None:
        self._database = database
        self._autoloaded = False
        self._cache: TTLCache[str, str | None] = TTLCache(10_000, max(cache_seconds, 1e-9))

    def get(self, name: str) -> str | None:
        """The option's value, or None when there is no such option."""
        if not self._autoloaded:
            self._autoload()
        if name not in self._cache:
            rows = self._database.query(
                f"SELECT option_value FROM {self._database.table('option')} WHERE option_name = %s", (name,)
            )
            self._cache[name] = rows[0][0] if rows else None
        return self._cache.get(name)

    def set(self, name: str, value: str, autoload: bool = False) -> None:
        """Write an option, replacing the value that stands there."""
        self._database.execute(
            f"INSERT INTO {self._database.table('option')} (option_name, option_value, autoload) VALUES (%s, %s, %s) "
            "ON DUPLICATE KEY UPDATE option_value = VALUES(option_value), autoload = VALUES(autoload)",
            (name, value, int(autoload)),
        )
        self._cache[name] = value

    def delete(self, name: str) -> None:
        """Remove an option; nothing happens when there is none."""
        self._database.execute(f"DELETE FROM {self._database.table('option')} WHERE option_name = %s", (name,))
        self._cache.pop(name, None)

    def _autoload(self) -> None:
        for name, value in self._database.query(
            f"SELECT option_name, option_value FROM {self._database.table('option')} WHERE autoload = 1"
        ):
            self._cache[name] = value
        self._autoloaded = True
