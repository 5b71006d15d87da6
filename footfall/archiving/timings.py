"""The columns about how long the phases of page views took."""

from __future__ import annotations

from typing import Final

import polars as pl

from footfall.archiving.daylog import total
from footfall.archiving.records import Combine

# The columns of log_link_visit_action by what they measure, in milliseconds. What generating a page took is not
# measured any more; its column holds the values of events.
MEASURED: Final = {
    "time_network": "time_network",
    "time_server": "time_server",
    "time_transfer": "time_transfer",
    "time_dom_processing": "time_dom_processing",
    "time_dom_completion": "time_dom_completion",
    "time_on_load": "time_on_load",
    "time_generation": "custom_float",
}
EXTREMES: Final = {f"min_{name}": Combine.MIN for name in MEASURED} | {f"max_{name}": Combine.MAX for name in MEASURED}
_PHASES: Final = tuple(name for name in MEASURED if name != "time_generation")


def timing_columns(*, generation: bool = True) -> list[pl.Expr]:
    """Sum, count, least and most of each phase, in seconds.

    Args:
        generation: whether there are columns for the generation of pages.
    """
    return [column for name in (MEASURED if generation else _PHASES) for column in _columns(name)]


def _columns(name: str) -> tuple[pl.Expr, ...]:
    milliseconds = pl.col(MEASURED[name])
    least, most, spent = milliseconds.min() / 1000, milliseconds.max() / 1000, milliseconds.sum()
    if name in _PHASES:  # whole milliseconds, which polars divides by multiplying: 0.47600000000000003
        least, most, spent = least.round(4), most.round(4), total(MEASURED[name])
    return (
        (spent / 1000).round(4).alias(f"sum_{name}"),
        milliseconds.count().alias(f"nb_hits_with_{name}"),
        least.alias(f"min_{name}"),
        most.alias(f"max_{name}"),
    )
