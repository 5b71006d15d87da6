"""The site that a report is about, as far as reports need to know it."""

from __future__ import annotations

from dataclasses import dataclass

from footfall.archiving.setup import Dimension, NamedGoal, SiteSetup


@dataclass(frozen=True)
class ReportGoal:
    """A goal of the site."""

    idgoal: int
    name: str


@dataclass(frozen=True)
class ReportDimension:
    """A custom dimension of the site.

    Args:
        number: by which requests name it (`idDimension`).
        index: by which its columns are numbered within its scope.
        scope: `visit` or `action`.
    """

    number: int
    index: int
    scope: str
    name: str
    active: bool


@dataclass(frozen=True)
class ReportSite:
    """A site.

    Args:
        timezone: its setting, as in the table `site`.
        goals: those that are not deleted, by number.
        dimensions: its custom dimensions, by number.
    """

    idsite: int
    name: str
    main_url: str
    timezone: str
    currency: str
    ecommerce: bool
    sitesearch: bool
    goals: tuple[ReportGoal, ...] = ()
    dimensions: tuple[ReportDimension, ...] = ()

    @property
    def setup(self) -> SiteSetup:
        """What decides which records and segments it has."""

        def of_scope(scope: str) -> tuple[Dimension, ...]:
            return tuple(
                Dimension(dimension.number, f"custom_dimension_{dimension.index}")
                for dimension in self.dimensions
                if dimension.active and dimension.scope == scope
            )

        return SiteSetup(
            tuple(NamedGoal(goal.idgoal, goal.name) for goal in self.goals), of_scope("visit"), of_scope("action")
        )

    def goal(self, idgoal: int) -> ReportGoal | None:
        """The goal of that number, or None."""
        return next((goal for goal in self.goals if goal.idgoal == idgoal), None)

    def dimension(self, number: int) -> ReportDimension | None:
        """The custom dimension of that number, or None."""
        return next((dimension for dimension in self.dimensions if dimension.number == number), None)
