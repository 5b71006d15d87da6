"""Where visits come from: search engines and keywords, websites, campaigns, social networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.records import Computed, NumericRecord, RecordBuilder
from footfall.archiving.segments import ACQUISITION, VISIT, SegmentName
from footfall.archiving.visit_metrics import (
    CONVERSION_READS,
    VISIT_READS,
    Key,
    columns_by,
    conversions_by,
    visit_record,
    visits_by,
)
from footfall.plugins import Plugin
from footfall.reports.errors import ReportError
from footfall.reports.listings import visits_listing
from footfall.reports.metrics import Columns, Number, ProcessedMetric, number, rounded
from footfall.reports.report import Listing, NumbersReport, TableReport
from footfall.reports.rows import noted
from footfall.reports.segment_text import condition
from footfall.reports.source import Source

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog


class Channel(IntEnum):
    """The values of referer_type."""

    DIRECT = 1
    SEARCH = 2
    WEBSITE = 3
    CAMPAIGN = 6
    SOCIAL = 7


# Records

_TYPES = "Referrers_type"
_KEYWORDS = "Referrers_searchEngineByKeyword"
_ENGINES = "Referrers_keywordBySearchEngine"
_WEBSITES = "Referrers_urlByWebsite"
_CAMPAIGNS = "Referrers_keywordByCampaign"
_SOCIALS = "Referrers_urlBySocialNetwork"

_MOST, _MOST_BELOW = 1000, 50  # rows of a table and of a subtable, as the reference's configuration has them
_TABLES = (_TYPES, _KEYWORDS, _ENGINES, _WEBSITES, _CAMPAIGNS, _SOCIALS)

_CHANNEL, _NAME, _KEYWORD, _URL = "channel", "name", "keyword", "url"
_TABLE_OF = {
    Channel.SEARCH: _ENGINES,
    Channel.WEBSITE: _WEBSITES,
    Channel.CAMPAIGN: _CAMPAIGNS,
    Channel.SOCIAL: _SOCIALS,
}
_TOP = 2  # parts of the key of a row that is in no subtable: table and label
_WITH_URLS = (Channel.WEBSITE, Channel.SOCIAL)


def _key(column: str) -> pl.Expr:
    return pl.col(column).fill_null("")


_ON_BOTH = {_CHANNEL: pl.col("referer_type"), _NAME: _key("referer_name"), _KEYWORD: _key("referer_keyword")}
_ON_VISITS = {**_ON_BOTH, _URL: _key("referer_url")}


def _referrer_tables(log: DayLog) -> Computed:
    """Rows are sums over referrers, visitors included: who came from two of them counts twice for their channel."""
    visits = visits_by(log.visits, _ON_VISITS)
    conversions = None
    if not log.conversions.is_empty():
        conversions = conversions_by(log.conversions, _ON_BOTH).with_columns(pl.lit("").alias(_URL))
    rows = columns_by(visits, conversions, *_ON_VISITS, rows=_rows, rows_of_goals=_rows_of_goals)
    tables = {name: DataTable() for name in _TABLES}
    parents: dict[Key, Row] = {}
    for key, columns in sorted(rows.items(), key=_depth):
        *above, label = key
        row = Row({"label": label, **columns})
        if len(key) == _TOP:
            parents[key] = row
            tables[above[0]].rows.append(row)
        else:
            parent = parents[tuple(above)]
            if parent.subtable is None:
                parent.subtable = DataTable()
            parent.subtable.rows.append(row)
    return tables


def _depth(row: tuple[Key, Any]) -> int:
    return len(row[0])


def _rows(referrer: Key) -> Iterator[Key]:
    """The rows that a referrer counts in: table, label, and for the row of a subtable its label."""
    channel, name, keyword, url = referrer
    yield _TYPES, channel
    table = _TABLE_OF.get(channel)
    if table is None:
        return
    yield table, name
    if channel in _WITH_URLS:
        yield table, name, url
    elif keyword or channel == Channel.SEARCH:
        yield table, name, keyword
    if channel == Channel.SEARCH:
        yield _KEYWORDS, keyword
        yield _KEYWORDS, keyword, name


def _rows_of_goals(referrer: Key) -> Iterator[Key]:
    """Of the rows of subtables, those of campaigns alone have goals."""
    return (key for key in _rows(referrer) if len(key) == _TOP or key[0] == _CAMPAIGNS)


REFERRERS = RecordBuilder(
    records=(
        *(visit_record(name, _MOST, _MOST_BELOW) for name in _TABLES),
        NumericRecord("Referrers_distinctSearchEngines", rows_of=_ENGINES),
        NumericRecord("Referrers_distinctSocialNetworks", rows_of=_SOCIALS),
        NumericRecord("Referrers_distinctKeywords", rows_of=_KEYWORDS),
        NumericRecord("Referrers_distinctCampaigns", rows_of=_CAMPAIGNS),
        NumericRecord("Referrers_distinctWebsites", rows_of=_WEBSITES),
        NumericRecord("Referrers_distinctWebsitesUrls", rows_of=_WEBSITES, depth=1),
    ),
    reads={
        "log_visit": (*VISIT_READS, "referer_type", "referer_name", "referer_keyword", "referer_url"),
        "log_conversion": (*CONVERSION_READS, "referer_type", "referer_name", "referer_keyword"),
    },
    compute=_referrer_tables,
)

# Labels

_NO_KEYWORD: Final = "Keyword not defined"
_CHANNELS: Final = {
    Channel.DIRECT: ("Direct Entry", "direct"),
    Channel.SEARCH: ("Search Engines", "search"),
    Channel.WEBSITE: ("Websites", "website"),
    Channel.CAMPAIGN: ("Campaigns", "campaign"),
    Channel.SOCIAL: ("Social Networks", "social"),
}
Describe = Callable[[str], dict[str, str]]


def _keyword_shown(label: str) -> str:
    return label or _NO_KEYWORD


def _in(channel: Channel, segment: str) -> Describe:
    """The segment of the visits of a row of one channel."""
    return lambda label: condition(("referrerType", _CHANNELS[channel][1]), (segment, label))


def _website(label: str) -> dict[str, str]:
    return condition(("referrerName", label))


def _url_path(url: str) -> str:
    """Path and query of a URL without the first slash: `story/1`; `index` where there are none."""
    parts = urlsplit(url)
    path = parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")
    return path or "index"


def _described(table: DataTable, describe: Describe) -> DataTable:
    for row in table.rows:
        row.metadata |= describe(row.label)
    return table


def _is_flat(source: Source) -> bool:
    return source.parameters.get("flat", "0").lower() not in ("", "0", "false")


def _relabel_below(table: DataTable, name: Callable[[str], str], describe: Describe | None = None) -> None:
    for row in table.rows:
        for below in row.subtable.rows if row.subtable is not None else ():
            below.metadata |= describe(below.label) if describe is not None else {}
            below.columns["label"] = name(below.label)


# Reports

# What stands below a channel, and is put together in the report of all referrers.
_BELOW: Final[Mapping[Channel, tuple[str, Describe]]] = {
    Channel.SEARCH: (_KEYWORDS, _in(Channel.SEARCH, "referrerKeyword")),
    Channel.WEBSITE: (_WEBSITES, _website),
    Channel.CAMPAIGN: (_CAMPAIGNS, _in(Channel.CAMPAIGN, "referrerName")),
    Channel.SOCIAL: (_SOCIALS, _in(Channel.SOCIAL, "referrerName")),
}


def _referrers_of(channel: Channel, source: Source) -> DataTable:
    """The referrers of a channel, without what is below them."""
    record, describe = _BELOW[channel]
    table = _described(source.table(record), describe)
    for row in table.rows:
        row.subtable_id = None
        row.columns["label"] = _keyword_shown(row.label) if channel is Channel.SEARCH else row.label
    return table


def _channels(source: Source) -> DataTable:
    """The channels, each with its referrers below; a subtable's id is the number of its channel.

    Raises:
        ReportError: the request is about several sites (conformance `shapes`: the reference refuses them too).
    """
    if not source.parameters.get("idSite", "").strip().isdecimal():
        raise ReportError("Referrers.getReferrerType is about one site: ask for each site by itself.")
    if source.subtable_id is not None:
        return _referrers_of(Channel(source.subtable_id), source) if source.subtable_id in _BELOW else DataTable()
    table = source.table(_TYPES)
    for row in table.rows:
        channel = Channel(int(row.label))
        name, code = _CHANNELS[channel]
        row.columns["label"] = name
        row.metadata = {"segment": f"referrerType=={code}", "referrer_type": int(channel)}
        if channel in _BELOW and not _is_flat(source):
            row.subtable_id = int(channel)
            row.subtable = _referrers_of(channel, source) if source.expanded else None
    return table


def _all_referrers(source: Source) -> DataTable:
    """The referrers of all channels in one table."""
    found = DataTable()
    for channel in _BELOW:
        for row in _referrers_of(channel, source).rows:
            row.metadata["referer_type"] = int(channel)
            found.rows.append(row)
    return found


def _keywords(table: DataTable, source: Source) -> DataTable:
    return _described(table, _BELOW[Channel.SEARCH][1]) if source.subtable_id is None else table


def _engines(table: DataTable, source: Source) -> DataTable:
    if _is_flat(source):
        _relabel_below(table, _keyword_shown)
        return table
    return _described(table, _in(Channel.SEARCH, "referrerName")) if source.subtable_id is None else table


def _websites(table: DataTable, source: Source) -> DataTable:
    if _is_flat(source):
        _relabel_below(table, _url_path, lambda url: {"url": url})
        return table
    return _described(table, _website) if source.subtable_id is None else table


def _campaigns(table: DataTable, source: Source) -> DataTable:
    describe = _in(Channel.CAMPAIGN, "referrerName")
    if _is_flat(source):
        for row in table.rows:
            for below in row.subtable.rows if row.subtable is not None else ():
                segments = (describe(row.label), _in(Channel.CAMPAIGN, "referrerKeyword")(below.label))
                below.metadata["segment"] = ";".join(part["segment"] for part in segments)
    return _described(table, describe) if source.subtable_id is None else table


def _socials(table: DataTable, source: Source) -> DataTable:
    return _described(table, _in(Channel.SOCIAL, "referrerName")) if source.subtable_id is None else table


def _keywords_below(table: DataTable, source: Source) -> DataTable:
    for row in table.rows:
        row.columns["label"] = _keyword_shown(row.label)
    return table


def _pages_below(table: DataTable, source: Source) -> DataTable:
    for row in table.rows:
        row.metadata["url"] = row.label
        row.columns["label"] = _url_path(row.label)
    return table


def _slashed(path: Sequence[str]) -> str:
    return "/".join(path)


_NUMBERS: Final = {
    Channel.SEARCH: "Referrers_visitorsFromSearchEngines",
    Channel.SOCIAL: "Referrers_visitorsFromSocialNetworks",
    Channel.DIRECT: "Referrers_visitorsFromDirectEntry",
    Channel.WEBSITE: "Referrers_visitorsFromWebsites",
    Channel.CAMPAIGN: "Referrers_visitorsFromCampaigns",
}
_DISTINCT: Final = tuple(record.name for record in REFERRERS.records if isinstance(record, NumericRecord))


def _overview(source: Source) -> dict[str, Any]:
    visits = {row.label: number(row.columns.get("nb_visits")) for row in source.table(_TYPES).rows}
    distinct = source.numbers(_DISTINCT)
    columns: dict[str, Any] = {name: visits.get(str(int(channel)), 0) for channel, name in _NUMBERS.items()}
    return columns | {name: distinct.get(name, 0) for name in _DISTINCT}


def _share(name: str) -> ProcessedMetric:
    """The share that a channel has of the visits of all."""

    def compute(columns: Columns) -> Number:
        visits = sum(number(columns.get(each)) for each in _NUMBERS.values())
        return rounded(number(columns.get(name)) / visits, 2) if visits else 0

    return ProcessedMetric(f"{name}_percent", compute, "percent")


def _report(
    method: str,
    record: str,
    dimension: str,
    words: str,
    prepare: Callable[[DataTable, Source], DataTable],
    below: str,
    subtable: str,
    **more: Any,
) -> TableReport:
    return TableReport(
        f"Referrers.{method}",
        record=record,
        dimension=f"Referrers_{dimension}",
        below=(f"Referrers_{below}",),
        prepare=prepare,
        metadata=noted,
        listing=visits_listing(words, with_goals=words != "Social network", subtable=subtable),
        **more,
    )


def _below(method: str, record: str, prepare: Callable[[DataTable, Source], DataTable] | None = None) -> TableReport:
    """The method that answers for the rows below one."""
    return TableReport(f"Referrers.{method}", record=record, prepare=prepare, metadata=noted)


REPORTS = (
    NumbersReport(
        "Referrers.get",
        load=_overview,
        processed=tuple(_share(name) for name in _NUMBERS.values()),
        listing=Listing(
            None,
            (
                *(shown for name in _NUMBERS.values() for shown in (name, f"{name}_percent")),
                "Referrers_distinctSearchEngines",
                "Referrers_distinctSocialNetworks",
                "Referrers_distinctWebsites",
                "Referrers_distinctKeywords",
                "Referrers_distinctCampaigns",
            ),
        ),
    ),
    TableReport(
        "Referrers.getReferrerType",
        load=_channels,
        metadata=noted,
        listing=visits_listing("Channel Type", with_goals=True, constant_rows=True),
    ),
    TableReport(
        "Referrers.getAll",
        dimension="Referrers_Referrer",
        load=_all_referrers,
        metadata=noted,
        listing=visits_listing("Referrer"),
    ),
    _report(
        "getKeywords",
        _KEYWORDS,
        "Keyword",
        "Keyword",
        _keywords,
        "SearchEngine",
        "getSearchEnginesFromKeywordId",
        shown_label=_keyword_shown,
    ),
    _report(
        "getSearchEngines",
        _ENGINES,
        "SearchEngine",
        "Search Engine",
        _engines,
        "Keyword",
        "getKeywordsFromSearchEngineId",
    ),
    _report(
        "getWebsites",
        _WEBSITES,
        "Website",
        "Website",
        _websites,
        "WebsitePage",
        "getUrlsFromWebsiteId",
        flat_label=_slashed,
    ),
    _report("getSocials", _SOCIALS, "SocialNetwork", "Social network", _socials, "WebsitePage", "getUrlsForSocial"),
    _report("getCampaigns", _CAMPAIGNS, "Campaign", "Campaign", _campaigns, "Keyword", "getKeywordsFromCampaignId"),
    _below("getSearchEnginesFromKeywordId", _KEYWORDS),
    _below("getKeywordsFromSearchEngineId", _ENGINES, _keywords_below),
    _below("getUrlsFromWebsiteId", _WEBSITES, _pages_below),
    _below("getUrlsForSocial", _SOCIALS),
    _below("getKeywordsFromCampaignId", _CAMPAIGNS),
)

# Segments

SEGMENTS = (
    SegmentName(
        "referrerType",
        VISIT,
        "referer_type",
        category=ACQUISITION,
        values={code: int(channel) for channel, (_, code) in _CHANNELS.items()},
    ),
    SegmentName("referrerKeyword", VISIT, "referer_keyword", category=ACQUISITION),
    SegmentName("referrerName", VISIT, "referer_name", category=ACQUISITION),
    SegmentName("referrerUrl", VISIT, "referer_url", category=ACQUISITION),
)

PLUGIN = Plugin("Referrers", builders=(REFERRERS,), reports=REPORTS, segments=SEGMENTS)
