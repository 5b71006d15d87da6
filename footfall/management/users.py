"""UsersManager: users, their access to sites, their tokens."""

from datetime import datetime, timedelta
from typing import Any

from footfall.errors import InvalidInput, WrongPassword
from footfall.management.access import ADMIN, ADMIN_OF_SITES, NOTHING, SOME_ADMIN, SUPERUSER, TOKEN, own
from footfall.management.kinds import ALL_SITES, listing, moment, sites, switch, text, whole, word
from footfall.management.method import Call, Method, Parameter

_LOGIN = Parameter("userLogin", word)
_IDSITE = Parameter("idSite", whole)
# Matomo asks for it in sessions, which Footfall has none of; only updateUser looks at it.
_PASSWORD = Parameter("passwordConfirmation", text, None)
_NOT_HASHED = Parameter("_isPasswordHashed", switch, False)
_MOST_HOURS = 876_000  # a century


def _add(call: Call) -> None:
    _check_password_is_plain(call)
    call.entities.users.create(call["userLogin"], call["password"], call["email"])
    if call["initialIdSite"] is not None:
        call.entities.users.set_access(call["userLogin"], "view", [call["initialIdSite"]])


def _update(call: Call) -> None:
    """A token alone does not let a user take the account over: the password does, or superuser access."""
    _check_password_is_plain(call)
    if not call.caller.superuser and not call.entities.users.has_password(
        call["userLogin"], call["passwordConfirmation"] or ""
    ):
        raise WrongPassword("Give your present password as passwordConfirmation: what was given is wrong.")
    call.entities.users.update(call["userLogin"], call["password"], call["email"])


def _check_password_is_plain(call: Call) -> None:
    if call["_isPasswordHashed"]:
        raise InvalidInput("Give the password itself: one that is hashed already (_isPasswordHashed) is not taken.")


def _visible(call: Call) -> list[dict[str, Any]]:
    """The users that the caller may know: a superuser all, another those of the sites with admin access."""
    users = call.entities.users.all()
    if call.caller.superuser:
        return users
    administered = [idsite for idsite, level in call.caller.access.items() if level == "admin"]
    known = {login for idsite in administered for login in call.entities.users.access_to(idsite)}
    return [user for user in users if user["login"] in known | {call.caller.login}]


def _list(call: Call) -> list[dict[str, Any]]:
    wanted = {login.strip() for login in (call["userLogins"] or "").split(",") if login.strip()}
    return [user for user in _visible(call) if not wanted or user["login"] in wanted]


def _logins(call: Call) -> list[str]:
    return [user["login"] for user in _visible(call)]


def _by_email(call: Call) -> dict[str, Any]:
    for user in call.entities.users.all():
        if user["email"].lower() == call["userEmail"].lower():
            return user
    raise InvalidInput(f"There is no user with the email {call['userEmail']!r}.")


def _exists(call: Call) -> bool:
    return bool(call.entities.users.all([call["userLogin"]]))


def _set_access(call: Call) -> None:
    wanted = call["idSites"]
    if wanted == ALL_SITES:
        wanted = [idsite for idsite in call.entities.sites.ids() if call.caller.can_admin(idsite)]
    call.entities.users.set_access(call["userLogin"], call["access"], wanted)


def _access_to_site(call: Call) -> dict[str, str]:
    call.entities.sites.find(call["idSite"])
    return call.entities.users.access_to(call["idSite"])


def _users_with_access(call: Call) -> list[dict[str, Any]]:
    access = call.entities.users.access_to(call["idSite"])
    return call.entities.users.all([login for login, level in access.items() if level == call["access"]])


def _access_of_user(call: Call) -> list[dict[str, Any]]:
    access = call.entities.users.access_of(call["userLogin"])
    return [{"site": idsite, "access": level} for idsite, level in access.items()]


def _superusers(call: Call) -> list[dict[str, Any]]:
    return [user for user in call.entities.users.all() if user["superuser_access"]]


def _create_token(call: Call) -> str:
    login = call["userLogin"]
    if "@" in login and not _exists(call):
        login = next((user["login"] for user in call.entities.users.all() if user["email"] == login), login)
    if not call.entities.users.has_password(login, call["passwordConfirmation"]):
        raise WrongPassword("Login or password are wrong.")
    return call.entities.create_token(login, call["description"], _expires(call))


def _expires(call: Call) -> datetime | None:
    hours = call["expireHours"]
    if not 0 <= hours <= _MOST_HOURS:
        raise InvalidInput(f"expireHours is 0 (never) to {_MOST_HOURS}, not {hours}.")
    if hours:
        return call.entities.clock.now().replace(tzinfo=None, microsecond=0) + timedelta(hours=hours)
    expires: datetime | None = call["expireDate"]
    return expires


METHODS = (
    Method(
        "UsersManager.addUser",
        SUPERUSER,
        (
            _LOGIN,
            Parameter("password", text),
            Parameter("email", word),
            _NOT_HASHED,
            Parameter("initialIdSite", whole, None),
            _PASSWORD,
        ),
        _add,
    ),
    Method(
        "UsersManager.updateUser",
        own("userLogin"),
        (_LOGIN, Parameter("password", word, None), Parameter("email", word, None), _NOT_HASHED, _PASSWORD),
        _update,
        checks_password=True,
    ),
    Method(
        "UsersManager.deleteUser",
        SUPERUSER,
        (_LOGIN, _PASSWORD),
        lambda call: call.entities.users.delete(call["userLogin"]),
    ),
    Method(
        "UsersManager.getUser",
        own("userLogin"),
        (_LOGIN,),
        lambda call: call.entities.users.find(call["userLogin"]),
    ),
    Method("UsersManager.getUserByEmail", SUPERUSER, (Parameter("userEmail", word),), _by_email),
    Method("UsersManager.getUsers", SOME_ADMIN, (Parameter("userLogins", listing, None),), _list),
    Method("UsersManager.getUsersLogin", SOME_ADMIN, (), _logins),
    Method("UsersManager.getUsersHavingSuperUserAccess", SUPERUSER, (), _superusers),
    Method("UsersManager.userExists", SOME_ADMIN, (_LOGIN,), _exists),
    Method("UsersManager.hasSuperUserAccess", TOKEN, (), lambda call: call.caller.superuser),
    Method(
        "UsersManager.setUserAccess",
        ADMIN_OF_SITES,
        (_LOGIN, Parameter("access", listing), Parameter("idSites", sites), _PASSWORD),
        _set_access,
    ),
    Method(
        "UsersManager.setSuperUserAccess",
        SUPERUSER,
        (_LOGIN, Parameter("hasSuperUserAccess", switch), _PASSWORD),
        lambda call: call.entities.users.set_superuser(call["userLogin"], call["hasSuperUserAccess"]),
    ),
    Method("UsersManager.getUsersAccessFromSite", ADMIN, (_IDSITE,), _access_to_site),
    Method("UsersManager.getUsersWithSiteAccess", ADMIN, (_IDSITE, Parameter("access", word)), _users_with_access),
    Method("UsersManager.getSitesAccessFromUser", SUPERUSER, (_LOGIN,), _access_of_user),
    Method(
        "UsersManager.createAppSpecificTokenAuth",
        NOTHING,
        (
            _LOGIN,
            Parameter("passwordConfirmation", text),
            Parameter("description", word),
            Parameter("expireDate", moment, None),
            Parameter("expireHours", whole, 0),
        ),
        _create_token,
        checks_password=True,
    ),
)
