"""The ids of actions (page URLs, page titles, ...) in log_action.

Matomo finds an action by type, CRC32 of its name and the name itself; the table has no unique key for that. So new
actions are written under an advisory lock, outside of the batch's transaction: two workers never give one action two
ids, and nobody waits for a batch to end.
"""

from collections.abc import Iterable, Mapping
from zlib import crc32

import msgspec
from cachetools import LRUCache

from footfall.database import Database
from footfall.errors import DatabaseUnavailable
from footfall.tracking.action import ActionName

_LOCK_SECONDS = 20
_ROWS = 1000  # of one INSERT


class ActionIds:
    """Looks up the ids of actions, adding the ones that are new; keeps what it found."""

    def __init__(self, database: Database, size: int) -> None:
        self._database = database
        self._kept: LRUCache[ActionName, int] = LRUCache(max(size, 1))

    def of(self, actions: Mapping[ActionName, int | None]) -> dict[ActionName, int]:
        """The id of each action.

        Args:
            actions: with the number of the URL's prefix, which is stored with a new action (None: it has none).

        Raises:
            DatabaseUnavailable: another process held the lock for too long.
        """
        ids = {action: self._kept[action] for action in actions if action in self._kept}
        missing = [action for action in actions if action not in ids]
        if missing:
            found = self._find(missing)
            new = [action for action in missing if action not in found]
            if new:
                found |= self._add(new, actions)
            ids |= found
            self._kept.update(found)
        return ids

    def _find(self, actions: Iterable[ActionName]) -> dict[ActionName, int]:
        keys = msgspec.json.encode([(action.type, crc32(action.name.encode()), action.name) for action in actions])
        rows = self._database.query(
            "SELECT STRAIGHT_JOIN k.type, k.name, MIN(a.idaction) FROM JSON_TABLE(%s, '$[*]' COLUMNS ("
            "type TINYINT UNSIGNED PATH '$[0]', hash INT UNSIGNED PATH '$[1]', name VARCHAR(4096) PATH '$[2]')) k "
            f"JOIN {self._database.table('log_action')} a FORCE INDEX (index_type_hash) "
            "ON a.type = k.type AND a.hash = k.hash AND BINARY a.name = BINARY k.name "
            "GROUP BY k.type, k.hash, BINARY k.name",
            (keys.decode(),),
        )
        return {ActionName(kind, name): idaction for kind, name, idaction in rows}

    def _add(self, new: list[ActionName], prefixes: Mapping[ActionName, int | None]) -> dict[ActionName, int]:
        lock = f"footfall_actions_{self._database.name}_{self._database.prefix}"[:64]
        if self._database.query("SELECT GET_LOCK(%s, %s)", (lock, _LOCK_SECONDS)) != [(1,)]:
            raise DatabaseUnavailable("Another worker holds the lock for new actions: trying again later.")
        try:
            found = self._find(new)  # another worker may have added some while we waited
            rows = [
                (action.name, crc32(action.name.encode()), action.type, prefixes[action])
                for action in new
                if action not in found
            ]
            for start in range(0, len(rows), _ROWS):
                part = rows[start : start + _ROWS]
                self._database.execute(
                    f"INSERT INTO {self._database.table('log_action')} (name, hash, type, url_prefix) VALUES "
                    + ", ".join(["(%s, %s, %s, %s)"] * len(part)),
                    [value for row in part for value in row],
                )
            return found | self._find(action for action in new if action not in found)
        finally:
            self._database.query("SELECT RELEASE_LOCK(%s)", (lock,))
