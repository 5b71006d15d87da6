"""A method of the management API: what is declared about it, and a call of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from footfall.clock import Clock
from footfall.entities.defaults import Defaults
from footfall.entities.dimensions import DimensionRepository
from footfall.entities.goals import GoalRepository
from footfall.entities.languages import LanguageRepository
from footfall.entities.sites import SiteRepository
from footfall.entities.users import UserRepository
from footfall.errors import InvalidInput
from footfall.management.access import Need, Values
from footfall.management.given import Given
from footfall.users import Caller

REQUIRED = object()
"""The default of a parameter that must be given."""

Kind = Callable[[str, Given], Any]
"""Reads what was given for the parameter of that name; one of kinds.py."""


@dataclass(frozen=True)
class Entities:
    """What methods work on.

    Args:
        create_token: makes a token for a login, with a description and the moment (UTC) it ends, or None.
    """

    sites: SiteRepository
    goals: GoalRepository
    dimensions: DimensionRepository
    users: UserRepository
    languages: LanguageRepository
    defaults: Defaults
    create_token: Callable[[str, str, datetime | None], str]
    clock: Clock


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method.

    Args:
        name: the reference's.
        kind: how it is read.
        default: what holds when it is not given.
    """

    name: str
    kind: Kind
    default: Any = REQUIRED


@dataclass(frozen=True)
class Call:
    """A call that is allowed, its values checked.

    Args:
        caller: nobody (an empty login) for a method that needs no token.
        values: of all parameters of the method, by name.
    """

    entities: Entities
    caller: Caller
    values: Values

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


@dataclass(frozen=True)
class Method:
    """A method.

    Args:
        name: the reference's, `SitesManager.addSite`.
        needs: the access that a caller must have.
        parameters: in the reference's order.
        run: does it. Its result is plain data: None for a method that only does something, a text, number or bool, a
            list, or a dictionary. It raises InvalidInput with what is wrong.
        checks_password: it lets somebody in by a password, and raises WrongPassword for another one. Whoever tries many
            has to be turned away before it is called.
    """

    name: str
    needs: Need
    parameters: tuple[Parameter, ...]
    run: Callable[[Call], Any]
    checks_password: bool = False

    def values(self, given: Mapping[str, Given]) -> dict[str, Any]:
        """The values of the parameters.

        Raises:
            InvalidInput: one is missing or makes no sense.
        """
        values = {}
        for parameter in self.parameters:
            value = parameter.kind(parameter.name, given[parameter.name]) if parameter.name in given else None
            if value is None:
                value = parameter.default
            if value is REQUIRED:
                raise InvalidInput(f"{self.name} needs the parameter {parameter.name}.")
            values[parameter.name] = value
        return values
