"""Answers calls of the management API: finds the method, checks access and parameters, runs it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from footfall.changes import Changes
from footfall.clock import Clock
from footfall.database import Database
from footfall.entities.defaults import Defaults
from footfall.entities.dimensions import DimensionRepository
from footfall.entities.goals import GoalRepository
from footfall.entities.languages import LanguageRepository
from footfall.entities.sites import SiteRepository
from footfall.entities.users import UserRepository
from footfall.errors import AccessDenied, InvalidInput
from footfall.management import dimensions, goals, languages, sites, users
from footfall.management.access import NOTHING
from footfall.management.given import Given
from footfall.management.kinds import whole
from footfall.management.method import Call, Entities, Method
from footfall.options import Options
from footfall.users import Caller, Users

METHODS: dict[str, Method] = {
    method.name: method for module in (sites, goals, dimensions, users, languages) for method in module.METHODS
}
"""All methods, by name."""

# What clients send with any call, needed or not, as the reference takes it.
_OF_EVERY_CALL = {
    *("module", "method", "format", "token_auth", "force_api_session", "language", "callback", "jsoncallback", "_"),
    *("idSite", "period", "date", "segment", "expanded", "flat", "showColumns", "hideColumns"),
    *("serialize", "convertToUnicode", "translateColumnNames", "prettyDisplay", "format_metrics"),
}
_FILTERS = ("filter_", "disable_")
_NOBODY = Caller("")


class Management:
    """The management API of one database; for one thread, as its database is.

    Args:
        tokens: makes tokens.
    """

    def __init__(self, database: Database, tokens: Users, clock: Clock, changes: Changes) -> None:
        users_ = UserRepository(database, clock, changes)

        def create_token(login: str, description: str, expires: datetime | None) -> str:
            token = tokens.create_token(login, description, expires=expires)
            changes.announce()
            return token

        self._entities = Entities(
            sites=SiteRepository(database, clock, changes),
            goals=GoalRepository(database, changes),
            dimensions=DimensionRepository(database, changes),
            users=users_,
            languages=LanguageRepository(database, users_),
            defaults=Defaults(Options(database, 0), changes),
            create_token=create_token,
            clock=clock,
        )

    def knows(self, name: str) -> bool:
        """Whether there is a method of this name."""
        return name in METHODS

    def checks_password(self, name: str) -> bool:
        """Whether the method of this name lets somebody in by a password."""
        return METHODS[name].checks_password

    def answer(self, name: str, given: Mapping[str, Given], caller: Caller | None) -> Any:
        """What the method says: plain data; see Method.run.

        Args:
            name: of a method there is.
            given: the parameters, as given.read makes them.
            caller: whose token it is; None for a call without one.

        Raises:
            AccessDenied: the caller may not use the method like this.
            InvalidInput: a parameter is missing, unknown or makes no sense.
            WrongPassword: the method checks a password, and this is not it.
        """
        method = METHODS[name]
        if caller is None and method.needs is not NOTHING:
            raise AccessDenied(f"{name} needs the parameter token_auth: `footfall token create` makes a token.")
        caller = caller or _NOBODY
        values = method.values(given)
        if not method.needs.allows(caller, values):
            raise AccessDenied(f"{name} needs {method.needs.title}: ask a superuser for it.")
        _check_all_known(method, given)
        return _window(method.run(Call(self._entities, caller, values)), given)


def _check_all_known(method: Method, given: Mapping[str, Given]) -> None:
    names = [parameter.name for parameter in method.parameters]
    for name in given:
        if name not in names and name not in _OF_EVERY_CALL and not name.startswith(_FILTERS):
            takes = f"it takes {', '.join(names)}" if names else "it takes none of its own"
            raise InvalidInput(f"{method.name} has no parameter {name!r}: {takes}.")


def _window(answer: Any, given: Mapping[str, Given]) -> Any:
    """Of a list, the part that filter_offset and filter_limit ask for; a limit below 0 is none."""
    if not isinstance(answer, list):
        return answer
    offset = max(0, whole("filter_offset", given.get("filter_offset", "")) or 0)
    limit = whole("filter_limit", given.get("filter_limit", ""))
    return answer[offset:] if limit is None or limit < 0 else answer[offset : offset + limit]
