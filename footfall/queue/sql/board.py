"""The values that all processes share, as rows."""

from collections.abc import Mapping, Sequence

from footfall import changes
from footfall.queue.sql.store import Store

_SINGLE = ""  # the collection of values that stand for themselves


class SqlBoard:
    """See Board of footfall/queue/backend.py."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._values = store.table("value")
        self._counts = store.table("count")

    def change(self) -> bytes | None:
        """The name of the latest change."""
        return self.get([changes.NAME])[0]

    def set_change(self, name: str) -> None:
        """Announce a change."""
        self.put_field(_SINGLE, changes.NAME, name.encode())

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """The values of these names."""
        if not names:
            return []
        marks = ", ".join(["%s"] * len(names))
        rows = self._store.query(
            f"SELECT name, value FROM {self._values} WHERE collection = %s AND name IN ({marks}) "
            f"AND (expires_at IS NULL OR expires_at > {self._store.now})",
            (_SINGLE, *names),
        )
        found = {str(name): bytes(value) for name, value in rows}
        return [found.get(name) for name in names]

    def put(self, name: str, value: bytes, seconds: int, *, only_new: bool = False) -> bool:
        """Set a value that vanishes after so many seconds."""

        def put() -> bool:
            with self._store.transaction():
                self._forget_expired()
                end = "" if only_new else self._store.upsert("value", "collection, name", ("value", "expires_at"))
                begin = self._store.insert_new if only_new else "INSERT INTO"
                return bool(
                    self._store.execute(
                        f"{begin} {self._values} (collection, name, value, expires_at) "
                        f"VALUES (%s, %s, %s, {self._store.now} + %s) {end}",
                        (_SINGLE, name, value, seconds),
                    )
                )

        return self._store.retrying(put)

    def delete(self, name: str) -> None:
        """Remove a value."""
        self._store.execute(f"DELETE FROM {self._values} WHERE collection = %s AND name = %s", (_SINGLE, name))

    def add(self, name: str, amount: int, seconds: int) -> int:
        """Add to a number that vanishes so many seconds after it was begun."""

        def add() -> int:
            with self._store.transaction():
                self._forget_expired()
                self._store.execute(
                    f"{self._store.insert_new} {self._values} (collection, name, value, expires_at) "
                    f"VALUES (%s, %s, %s, {self._store.now} + %s)",
                    (_SINGLE, name, b"0", seconds),
                )
                rows = self._store.query(
                    f"SELECT value FROM {self._values} WHERE collection = %s AND name = %s{self._store.for_update}",
                    (_SINGLE, name),
                )
                total = int(bytes(rows[0][0])) + amount
                self._store.execute(
                    f"UPDATE {self._values} SET value = %s WHERE collection = %s AND name = %s",
                    (b"%d" % total, _SINGLE, name),
                )
                return total

        return self._store.retrying(add)

    def fields(self, name: str) -> dict[str, bytes]:
        """The fields of a table of values."""
        rows = self._store.query(
            f"SELECT name, value FROM {self._values} WHERE collection = %s "
            f"AND (expires_at IS NULL OR expires_at > {self._store.now}) ORDER BY name",
            (name,),
        )
        return {str(field): bytes(value) for field, value in rows}

    def put_field(self, name: str, field: str, value: bytes | None, seconds: float | None = None) -> None:
        """Set a field, or remove it.

        Args:
            seconds: after which it vanishes by itself.
        """
        if value is None:
            self._store.execute(f"DELETE FROM {self._values} WHERE collection = %s AND name = %s", (name, field))
            return
        expires = "%s" if seconds is None else f"{self._store.now} + %s"
        self._store.execute(
            f"INSERT INTO {self._values} (collection, name, value, expires_at) VALUES (%s, %s, %s, {expires}) "
            + self._store.upsert("value", "collection, name", ("value", "expires_at")),
            (name, field, value, seconds),
        )

    def counts(self) -> dict[str, int]:
        """What all processes counted."""
        rows = self._store.query(f"SELECT name, value FROM {self._counts}")
        return {str(name): int(value) for name, value in rows}

    def count(self, increments: Mapping[str, int]) -> None:
        """Add to these counts; may be part of a transaction."""
        if not increments:
            return
        # In the order of their names, so that no two transactions wait for each other.
        values = [part for pair in sorted(increments.items()) for part in pair]
        rows = ", ".join(["(%s, %s)"] * len(increments))
        self._store.execute(
            f"INSERT INTO {self._counts} (name, value) VALUES {rows} "
            + self._store.upsert("count", "name", ("value",), adding=True),
            values,
        )

    def _forget_expired(self) -> None:
        self._store.execute(f"DELETE FROM {self._values} WHERE expires_at <= {self._store.now}")
