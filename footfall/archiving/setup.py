"""What people set up of a site that decides which records it has: its goals and custom dimensions."""

from __future__ import annotations

from dataclasses import dataclass

from footfall.sites import Site


@dataclass(frozen=True)
class Dimension:
    """A custom dimension.

    Args:
        number: by which records and requests name it.
        column: of the log tables, where its values are.
    """

    number: int
    column: str


@dataclass(frozen=True)
class NamedGoal:
    """A goal."""

    number: int
    name: str


@dataclass(frozen=True)
class SiteSetup:
    """The goals and active custom dimensions of a site.

    Args:
        goals: those that are not deleted; ecommerce is not among them.
        visit_dimensions, action_dimensions: by scope.
    """

    goals: tuple[NamedGoal, ...] = ()
    visit_dimensions: tuple[Dimension, ...] = ()
    action_dimensions: tuple[Dimension, ...] = ()

    @classmethod
    def of(cls, site: Site) -> SiteSetup:
        """Of a site as it is now."""
        return cls(
            tuple(NamedGoal(number, name) for number, name in site.goals.names.items()),
            tuple(Dimension(d.number, d.column) for d in site.visit_dimensions),
            tuple(Dimension(d.number, d.column) for d in site.action_dimensions),
        )
