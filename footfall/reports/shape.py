"""How a caller wants the rows of a table."""

from dataclasses import dataclass
from typing import Literal

Formatting = Literal["none", "percentages", "all"]


@dataclass(frozen=True)
class Pattern:
    """Rows are kept whose column matches a regular expression, in any case."""

    column: str
    expression: str


@dataclass(frozen=True)
class LowPopulation:
    """Rows are kept whose column is at least so large.

    Args:
        least: 0 for two hundredths of the column's sum.
    """

    column: str
    least: float


@dataclass(frozen=True)
class Shape:
    """How a caller wants the rows of a table.

    Args:
        expanded: with the rows of subtables inside the rows above them.
        flat: the innermost rows alone, as one list; wins over `expanded`.
        with_aggregates: the rows above them too, in a flat answer.
        sort_column: a metric or `label`; None for the report's own order.
        descending: whether the largest value comes first; None for the report's own order.
        offset: how many rows of the top level are passed over.
        limit: most rows of the top level, None for all.
        keep_summary: whether "Others" stays when the limit would cut it off.
        truncate: how many rows of the top level stay apart; the rest is summed into "Others". None for all.
        pattern: which rows of the top level are kept.
        pattern_recursive: the same, for rows at every level; a row stays with those above it.
        low_population: which rows are left out for being small.
        shown: the only columns that are shown besides the label; empty for all.
        hidden: columns that are not shown.
        label: the one row that is wanted, or `a > b` for one below another.
        formatting: what is written as people read it: nothing, percentages (`33%`), or times too (`2 min 42s`).
    """

    expanded: bool = False
    flat: bool = False
    with_aggregates: bool = False
    sort_column: str | None = None
    descending: bool | None = None
    offset: int = 0
    limit: int | None = 100
    keep_summary: bool = False
    truncate: int | None = None
    pattern: Pattern | None = None
    pattern_recursive: Pattern | None = None
    low_population: LowPopulation | None = None
    shown: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    label: str | None = None
    formatting: Formatting = "percentages"

    @property
    def needs_everything(self) -> bool:
        """Whether rows below others are needed, shown or not."""
        return self.expanded or self.flat or self.pattern_recursive is not None or self.is_path

    @property
    def is_path(self) -> bool:
        """Whether the row wanted lies below another."""
        return self.label is not None and ">" in self.label

    @property
    def nested(self) -> bool:
        """Whether rows are shown inside others."""
        return self.expanded and not self.flat
