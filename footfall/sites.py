"""Sites: what is configured for each, and the tracker cache in front of them."""

from dataclasses import dataclass, field

from cachetools import TTLCache

from footfall.custom_dimensions import ACTION, VISIT, CustomDimension, read_dimensions
from footfall.database import Database
from footfall.goals import Goals, read_goals
from footfall.options import Options
from footfall.patterns import InvalidPattern, Pattern, compiled
from footfall.timezones import LocalDays, site_zone

_UNKNOWN_SECONDS = 5  # a site made a moment ago is found soon, and unknown ids do not reach the database each time

EXCLUSION_OPTIONS = {
    # What a site excludes, and the option that holds what is excluded on all sites.
    "excluded_parameters": "SitesManager_ExcludedQueryParameters",
    "excluded_ips": "SitesManager_ExcludedIpsGlobal",
    "excluded_user_agents": "SitesManager_ExcludedUserAgentsGlobal",
    "excluded_referrers": "SitesManager_ExcludedReferrersGlobal",
}
KEEP_FRAGMENT_OPTION = "SitesManager_KeepURLFragmentsGlobal"
# What names a search on sites that do not say it themselves, and the options that replace that.
KEYWORDS_OPTION, CATEGORIES_OPTION = "SitesManager_SearchKeywordParameters", "SitesManager_SearchCategoryParameters"
KEYWORDS = "q,query,s,search,searchword,k,keyword"
_KEEP_FRAGMENT, _AS_ALL_SITES = 1, 0  # site.keep_url_fragment
_COLUMNS = (
    "name",
    "main_url",
    "timezone",
    "keep_url_fragment",
    "exclude_unknown_urls",
    "sitesearch",
    "sitesearch_keyword_parameters",
    "sitesearch_category_parameters",
    *EXCLUSION_OPTIONS,
)


@dataclass(frozen=True, eq=False)
class Site:
    """One row of `site` with its `site_url` rows, and what tracking needs to know about the site.

    Two readings of a site are two objects that differ, so that what is kept by site is never older than the site.

    Args:
        urls: the main URL first, then the aliases.
        excluded_parameters: names of URL parameters to drop, lower case; `/regex/` entries are patterns.
        excluded_ips, excluded_user_agents: entries as they were written, whose requests are not recorded.
        excluded_referrers: URLs as they were written, that count as no referrer.
        exclude_unknown_urls: whether only pages below one of `urls` are recorded.
        search: whether searches on the site are recorded.
        search_keywords: parameters of a URL that name what was searched for.
        search_categories: parameters of a URL that name where it was searched.
        visit_dimensions, action_dimensions: active custom dimensions by scope.
    """

    idsite: int
    name: str
    urls: tuple[str, ...]
    timezone: str
    keep_url_fragment: bool
    excluded_parameters: frozenset[str]
    excluded_parameter_patterns: tuple[Pattern, ...]
    excluded_ips: tuple[str, ...]
    excluded_user_agents: tuple[str, ...]
    excluded_referrers: tuple[str, ...]
    exclude_unknown_urls: bool
    search: bool
    search_keywords: tuple[str, ...]
    search_categories: tuple[str, ...]
    goals: Goals = field(repr=False)
    visit_dimensions: tuple[CustomDimension, ...]
    action_dimensions: tuple[CustomDimension, ...]
    days: LocalDays = field(repr=False)

    @property
    def has_action_dimensions(self) -> bool:
        """Whether actions of the site have values of custom dimensions, which changes what is kept of visits."""
        return bool(self.action_dimensions)


def split_parameters(text: str) -> tuple[frozenset[str], tuple[Pattern, ...]]:
    """The names and the `/pattern/` entries of a comma-separated list of excluded parameters.

    A pattern that does not compile excludes nothing.
    """
    names, patterns = set(), []
    for entry in (part.strip() for part in text.split(",")):
        if len(entry) > 2 and entry.startswith("/") and entry.rstrip("i").endswith("/"):
            try:
                patterns.append(compiled(entry.rstrip("i").strip("/"), "i"))
            except InvalidPattern:
                continue
        elif entry:
            names.add(entry.lower())
    return frozenset(names), tuple(patterns)


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


class Sites:
    """The sites of one database, each kept for a while once it was read.

    Args:
        database: the connection to use.
        cache_seconds: how long a site is kept.
    """

    def __init__(self, database: Database, cache_seconds: int) -> None:
        self._database = database
        self._options = Options(database, cache_seconds)
        self._known: TTLCache[int, Site] = TTLCache(100_000, max(cache_seconds, 1e-9))
        self._unknown: TTLCache[int, bool] = TTLCache(10_000, min(max(cache_seconds, 1e-9), _UNKNOWN_SECONDS))

    def get(self, idsite: int) -> Site | None:
        """The site, or None when there is none with this id."""
        site = self._known.get(idsite)
        if site is None and idsite not in self._unknown:
            site = self._read(idsite)
            if site is None:
                self._unknown[idsite] = True
            else:
                self._known[idsite] = site
        return site

    def forget(self) -> None:
        """Drop everything that is kept, so that changes are seen at once."""
        self._options.forget()
        self._known.clear()
        self._unknown.clear()

    def _read(self, idsite: int) -> Site | None:
        database = self._database
        rows = database.query(
            f"SELECT {', '.join(_COLUMNS)} FROM {database.table('site')} WHERE idsite = %s", (idsite,)
        )
        if not rows:
            return None
        row = dict(zip(_COLUMNS, rows[0], strict=True))
        parameters, ips, user_agents, referrers = (
            f"{row[own]},{self._options.get(everywhere) or ''}" for own, everywhere in EXCLUSION_OPTIONS.items()
        )
        aliases = database.query(f"SELECT url FROM {database.table('site_url')} WHERE idsite = %s", (idsite,))
        dimensions = read_dimensions(database, idsite)
        names, patterns = split_parameters(parameters)
        keep_fragment = row["keep_url_fragment"]
        if keep_fragment == _AS_ALL_SITES:
            keep_fragment = int(self._options.get(KEEP_FRAGMENT_OPTION) == "1")
        keywords = row["sitesearch_keyword_parameters"] or self._options.get(KEYWORDS_OPTION) or KEYWORDS
        categories = row["sitesearch_category_parameters"] or self._options.get(CATEGORIES_OPTION) or ""
        return Site(
            idsite=idsite,
            name=row["name"],
            urls=(row["main_url"], *(url for (url,) in aliases)),
            timezone=row["timezone"],
            keep_url_fragment=keep_fragment == _KEEP_FRAGMENT,
            excluded_parameters=names,
            excluded_parameter_patterns=patterns,
            excluded_ips=_entries(ips),
            excluded_user_agents=_entries(user_agents),
            excluded_referrers=_entries(referrers),
            exclude_unknown_urls=bool(row["exclude_unknown_urls"]),
            search=bool(row["sitesearch"]),
            search_keywords=_entries(keywords.lower()),
            search_categories=_entries(categories.lower()),
            goals=read_goals(database, idsite),
            visit_dimensions=tuple(dimension for dimension in dimensions if dimension.scope == VISIT),
            action_dimensions=tuple(dimension for dimension in dimensions if dimension.scope == ACTION),
            days=LocalDays(site_zone(row["timezone"])),
        )
