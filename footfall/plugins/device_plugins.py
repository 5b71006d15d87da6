"""What browsers can do: cookies, and the plugins of their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.records import BlobRecord, Computed, RecordBuilder
from footfall.plugins import Plugin
from footfall.reports.metrics import ratio
from footfall.reports.report import Listing, TableReport
from footfall.reports.source import Source

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

PLUGIN_NAMES: Final = ("cookie", "flash", "java", "pdf", "quicktime", "realplayer", "silverlight", "windowsmedia")
_RECORD = BlobRecord("DevicePlugins_plugin", 500, 500)


def _plugin_table(log: DayLog) -> Computed:
    counts = log.visits.select((pl.col(f"config_{plugin}") == 1).sum().alias(plugin) for plugin in PLUGIN_NAMES)
    rows = [Row({"label": plugin, "nb_visits": count}) for plugin, count in counts.row(0, named=True).items()]
    return {_RECORD.name: DataTable(rows)}


PLUGINS = RecordBuilder(
    records=(_RECORD,),
    reads={"log_visit": tuple(f"config_{plugin}" for plugin in PLUGIN_NAMES)},
    compute=_plugin_table,
)

# Reports

_ALL_VISITS = "all_visits"


def _among_all(table: DataTable, source: Source) -> DataTable:
    """The table with the number of all visits in each row, which its share is of."""
    visits = source.numbers(("nb_visits",)).get("nb_visits", 0)
    for row in table:
        row.columns[_ALL_VISITS] = visits
    return table


REPORTS = (
    TableReport(
        "DevicePlugins.getPlugin",
        record=_RECORD.name,
        dimension="DevicePlugins_Plugin",
        prepare=_among_all,
        shown_label=str.capitalize,
        processed=(ratio("nb_visits_percentage", "nb_visits", _ALL_VISITS, 2, "percent"),),
        hidden=(_ALL_VISITS,),
        listing=Listing("Plugin", ("nb_visits",), ("nb_visits_percentage",), constant_rows=True),
    ),
)

PLUGIN = Plugin("DevicePlugins", builders=(PLUGINS,), reports=REPORTS)
