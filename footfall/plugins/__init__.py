"""The subjects that Footfall knows about, one file each, and the registry that finds them.

A plugin is a `Plugin` named `PLUGIN` in a file here, or one that another package offers under the entry point group
`footfall.plugins`. Adding a report is adding such a file.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from footfall.archiving.plan import Archived, VisitPart
from footfall.archiving.records import Builder
from footfall.archiving.segments import Segments
from footfall.reports.method import Method
from footfall.reports.report import Report

ENTRY_POINTS = "footfall.plugins"


@dataclass(frozen=True)
class Plugin:
    """What one subject brings.

    Args:
        name: as in method names of the Reporting API, `Actions` say.
        builders: what it archives.
        reports: what it answers.
        methods: what else it answers: methods that are no report about one site and period.
        segments: the names that conditions of segments can use about it.
        parts: the parts of visits that it compares with all of them.
    """

    name: str
    builders: tuple[Builder, ...] = ()
    reports: tuple[Report, ...] = ()
    methods: tuple[Method, ...] = ()
    segments: tuple[Segments, ...] = ()
    parts: tuple[VisitPart, ...] = ()


@cache
def plugins() -> tuple[Plugin, ...]:
    """All plugins, ours first, by name."""
    own = [import_module(f"{__name__}.{module.name}").PLUGIN for module in pkgutil.iter_modules(__path__)]
    others = [point.load() for point in entry_points(group=ENTRY_POINTS)]
    return tuple(sorted(own, key=lambda p: p.name) + sorted(others, key=lambda p: p.name))


def archived() -> Archived:
    """What all plugins archive."""
    return Archived(
        {plugin.name: plugin.builders for plugin in plugins()},
        tuple(names for plugin in plugins() for names in plugin.segments),
        tuple(part for plugin in plugins() for part in plugin.parts),
    )


def reports() -> dict[str, Report]:
    """What all plugins answer, by method of the Reporting API."""
    return {report.method: report for plugin in plugins() for report in plugin.reports}


def methods() -> dict[str, Method]:
    """What else all plugins answer, by method of the Reporting API."""
    return {method.method: method for plugin in plugins() for method in plugin.methods}
