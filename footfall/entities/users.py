"""Users and their access to sites: creating, changing, deleting and finding them. Tokens are in footfall/users.py."""

import re
import secrets
from collections.abc import Sequence
from typing import Any

from footfall.changes import Changes
from footfall.clock import Clock
from footfall.database import Database
from footfall.entities import checks, passwords
from footfall.errors import InvalidInput
from footfall.users import ANONYMOUS, checked_login

LEVELS = ("view", "write", "admin")
NO_ACCESS = "noaccess"

_COLUMNS = ("login", "email", "superuser_access", "date_registered", "invited_by", "uses_2fa")
_SELECTED = "login, email, superuser_access, date_registered, invited_by, twofactor_secret <> ''"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class UserRepository:
    """The users of one database.

    A user is a dictionary of `login`, `email`, `superuser_access` (0 or 1), `date_registered`, `invited_by` and
    `uses_2fa` (0 or 1). Passwords are only ever written and compared.
    """

    def __init__(self, database: Database, clock: Clock, changes: Changes) -> None:
        self._database = database
        self._clock = clock
        self._changes = changes

    def create(self, login: str, password: str | None, email: str) -> None:
        """A new user, without access to any site.

        Args:
            password: None for a user who can only use tokens.

        Raises:
            InvalidInput: there is one of this login or email, or a value cannot be used.
        """
        login, email = checked_login(login), self._free_email(email, login)
        if self._exists(login):
            raise InvalidInput(f"There is a user {login!r} already.")
        now = self._clock.now().replace(tzinfo=None, microsecond=0)
        self._database.execute(
            f"INSERT INTO {self._database.table('user')} "
            "(login, password, email, date_registered, ts_password_modified) VALUES (%s, %s, %s, %s, %s)",
            (login, _hashed(password), email, now, now),
        )
        self._changes.announce()

    def update(self, login: str, password: str | None = None, email: str | None = None) -> None:
        """Give the user another password, another email, or both.

        Raises:
            InvalidInput: there is no such user, or a value cannot be used.
        """
        self.find(login)
        values: dict[str, Any] = {}
        if email is not None:
            values["email"] = self._free_email(email, login)
        if password is not None:
            values["password"] = _hashed(password)
            values["ts_password_modified"] = self._clock.now().replace(tzinfo=None, microsecond=0)
        if not values:
            return
        set_values = ", ".join(f"{name} = %s" for name in values)
        self._database.execute(
            f"UPDATE {self._database.table('user')} SET {set_values} WHERE login = %s", (*values.values(), login)
        )
        self._changes.announce()

    def delete(self, login: str) -> None:
        """Delete the user with tokens, access and language.

        Raises:
            InvalidInput: there is no such user, or it is the only superuser.
        """
        self._check_not_the_last_superuser(self.find(login))
        with self._database.transaction():
            for table in ("user", "user_token_auth", "access", "user_language"):
                self._database.execute(f"DELETE FROM {self._database.table(table)} WHERE login = %s", (login,))
        self._changes.announce()

    def find(self, login: str) -> dict[str, Any]:
        """The user.

        Raises:
            InvalidInput: there is none of this login.
        """
        found = self.all([login])
        if not found or login == ANONYMOUS:
            raise InvalidInput(f"There is no user {login!r}.")
        return found[0]

    def all(self, logins: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """All users, or those of these logins that exist, by login."""
        if logins is not None and not logins:
            return []
        condition = "" if logins is None else f"WHERE login IN ({', '.join('%s' for _ in logins)})"
        rows = self._database.query(
            f"SELECT {_SELECTED} FROM {self._database.table('user')} {condition} ORDER BY login", logins or ()
        )
        return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]

    def has_password(self, login: str, password: str) -> bool:
        """Whether this is the user's password; takes as long when there is no such user."""
        rows = self._database.query(f"SELECT password FROM {self._database.table('user')} WHERE login = %s", (login,))
        return passwords.is_right(password, rows[0][0] if rows else None)

    def set_superuser(self, login: str, superuser: bool) -> None:
        """Give or take access to everything. Who gets it loses the access to single sites, who loses it has none.

        Raises:
            InvalidInput: there is no such user, or it is the only superuser.
        """
        user = self.find(login)
        if not superuser:
            self._check_not_the_last_superuser(user)
        with self._database.transaction():
            self._database.execute(f"DELETE FROM {self._database.table('access')} WHERE login = %s", (login,))
            self._database.execute(
                f"UPDATE {self._database.table('user')} SET superuser_access = %s WHERE login = %s",
                (int(superuser), login),
            )
        self._changes.announce()

    def set_access(self, login: str, level: str, idsites: Sequence[int]) -> None:
        """Give the user this access to these sites instead of the present one.

        Args:
            login: `anonymous` is everybody without a token, and can be given `view` alone.
            level: one of LEVELS, or `noaccess`.

        Raises:
            InvalidInput: there is no such user, site or level, or the user is a superuser.
        """
        if level not in (*LEVELS, NO_ACCESS):
            raise InvalidInput(f"Access is {', '.join(LEVELS)} or {NO_ACCESS}, not {level!r}.")
        if login != ANONYMOUS and self.find(login)["superuser_access"]:
            raise InvalidInput(f"{login!r} is a superuser and has access to every site: take that away first.")
        if login == ANONYMOUS and level not in ("view", NO_ACCESS):
            raise InvalidInput(f"{ANONYMOUS!r} can be given view access alone, not {level}.")
        self._check_sites(idsites)
        access = self._database.table("access")

        def write() -> None:
            with self._database.transaction():
                for idsite in idsites:
                    self._database.execute(f"DELETE FROM {access} WHERE login = %s AND idsite = %s", (login, idsite))
                    if level != NO_ACCESS:
                        self._database.execute(
                            f"INSERT INTO {access} (login, idsite, access) VALUES (%s, %s, %s)",
                            (login, idsite, level),
                        )

        self._database.retrying(write)
        self._changes.announce()

    def access_to(self, idsite: int) -> dict[str, str]:
        """The access to a site, by login; superusers are not among them."""
        return {
            str(login): str(level)
            for login, level in self._database.query(
                f"SELECT login, access FROM {self._database.table('access')} "
                "WHERE idsite = %s AND access IN ('view', 'write', 'admin') ORDER BY login",
                (idsite,),
            )
        }

    def access_of(self, login: str) -> dict[int, str]:
        """The user's access, by idsite; empty for a superuser.

        Raises:
            InvalidInput: there is no such user.
        """
        if login != ANONYMOUS:
            self.find(login)
        return {
            int(idsite): str(level)
            for idsite, level in self._database.query(
                f"SELECT idsite, access FROM {self._database.table('access')} "
                "WHERE login = %s AND access IN ('view', 'write', 'admin') ORDER BY idsite",
                (login,),
            )
        }

    def _exists(self, login: str) -> bool:
        return bool(self._database.query(f"SELECT 1 FROM {self._database.table('user')} WHERE login = %s", (login,)))

    def _free_email(self, email: str, login: str) -> str:
        email = checks.line("email", email, 100)
        if not _EMAIL.fullmatch(email):
            raise InvalidInput(f"{email!r} is no email address.")
        user = self._database.table("user")
        if self._database.query(f"SELECT 1 FROM {user} WHERE email = %s AND login <> %s", (email, login)):
            raise InvalidInput(f"Another user has the email {email!r} already.")
        return email

    def _check_not_the_last_superuser(self, user: dict[str, Any]) -> None:
        superusers = [other["login"] for other in self.all() if other["superuser_access"]]
        if superusers == [user["login"]]:
            raise InvalidInput(f"{user['login']!r} is the only superuser: make another user one first.")

    def _check_sites(self, idsites: Sequence[int]) -> None:
        rows = self._database.query(f"SELECT idsite FROM {self._database.table('site')}")
        missing = set(idsites) - {int(idsite) for (idsite,) in rows}
        if missing:
            raise InvalidInput(f"There is no site {min(missing)}.")


def _hashed(password: str | None) -> str:
    if password is None:
        return secrets.token_hex(32)  # no hash of anything, so nobody can log in with one
    if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
        raise InvalidInput(f"A password has {passwords.SHORTEST} to {passwords.LONGEST} characters.")
    return passwords.hashed(password)
