"""Users and their tokens, in Matomo's tables: who calls, and which sites the caller may see or manage.

A token is stored as Matomo stores it: SHA-512 in hex of the token followed by the installation's salt (SECRET_KEY), so
that the tokens of an existing Matomo database keep working. A token itself is never stored and never logged.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cachetools import TTLCache

from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import InvalidInput
from footfall.settings import Settings

Access = Literal["view", "write", "admin"]

ANONYMOUS = "anonymous"
"""The login that stands for everybody without a token."""

_HASH_ALGORITHM = "sha512"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_LOGIN = re.compile(r"[A-Za-z0-9_.@+-]{2,100}")
_CACHED_CALLERS = 10_000
_CACHED_STRANGERS = 10_000
_STRANGER_SECONDS = 10  # a token made a moment ago works soon, and guessing does not reach the database each time


@dataclass(frozen=True)
class Caller:
    """Whom a token belongs to.

    Args:
        login: the user's login.
        superuser: may see and manage every site.
        access: `view`, `write` or `admin` by idsite, for a user who is no superuser.
    """

    login: str
    superuser: bool = False
    access: Mapping[int, Access] = field(default_factory=dict)

    def can_view(self, idsite: int) -> bool:
        """Whether the caller may read the site's reports."""
        return self.superuser or idsite in self.access

    def can_write(self, idsite: int) -> bool:
        """Whether the caller may set up the site's goals, dimensions and segments."""
        return self.superuser or self.access.get(idsite) in ("write", "admin")

    def can_admin(self, idsite: int) -> bool:
        """Whether the caller may manage the site."""
        return self.superuser or self.access.get(idsite) == "admin"


def checked_login(login: str) -> str:
    """The login of a new user.

    Raises:
        InvalidInput: it cannot be one.
    """
    if not _LOGIN.fullmatch(login) or login == ANONYMOUS:
        raise InvalidInput(f"{login!r} cannot be a login: use 2 to 100 letters, digits or any of _.@+- .")
    return login


class Users:
    """The users of one database, with a cache of who is behind a token; for one thread, as its database is."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        seconds = settings.tracker_cache_seconds
        self._callers: TTLCache[str, Caller] = TTLCache(_CACHED_CALLERS, seconds, timer=clock.monotonic)
        self._strangers: TTLCache[str, None] = TTLCache(
            _CACHED_STRANGERS, min(seconds, _STRANGER_SECONDS), timer=clock.monotonic
        )

    def authenticate(self, token: str) -> Caller | None:
        """Who calls with this token, at most `tracker_cache_seconds` old; None when it is unknown or has expired.

        Raises:
            ConfigurationError: SECRET_KEY is not set.
            DatabaseUnavailable: the database cannot be reached.
        """
        return self.authenticate_hash(self.hash_token(token)) if _TOKEN.fullmatch(token) else None

    def authenticate_hash(self, hashed: str) -> Caller | None:
        """Who calls with the token of this hash, as `authenticate`. No client may choose the hash: it is no secret."""
        if hashed in self._strangers:
            return None
        caller = self._callers.get(hashed)
        if caller is None:
            caller = self._read(hashed)
            if caller is None:
                self._strangers[hashed] = None
            else:
                self._callers[hashed] = caller
        return caller

    def forget(self) -> None:
        """Drop everything that is kept, so that changes are seen at once."""
        self._callers.clear()
        self._strangers.clear()

    def create_token(
        self, login: str, description: str, superuser: bool = False, expires: datetime | None = None
    ) -> str:
        """A new token for the user, who is created when missing; the only time that the token can be read.

        Args:
            login: 2 to 100 letters, digits or `_.@+-`.
            description: what the token is for, up to 100 characters.
            superuser: also grant access to every site. Without it the user's access stays as it is.
            expires: when it stops working, UTC; None for never.

        Raises:
            InvalidInput: the login or the description cannot be used.
            ConfigurationError: SECRET_KEY is not set.
        """
        checked_login(login)
        if not 1 <= len(description) <= 100:
            raise InvalidInput("The description of a token must have 1 to 100 characters.")
        token = secrets.token_hex(16)
        hashed = self.hash_token(token)
        now = self._clock.now().replace(tzinfo=None, microsecond=0)
        user, user_token = self._database.table("user"), self._database.table("user_token_auth")

        def write() -> None:
            with self._database.transaction():
                # The password is no hash of anything, so nobody can log in with one.
                self._database.execute(
                    f"INSERT IGNORE INTO {user} (login, password, email, date_registered, ts_password_modified) "
                    "VALUES (%s, %s, %s, %s, %s)",
                    (login, secrets.token_hex(32), f"{login}@localhost", now, now),
                )
                if superuser:
                    self._database.execute(f"UPDATE {user} SET superuser_access = 1 WHERE login = %s", (login,))
                self._database.execute(
                    f"INSERT INTO {user_token} (login, description, password, hash_algo, date_created, date_expired) "
                    "VALUES (%s, %s, %s, %s, %s, %s)",
                    (login, description, hashed, _HASH_ALGORITHM, now, expires),
                )

        self._database.retrying(write)
        return token

    def hash_token(self, token: str) -> str:
        """What a token is stored as.

        Raises:
            ConfigurationError: SECRET_KEY is not set.
        """
        return hashlib.sha512((token + self._settings.require_secret_key()).encode()).hexdigest()

    def _read(self, hashed: str) -> Caller | None:
        rows = self._database.query(
            f"SELECT u.login, u.superuser_access FROM {self._database.table('user_token_auth')} t "
            f"JOIN {self._database.table('user')} u ON u.login = t.login "
            "WHERE t.password = %s AND t.hash_algo = %s AND (t.date_expired IS NULL OR t.date_expired > %s)",
            (hashed, _HASH_ALGORITHM, self._clock.now().replace(tzinfo=None)),
        )
        if not rows:
            return None
        login, superuser = rows[0]
        access = self._database.query(
            f"SELECT idsite, access FROM {self._database.table('access')} "
            "WHERE login = %s AND access IN ('view', 'write', 'admin')",
            (login,),
        )
        return Caller(str(login), bool(superuser), {int(idsite): level for idsite, level in access})
