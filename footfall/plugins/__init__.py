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

from footfall.archiving.records import RecordBuilder
from footfall.reports.report import Report

ENTRY_POINTS = "footfall.plugins"


@dataclass(frozen=True)
class Plugin:
    """What one subject brings.

    Args:
        name: as in method names of the Reporting API, `Actions` say.
        builders: what it archives.
        reports: what it answers.
    """

    name: str
    builders: tuple[RecordBuilder, ...] = ()
    reports: tuple[Report, ...] = ()


@cache
def plugins() -> tuple[Plugin, ...]:
    """All plugins, ours first, by name."""
    own = [import_module(f"{__name__}.{module.name}").PLUGIN for module in pkgutil.iter_modules(__path__)]
    others = [point.load() for point in entry_points(group=ENTRY_POINTS)]
    return tuple(sorted(own, key=lambda p: p.name) + sorted(others, key=lambda p: p.name))


def record_builders() -> tuple[RecordBuilder, ...]:
    """What all plugins archive."""
    return tuple(builder for plugin in plugins() for builder in plugin.builders)


def reports() -> dict[str, Report]:
    """What all plugins answer, by method of the Reporting API."""
    return {report.method: report for plugin in plugins() for report in plugin.reports}
