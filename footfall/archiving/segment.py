"""A segment: which of the visits of a day it is about, found in what was read of the log.

A segment consists of whole visits: one that matches is counted with everything that happened in it (conformance
`reports`: Actions.get of `pageUrl=@docs` counts all pages of those visits). Conditions about actions hold for a visit
when one action meets all of them; `!=` and `!@` hold when no action meets their opposite. The same goes for conversions
and items. Texts are compared as the database does it: upper and lower case, accents and spaces at the end make no
difference, but for the whole name of an action.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import Final, Literal

import polars as pl

from footfall.archiving.daylog import DayLog
from footfall.archiving.segment_definition import Condition, Operator, parse
from footfall.archiving.segments import ACTION, CONVERSION, ITEM, VISIT, Fact, SegmentName
from footfall.errors import InvalidInput

_VISIT_ID = "idvisit"
_FOLDED = "folded"
_URL_PREFIX = re.compile(r"https?://(www\.)?", re.IGNORECASE)
_LONGEST_WHOLE_NUMBER: Final = 18  # digits
_NO_RANK: Final = (Operator.GREATER, Operator.AT_LEAST, Operator.LESS, Operator.AT_MOST)

_COMPARED: Final[dict[Operator, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    Operator.EQUAL: lambda fact, value: fact == value,
    Operator.GREATER: lambda fact, value: fact > value,
    Operator.AT_LEAST: lambda fact, value: fact >= value,
    Operator.LESS: lambda fact, value: fact < value,
    Operator.AT_MOST: lambda fact, value: fact <= value,
}
_SEARCHED: Final[dict[Operator, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    Operator.CONTAINS: lambda fact, value: fact.str.contains(value, literal=True),
    Operator.STARTS: lambda fact, value: fact.str.starts_with(value),
    Operator.ENDS: lambda fact, value: fact.str.ends_with(value),
}


@dataclass(frozen=True)
class _Test:
    """A condition with what its name stands for.

    Args:
        values: what is compared with: any of them will do. None asks whether there is a fact at all.
    """

    name: SegmentName
    operator: Operator
    values: tuple[Fact, ...] | None

    @property
    def table(self) -> str:
        return self.name.table

    @property
    def asks_for_nothing(self) -> bool:
        """Whether it holds for rows without a fact, and for visits without rows."""
        return self.values is None and self.operator is Operator.EQUAL

    @property
    def side(self) -> str:
        """The table whose rows it can be decided by: `!=` and `!@` look at all rows of a visit."""
        is_about_all = self.operator.is_negative and self.values is not None
        return VISIT if is_about_all else self.table

    def holds(self, log: DayLog, rows: pl.DataFrame) -> pl.Expr:
        """Whether it holds for each row of its side."""
        if self.side != self.table:
            below = log.whole(self.table)
            meeting = below.filter(self._meets(log, below))[_VISIT_ID].unique()
            return ~pl.col(_VISIT_ID).is_in(meeting.implode())
        meets = self._meets(log, rows)
        return ~meets if self.operator.is_negative else meets

    def _meets(self, log: DayLog, rows: pl.DataFrame) -> pl.Expr:
        """Whether each row of the table meets the condition, or the opposite of a negative one."""
        if self.values is None:
            return ~_any(_has_fact(fact, rows) for fact in self.name.expressions)
        operator = self.operator.positive
        if self.name.action_types:
            ids = self._actions(log, operator)
            positive = _any(fact.is_in(ids) for fact in self.name.expressions)
        else:
            positive = _any(
                _compared(fact, operator, value, rows) for fact in self.name.expressions for value in self.values
            )
        return positive.fill_null(value=False)

    def _actions(self, log: DayLog, operator: Operator) -> list[int]:
        """The ids of the actions whose names meet the condition."""
        names = log.of_names(_with_folded).filter(pl.col("type").is_in(list(self.name.action_types)))
        if self.name.is_type:
            return names.filter(pl.col("type").is_in(list(self.values or ())))["idaction"].to_list()
        texts = [str(value) for value in self.values or ()]
        if operator is Operator.EQUAL:
            found = pl.col("name").is_in(texts)
        else:
            found = _any(_SEARCHED[operator](pl.col(_FOLDED), _folded_value(text)) for text in texts)
        return names.filter(found)["idaction"].to_list()


@dataclass(frozen=True)
class Segment:
    """A definition, tied to the names of one site.

    Args:
        definition: as it was written.
        reads: the columns that are needed, by log table.
        named: those of them that hold ids of actions whose names are needed.
    """

    definition: str
    reads: Mapping[str, tuple[str, ...]]
    named: Mapping[str, tuple[str, ...]]
    _tests: tuple[tuple[_Test, ...], ...] = field(repr=False)

    @classmethod
    def of(cls, definition: str, names: Mapping[str, SegmentName]) -> Segment:
        """From its definition.

        Args:
            names: what conditions about the site can use, by name.

        Raises:
            InvalidInput: the definition cannot be read, a name does not exist, or a value makes no sense.
        """
        tests = tuple(tuple(_test(c, names[c.name]) for c in clause) for clause in parse(definition, names))
        reads: dict[str, dict[str, None]] = {VISIT: {}}
        named: dict[str, dict[str, None]] = {}
        for test in (test for clause in tests for test in clause):
            reads.setdefault(test.table, {}).update(dict.fromkeys(test.name.reads))
            if test.name.action_types:
                named.setdefault(test.table, {}).update(dict.fromkeys(test.name.reads))
        return cls(
            definition,
            {table: tuple(columns) for table, columns in reads.items()},
            {table: tuple(columns) for table, columns in named.items()},
            tests,
        )

    def visits(self, log: DayLog) -> pl.DataFrame:
        """The ids (`idvisit`) of the visits that match."""
        if self.is_of_visits:
            holds = [_any(test.holds(log, log.visits) for test in clause) for clause in self._tests]
            return log.visits.select(pl.col(_VISIT_ID).filter(*holds))
        found = self._side(VISIT, log.visits, log)
        for side in (ACTION, CONVERSION, ITEM):
            if self._tests_of(side):
                found = found.join(self._side(side, log.whole(side), log), on=_VISIT_ID, how=self._join(side))
        met = [pl.any_horizontal(_column(i, s) for s in sides) for i, sides in enumerate(self._sides) if len(sides) > 1]
        return (found.filter(*met) if met else found).select(_VISIT_ID).unique()

    @cached_property
    def _sides(self) -> tuple[tuple[str, ...], ...]:
        """For each clause the tables whose rows can meet it."""
        return tuple(tuple(dict.fromkeys(test.side for test in clause)) for clause in self._tests)

    def _tests_of(self, side: str) -> dict[int, list[_Test]]:
        """For each clause that rows of a table can meet the tests of those rows."""
        found = {i: [test for test in clause if test.side == side] for i, clause in enumerate(self._tests)}
        return {i: tests for i, tests in found.items() if tests}

    def _side(self, side: str, rows: pl.DataFrame, log: DayLog) -> pl.DataFrame:
        """What rows of a table meet, each combination of a visit once.

        Clauses that only this table can meet are applied, the others are columns.
        """
        clauses = self._tests_of(side)
        held = rows.select(
            _VISIT_ID, **{_column(i, side): _any(test.holds(log, rows) for test in of) for i, of in clauses.items()}
        )
        if side != VISIT:
            held = pl.concat([held, *_of_nothing(log.visits, rows, clauses, side)])
        decided = [_column(i, side) for i in clauses if len(self._sides[i]) == 1]
        return (held.filter(pl.all_horizontal(decided)).drop(decided) if decided else held).unique()

    def _join(self, side: str) -> Literal["inner", "left"]:
        """Whether visits of which no row of the table meets anything are left out."""
        return "inner" if (side,) in self._sides else "left"

    @property
    def is_of_visits(self) -> bool:
        """Whether visits themselves decide: then its visits among those of another segment are those of both."""
        return self.reads.keys() == {VISIT}

    def apply(self, log: DayLog, columns: Mapping[str, Sequence[str]] | None = None) -> DayLog:
        """The log of the visits that match.

        Args:
            columns: those that are needed of it, by log table; all by default.
        """
        return log.of_visits(self.visits(log), columns)


def _test(condition: Condition, name: SegmentName) -> _Test:
    operator, value = condition.operator, condition.value
    if not value:
        return _Test(name, operator, None)
    if name.action_types and not name.is_type:
        if operator in _NO_RANK:
            raise InvalidInput(f"{name.name} is a text without an order: {operator.value} cannot be used with it.")
        return _Test(name, operator, (_URL_PREFIX.sub("", value, count=1) if name.is_url else value,))
    return _Test(name, operator, _stored(name, value))


def _stored(name: SegmentName, value: str) -> tuple[Fact, ...]:
    if name.values is None:
        return (value,)
    if isinstance(name.values, Mapping):
        known = {written.lower(): stored for written, stored in name.values.items()}
        if value.lower() not in known:
            raise InvalidInput(f"{name.name} is one of {', '.join(name.values)}, not {value[:100]!r}.")
        stored = known[value.lower()]
    else:
        stored = name.values(value)
    return stored if isinstance(stored, tuple) else (stored,)


def _of_nothing(
    visits: pl.DataFrame, rows: pl.DataFrame, clauses: Mapping[int, Sequence[_Test]], side: str
) -> list[pl.DataFrame]:
    """What visits without any row of a table meet: tests that ask for rows without a fact."""
    met = {_column(i, side): any(test.asks_for_nothing for test in tests) for i, tests in clauses.items()}
    if not any(met.values()):
        return []
    without = visits.select(_VISIT_ID).join(rows, on=_VISIT_ID, how="anti")
    return [without.with_columns(pl.lit(value).alias(column) for column, value in met.items())]


def _column(clause: int, side: str) -> str:
    return f"{clause} {side}"


def _any(expressions: Iterable[pl.Expr]) -> pl.Expr:
    return reduce(or_, expressions)


def _has_fact(fact: pl.Expr, rows: pl.DataFrame) -> pl.Expr:
    is_empty = fact.is_in(["", "0"]) if _is_text(fact, rows) else fact == 0
    return fact.is_not_null() & ~is_empty.fill_null(value=False)


def _compared(fact: pl.Expr, operator: Operator, value: Fact, rows: pl.DataFrame) -> pl.Expr:
    if operator in _SEARCHED or _is_text(fact, rows):
        # Texts are few, and folding one takes a hundred times as long as looking it up.
        text = fact.cast(pl.String)
        texts = rows.select(text.unique().alias(_FOLDED)).to_series()
        return text.is_in(texts.filter(_matching(texts, operator, str(value))).implode())
    number = _number(value)
    return _COMPARED[operator](fact, pl.lit(number)) if number is not None else pl.lit(value=False)


def _matching(texts: pl.Series, operator: Operator, value: str) -> pl.Series:
    folded = _folded(pl.lit(texts))
    if operator in _SEARCHED:
        found = _SEARCHED[operator](folded, _folded_value(value))
    else:
        found = _COMPARED[operator](folded.str.strip_chars_end(" "), _folded_value(value.rstrip(" ")))
    return pl.select(found).to_series()


def _number(value: Fact) -> int | float | None:
    if not isinstance(value, str):
        return value
    try:
        return int(value) if len(value) <= _LONGEST_WHOLE_NUMBER else float(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return None


def _is_text(fact: pl.Expr, rows: pl.DataFrame) -> bool:
    if fact.meta.is_column():
        return rows[fact.meta.output_name()].dtype == pl.String
    return rows.lazy().select(fact).collect_schema().dtypes()[0] == pl.String


def _with_folded(names: pl.DataFrame) -> pl.DataFrame:
    return names.with_columns(_folded(pl.col("name")).alias(_FOLDED))


def _folded(text: pl.Expr) -> pl.Expr:
    return text.str.normalize("NFD").str.replace_all(r"\p{M}", "").str.to_lowercase()


def _folded_value(text: str) -> pl.Expr:
    return pl.lit(pl.select(_folded(pl.lit(text))).item())
