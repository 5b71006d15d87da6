"""How a plugin declares what segments can be about: the names that conditions use, and the facts behind them.

A condition (`countryCode==de`) compares a fact of each row of one log table. Visits, actions and conversions that have
the fact are what the segment is about: a fact of an action (`pageUrl`) selects those actions, and visits that have one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from footfall.archiving.setup import SiteSetup

# The log tables that facts are in, and the categories that people find them under.
VISIT: Final = "log_visit"
ACTION: Final = "log_link_visit_action"
CONVERSION: Final = "log_conversion"
ITEM: Final = "log_conversion_item"

VISITORS: Final = "Visitors"
LOCATION: Final = "Visitor location"
BEHAVIOUR: Final = "Behaviour"
ACQUISITION: Final = "Acquisition"
EVENTS: Final = "Events"
ECOMMERCE: Final = "Ecommerce"

Fact = int | float | str
# From the value that a person writes to what is stored; a tuple where several stored values are meant.
Values = Mapping[str, Fact | tuple[Fact, ...]] | Callable[[str], Fact | tuple[Fact, ...]]


@dataclass(frozen=True)
class SegmentName:
    """One name that conditions can use.

    Args:
        name: as people write it, `countryCode` say.
        table: the log table (VISIT, ACTION, CONVERSION, ITEM) of whose rows it is a fact.
        facts: a column of that table or an expression over its columns, in the form that DayLog has them; several where
            any of them will do (`customVariableName` is the name in any slot).
        type: `dimension` or `metric`, as the list of segments shows it.
        category: the same.
        values: what the values that people write stand for (`search` is 2); a mapping knows all there are, whatever
            their case. A function raises InvalidInput for a value that makes no sense.
        action_types: for a column of ids of log_action: the types of the actions, whose names are compared.
        is_url: the names are URLs, which are stored without `https://www.`.
        is_type: not the names but the types of the actions are compared, which `values` tells.
    """

    name: str
    table: str
    facts: str | pl.Expr | tuple[str | pl.Expr, ...]
    type: str = "dimension"
    category: str = VISITORS
    values: Values | None = None
    action_types: tuple[int, ...] = ()
    is_url: bool = False
    is_type: bool = False

    @cached_property
    def expressions(self) -> tuple[pl.Expr, ...]:
        """The facts, as expressions over the columns of the table."""
        facts = self.facts if isinstance(self.facts, tuple) else (self.facts,)
        return tuple(pl.col(fact) if isinstance(fact, str) else fact for fact in facts)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The columns of the table that are needed."""
        return tuple(dict.fromkeys(name for fact in self.expressions for name in fact.meta.root_names()))


# A name, or what makes the names of sites of a setup (`dimension3`).
Segments = SegmentName | Callable[[SiteSetup], Iterable[SegmentName]]


def names_for(setup: SiteSetup, declared: Iterable[Segments]) -> dict[str, SegmentName]:
    """The names that conditions about a site of this setup can use."""
    found = (names for d in declared for names in ((d,) if isinstance(d, SegmentName) else d(setup)))
    return {name.name: name for name in found}
