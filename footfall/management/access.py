"""What a caller must be allowed to use a method."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from footfall.management.kinds import ALL_SITES
from footfall.users import Caller

Values = Mapping[str, Any]
"""The values of a call's parameters, by name."""


@dataclass(frozen=True)
class Need:
    """An access.

    Args:
        title: how it is called in messages and in docs/management.md.
        allows: whether the caller has it, for a call with these values.
    """

    title: str
    allows: Callable[[Caller, Values], bool]


NOTHING = Need("no token", lambda caller, values: True)
TOKEN = Need("a token", lambda caller, values: True)
SUPERUSER = Need("superuser access", lambda caller, values: caller.superuser)
VIEW = Need("view access to the site", lambda caller, values: caller.can_view(values["idSite"]))
WRITE = Need("write access to the site", lambda caller, values: caller.can_write(values["idSite"]))
ADMIN = Need("admin access to the site", lambda caller, values: caller.can_admin(values["idSite"]))
SOME_ADMIN = Need(
    "admin access to a site", lambda caller, values: caller.superuser or "admin" in caller.access.values()
)


def _may_admin_all(caller: Caller, values: Values) -> bool:
    wanted = values["idSites"]
    if wanted == ALL_SITES:
        return SOME_ADMIN.allows(caller, values)
    return all(caller.can_admin(idsite) for idsite in wanted)


ADMIN_OF_SITES = Need("admin access to all these sites", _may_admin_all)


def own(parameter: str) -> Need:
    """For a user's own affairs, and for superusers.

    Args:
        parameter: whose value is the user's login.
    """
    return Need(
        "superuser access, or to be this user",
        lambda caller, values: caller.superuser or caller.login == values[parameter],
    )
