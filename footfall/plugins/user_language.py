"""The languages of browsers."""

from __future__ import annotations

from typing import Any

import polars as pl
from babel import Locale

from footfall.archiving.datatable import DataTable
from footfall.archiving.grouping import renamed
from footfall.archiving.records import RecordBuilder
from footfall.archiving.segments import LOCATION, VISIT, SegmentName
from footfall.archiving.visit_metrics import VISIT_READS, DimensionTables, VisitDimension, visit_record
from footfall.plugins import Plugin
from footfall.plugins.user_country import UNKNOWN, UNKNOWN_CODE, country_name
from footfall.reports.listings import visits_listing
from footfall.reports.report import TableReport
from footfall.reports.rows import noted
from footfall.reports.segment_text import condition
from footfall.reports.source import Source
from footfall.tracking.languages import browser_language

# Records

_DIMENSIONS = (
    VisitDimension(
        visit_record("UserLanguage_language"),
        pl.col("location_browser_lang"),
    ),
)


def _by_language(tables: dict[str, DataTable]) -> dict[str, DataTable]:
    return {name: renamed(table, _code) for name, table in tables.items()}


def _code(tag: str) -> str:
    """Language and country of a browser's language; the country that it suggests, none where both read the same.

    Source: conformance `archives`, UserLanguage_language: `de-de` becomes `de`, and `ja` becomes `ja-jp`.
    """
    found = browser_language(tag)
    language = found.tag.partition("-")[0] or UNKNOWN_CODE
    return language if found.country in (language, UNKNOWN_CODE) else f"{language}-{found.country}"


LANGUAGES = RecordBuilder(
    records=tuple(dimension.record for dimension in _DIMENSIONS),
    reads={"log_visit": (*VISIT_READS, "location_browser_lang")},
    compute=DimensionTables(lambda _: _DIMENSIONS, _by_language),
)

# Reports


def language_name(code: str) -> str:
    """The English name of an ISO 639 code."""
    return str(Locale("en").languages.get(code, UNKNOWN)) if code != UNKNOWN_CODE else UNKNOWN


def _language(code: str) -> str:
    return language_name(code.partition("-")[0])


def _with_region(code: str) -> str:
    """`nl-be` is Dutch - Belgium (nl-be)."""
    language, _, region = code.partition("-")
    name = f"{language_name(language)} - {country_name(region)}" if region else language_name(language)
    return f"{name} ({code})"


def _language_segment(code: str) -> dict[str, Any]:
    language = code.partition("-")[0]
    return {"segment": f"languageCode=={language},languageCode=@{language}-"}


def _languages(table: DataTable, source: Source) -> DataTable:
    return renamed(table, _language, _language_segment)


def _codes(table: DataTable, source: Source) -> DataTable:
    return renamed(table, _with_region, lambda code: condition(("languageCode", code)))


REPORTS = tuple(
    TableReport(
        f"UserLanguage.{method}",
        record="UserLanguage_language",
        dimension="UserLanguage_Language",
        prepare=prepare,
        metadata=noted,
        listing=visits_listing("Language"),
    )
    for method, prepare in (("getLanguage", _languages), ("getLanguageCode", _codes))
)

# Segments

SEGMENTS = (SegmentName("languageCode", VISIT, "location_browser_lang", category=LOCATION),)

PLUGIN = Plugin("UserLanguage", builders=(LANGUAGES,), reports=REPORTS, segments=SEGMENTS)
