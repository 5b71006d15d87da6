"""Screens: their resolution, and the configurations of system, browser and resolution."""

from __future__ import annotations

import polars as pl

from footfall.archiving.datatable import DataTable
from footfall.archiving.grouping import renamed
from footfall.archiving.records import RecordBuilder
from footfall.archiving.segments import VISIT, SegmentName
from footfall.archiving.visit_metrics import VISIT_READS, DimensionTables, VisitDimension, joined, visit_record
from footfall.plugins import Plugin
from footfall.plugins.devices_detection import browser_name, system_name
from footfall.reports.listings import visits_listing
from footfall.reports.report import TableReport
from footfall.reports.rows import noted
from footfall.reports.segment_text import condition
from footfall.reports.source import Source

# Records

_CONFIGURATION = ("config_os", "config_browser_name", "config_resolution")
_DIMENSIONS = (
    VisitDimension(visit_record("Resolution_resolution"), pl.col("config_resolution")),
    VisitDimension(visit_record("Resolution_configuration"), joined(*_CONFIGURATION)),
)

SCREENS = RecordBuilder(
    records=tuple(dimension.record for dimension in _DIMENSIONS),
    reads={"log_visit": (*VISIT_READS, *_CONFIGURATION)},
    compute=DimensionTables(lambda _: _DIMENSIONS),
)

# Reports


def _resolutions(table: DataTable, source: Source) -> DataTable:
    return renamed(table, lambda resolution: resolution, lambda resolution: condition(("resolution", resolution)))


def _configurations(table: DataTable, source: Source) -> DataTable:
    return renamed(table, _configuration)


def _configuration(label: str) -> str:
    """`WIN;CH;1920x1080` is Windows / Chrome / 1920x1080."""
    system, browser, resolution = label.split(";", 2)
    return f"{system_name(system)} / {browser_name(browser)} / {resolution}"


REPORTS = (
    TableReport(
        "Resolution.getResolution",
        record="Resolution_resolution",
        dimension="Resolution_Resolution",
        prepare=_resolutions,
        metadata=noted,
        listing=visits_listing("Resolution"),
    ),
    TableReport(
        "Resolution.getConfiguration",
        record="Resolution_configuration",
        dimension="Resolution_Configuration",
        prepare=_configurations,
        listing=visits_listing("Configuration"),
    ),
)

# Segments

SEGMENTS = (SegmentName("resolution", VISIT, "config_resolution"),)

PLUGIN = Plugin("Resolution", builders=(SCREENS,), reports=REPORTS, segments=SEGMENTS)
