"""The ids of actions (page URLs, page titles, ...) in log_action.

Matomo finds an action by type, CRC32 of its name and the name itself; the table has no unique key for that. So new
actions are written under an advisory lock, outside of the batch's transaction: two workers never give one action two
ids, and nobody waits for a batch to end.

Actions that nothing refers to any more are removed at times (footfall/archiving/action_purge.py). An id that is looked
up is taken off the list of those to be removed; an id that is kept in memory is good for as long as the number of the
barrier is the one that it was looked up under, which every recording transaction checks before it ends.
"""

from collections.abc import Iterable, Mapping
from zlib import crc32

from cachetools import LRUCache

from footfall.database import Database, Row
from footfall.errors import Conflict, DatabaseUnavailable
from footfall.packets import documents
from footfall.tracking.action import ActionName

_LOCK_SECONDS = 20
_ROWS = 1000  # of one INSERT
ACTIONS_BARRIER = "actions"


class ActionsRemoved(Conflict):
    """Actions may have been removed since ids were looked up: the batch has to look them up again."""


class ActionIds:
    """Looks up the ids of actions, adding the ones that are new; keeps what it found.

    `number` is the barrier's number that all kept ids were looked up under; None before the first.
    """

    def __init__(self, database: Database, size: int) -> None:
        self._database = database
        self._kept: LRUCache[ActionName, int] = LRUCache(max(size, 1))
        self.number: int | None = None

    def of(self, actions: Mapping[ActionName, int | None]) -> dict[ActionName, int]:
        """The id of each action.

        Args:
            actions: with the number of the URL's prefix, which is stored with a new action (None: it has none).

        Raises:
            DatabaseUnavailable: another process held the lock for too long.
        """
        if self.number is None:
            self.number = self._read_number()
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

    def check(self, number: int | None) -> None:
        """Make sure that ids are good until the end of the transaction that this is part of.

        Args:
            number: `number` as it was when the ids were given out.

        Raises:
            ActionsRemoved: they may not be.
        """
        present = self._read_number("LOCK IN SHARE MODE")
        if present != self.number:
            self._kept.clear()
            self.number = present
        if present != number:
            raise ActionsRemoved("Old actions were removed while a batch was recorded: it is recorded again.")

    def _read_number(self, lock: str = "") -> int:
        table = self._database.table("footfall_barrier")
        rows = self._database.query(f"SELECT number FROM {table} WHERE name = %s {lock}", (ACTIONS_BARRIER,))
        if not rows:  # the tables were emptied
            self._database.execute(f"INSERT IGNORE INTO {table} (name, number) VALUES (%s, 1)", (ACTIONS_BARRIER,))
            return self._read_number(lock)
        return int(rows[0][0])

    def _find(self, actions: Iterable[ActionName]) -> dict[ActionName, int]:
        """The ids of those that exist; none of them is going to be removed."""
        actions = list(actions)
        found, suspects = self._look_up(actions)
        if suspects:
            # Waits for a removal that is under way; what it removed is not found any more.
            self._database.execute(
                f"DELETE FROM {self._database.table('footfall_suspect_action')} "
                f"WHERE idaction IN ({', '.join(['%s'] * len(suspects))})",
                suspects,
            )
            found, _ = self._look_up(actions)
        return found

    def _look_up(self, actions: Iterable[ActionName]) -> tuple[dict[ActionName, int], list[int]]:
        """The ids of those that exist, and which of the ids may be removed."""
        keys = [(action.type, crc32(action.name.encode()), action.name) for action in actions]
        rows = [row for document in documents(self._database, keys) for row in self._rows(document)]
        ids = {ActionName(kind, name): idaction for kind, name, idaction, _ in rows}
        return ids, [suspect for *_, suspect in rows if suspect is not None]

    def _rows(self, keys: str) -> list[Row]:
        return self._database.query(
            "SELECT STRAIGHT_JOIN k.type, k.name, MIN(a.idaction), MAX(s.idaction) FROM JSON_TABLE(%s, '$[*]' COLUMNS ("
            "type TINYINT UNSIGNED PATH '$[0]', hash INT UNSIGNED PATH '$[1]', name VARCHAR(4096) PATH '$[2]')) k "
            f"JOIN {self._database.table('log_action')} a FORCE INDEX (index_type_hash) "
            "ON a.type = k.type AND a.hash = k.hash AND BINARY a.name = BINARY k.name "
            f"LEFT JOIN {self._database.table('footfall_suspect_action')} s ON s.idaction = a.idaction "
            "GROUP BY k.type, k.hash, BINARY k.name",
            (keys,),
        )

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
