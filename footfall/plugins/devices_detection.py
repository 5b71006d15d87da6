"""Devices, their brands and models, systems and browsers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl
from device_detector.parser import settings as detector_names
from device_detector.parser.device.base import DEVICE_BRANDS

from footfall.archiving.datatable import DataTable
from footfall.archiving.grouping import renamed
from footfall.archiving.records import RecordBuilder
from footfall.archiving.segments import VISIT, SegmentName
from footfall.archiving.visit_metrics import (
    CONVERSION_READS,
    VISIT_READS,
    DimensionTables,
    VisitDimension,
    joined,
    number_label,
    visit_record,
)
from footfall.plugins import Plugin
from footfall.reports.listings import visits_listing
from footfall.reports.report import TableReport
from footfall.reports.rows import noted, only_zeroes
from footfall.reports.segment_text import condition
from footfall.reports.source import Source

# Records

_ON_CONVERSIONS = ("config_device_type", "config_device_brand", "config_device_model", "config_browser_name")
_ON_VISITS = (
    *_ON_CONVERSIONS,
    "config_browser_engine",
    "config_browser_version",
    "config_os",
    "config_os_version",
)


def _with_goals(record: str, value: pl.Expr, label: Callable[[str], str | int] = str) -> VisitDimension:
    return VisitDimension(visit_record(record), value, value, label)


_DIMENSIONS = (
    _with_goals("DevicesDetection_types", pl.col("config_device_type"), number_label),
    _with_goals("DevicesDetection_brands", pl.col("config_device_brand")),
    _with_goals("DevicesDetection_models", joined("config_device_brand", "config_device_model")),
    _with_goals("DevicesDetection_browsers", pl.col("config_browser_name")),
    VisitDimension(visit_record("DevicesDetection_browserEngines"), pl.col("config_browser_engine")),
    VisitDimension(
        visit_record("DevicesDetection_browserVersions"), joined("config_browser_name", "config_browser_version")
    ),
    VisitDimension(visit_record("DevicesDetection_os"), pl.col("config_os")),
    VisitDimension(visit_record("DevicesDetection_osVersions"), joined("config_os", "config_os_version")),
)

DEVICES = RecordBuilder(
    records=tuple(dimension.record for dimension in _DIMENSIONS),
    reads={"log_visit": (*VISIT_READS, *_ON_VISITS), "log_conversion": (*CONVERSION_READS, *_ON_CONVERSIONS)},
    compute=DimensionTables(lambda _: _DIMENSIONS),
)

# Names

UNKNOWN: Final = "Unknown"
_NO_CODE = ("", "UNK", "xx")
_GENERIC = "generic "

# By number, which is what the log holds; the reference's order.
DEVICE_TYPES: Final = (
    "desktop",
    "smartphone",
    "tablet",
    "feature phone",
    "console",
    "tv",
    "car browser",
    "smart display",
    "camera",
    "portable media player",
    "phablet",
    "smart speaker",
    "wearable",
    "peripheral",
)
_SYSTEM_FAMILIES: Final = {code: family for family, codes in detector_names.OS_FAMILIES.items() for code in codes}
# The reference's reports name this family more briefly than its detector does.
_SHORTER_FAMILIES: Final = {"Gaming Console": "Console"}
_ENGINES: Final = {
    "trident": "Trident (IE)",
    "gecko": "Gecko (Firefox)",
    "khtml": "KHTML (Konqueror)",
    "presto": "Presto (Opera)",
    "webkit": "WebKit (Safari)",
    "blink": "Blink (Chrome, Opera)",
}


def browser_name(code: str) -> str:
    """The browser of a short code; what has none is stored, and shown, under its name."""
    return UNKNOWN if code in _NO_CODE else str(detector_names.AVAILABLE_BROWSERS.get(code, code))


def system_name(code: str) -> str:
    """The operating system of a short code."""
    return str(detector_names.OPERATING_SYSTEMS.get(code, UNKNOWN)) if code not in _NO_CODE else UNKNOWN


def brand_name(code: str) -> str:
    """The brand of a short code."""
    return str(DEVICE_BRANDS.get(code, UNKNOWN))


def _family_name(code: str) -> str:
    family = str(_SYSTEM_FAMILIES.get(code, UNKNOWN))
    return _SHORTER_FAMILIES.get(family, family)


def engine_name(code: str) -> str:
    """The engine of browsers, with those it is known from."""
    return _ENGINES.get(code.lower(), code) or UNKNOWN


def type_name(label: str) -> str:
    """The type of device of a number as text; empty for none."""
    number = int(label) if label.isdecimal() else len(DEVICE_TYPES)
    return DEVICE_TYPES[number].capitalize() if number < len(DEVICE_TYPES) else UNKNOWN


def model_name(label: str) -> str:
    """`AP;iPhone` is Apple - iPhone, `;generic desktop` is Generic Desktop."""
    code, _, model = label.partition(";")
    if model.startswith(_GENERIC):
        model = f"Generic {model.removeprefix(_GENERIC).capitalize()}"
    return f"{brand_name(code)} - {model or UNKNOWN}" if code else model or UNKNOWN


def _versioned(name: Callable[[str], str]) -> Callable[[str], str]:
    """The name of a code and the version behind it: `CH;126.0` is Chrome 126.0."""

    def named(label: str) -> str:
        code, _, version = label.partition(";")
        return name(code) if version in _NO_CODE else f"{name(code)} {version}"

    return named


# Reports


def _type_condition(label: str) -> dict[str, Any]:
    return condition(("deviceType", type_name(label).lower())) if label else {}


def _model_condition(label: str) -> dict[str, Any]:
    code, _, model = label.partition(";")
    return condition(("deviceBrand", brand_name(code)), ("deviceModel", model))


def _browser_condition(label: str) -> dict[str, Any]:
    return condition(("browserCode", label)) if label in detector_names.AVAILABLE_BROWSERS else {}


def _version_condition(code_segment: str, version_segment: str) -> Callable[[str], dict[str, Any]]:
    def describe(label: str) -> dict[str, Any]:
        code, _, version = label.partition(";")
        return condition((code_segment, code), (version_segment, version))

    return describe


def _all_types(table: DataTable, source: Source) -> DataTable:
    """The table with a row for every type of device, those without visits included."""
    missing = set(map(str, range(len(DEVICE_TYPES)))) - {row.label for row in table.rows}
    table.rows += [only_zeroes(number) for number in sorted(missing, key=int)]
    return renamed(table, type_name, _type_condition)


def _report(
    method: str,
    record: str,
    dimension: str,
    words: str,
    name: Callable[[str], str],
    describe: Callable[[str], dict[str, Any]] | None = None,
    *,
    with_goals: bool = False,
) -> TableReport:
    def prepare(table: DataTable, source: Source) -> DataTable:
        return renamed(table, name, describe)

    return TableReport(
        f"DevicesDetection.{method}",
        record=f"DevicesDetection_{record}",
        dimension=f"DevicesDetection_{dimension}",
        prepare=prepare,
        metadata=noted,
        listing=visits_listing(words, with_goals=with_goals),
    )


REPORTS = (
    TableReport(
        "DevicesDetection.getType",
        record="DevicesDetection_types",
        dimension="DevicesDetection_DeviceType",
        prepare=_all_types,
        metadata=noted,
        listing=visits_listing("Device type", with_goals=True),
    ),
    _report("getModel", "models", "DeviceModel", "Device model", model_name, _model_condition, with_goals=True),
    _report(
        "getBrand",
        "brands",
        "DeviceBrand",
        "Device brand",
        brand_name,
        lambda code: condition(("deviceBrand", brand_name(code))),
        with_goals=True,
    ),
    _report(
        "getOsVersions",
        "osVersions",
        "OsVersion",
        "Operating system version",
        _versioned(system_name),
        _version_condition("operatingSystemCode", "operatingSystemVersion"),
    ),
    _report("getBrowsers", "browsers", "BrowserName", "Browser", browser_name, _browser_condition, with_goals=True),
    _report(
        "getBrowserVersions",
        "browserVersions",
        "BrowserVersion",
        "Browser version",
        _versioned(browser_name),
        _version_condition("browserCode", "browserVersion"),
    ),
    _report("getOsFamilies", "os", "Os", "Operating system family", _family_name),
    _report(
        "getBrowserEngines",
        "browserEngines",
        "BrowserEngine",
        "Browser engine",
        engine_name,
        lambda engine: condition(("browserEngine", engine)),
    ),
)

# Segments


def _code_of(names: Mapping[str, str]) -> Callable[[str], str]:
    """From a name to its short code; what has none is stored under its name."""
    codes = {name.lower(): code for code, name in names.items()}
    return lambda name: codes.get(name.strip().lower(), name)


def _brand_code(name: str) -> str:
    return "" if name == UNKNOWN else _code_of(DEVICE_BRANDS)(name)


SEGMENTS = (
    SegmentName("browserName", VISIT, "config_browser_name", values=_code_of(detector_names.AVAILABLE_BROWSERS)),
    SegmentName("browserCode", VISIT, "config_browser_name"),
    SegmentName("browserEngine", VISIT, "config_browser_engine"),
    SegmentName("browserVersion", VISIT, "config_browser_version"),
    SegmentName("deviceBrand", VISIT, "config_device_brand", values=_brand_code),
    SegmentName("deviceModel", VISIT, "config_device_model"),
    SegmentName(
        "deviceType",
        VISIT,
        "config_device_type",
        values={name: number for number, name in enumerate(DEVICE_TYPES)},
    ),
    SegmentName("operatingSystemName", VISIT, "config_os", values=_code_of(detector_names.OPERATING_SYSTEMS)),
    SegmentName("operatingSystemCode", VISIT, "config_os"),
    SegmentName("operatingSystemVersion", VISIT, "config_os_version"),
)

PLUGIN = Plugin("DevicesDetection", builders=(DEVICES,), reports=REPORTS, segments=SEGMENTS)
