"""Sites: what is configured for each, and the tracker cache in front of them."""

import re
from dataclasses import dataclass, field

from cachetools import TTLCache

from footfall.database import Database
from footfall.options import Options
from footfall.timezones import LocalDays, site_zone

_UNKNOWN_SECONDS = 5  # a site made a moment ago is found soon, and unknown ids do not reach the database each time

# The options that hold what is excluded on all sites; in the order in which a site's own are read.
_GLOBAL_EXCLUSIONS = (
    "SitesManager_ExcludedQueryParameters",
    "SitesManager_ExcludedIpsGlobal",
    "SitesManager_ExcludedUserAgentsGlobal",
    "SitesManager_ExcludedReferrersGlobal",
)


@dataclass(frozen=True)
class Site:
    """One row of `site` with its `site_url` rows, and what tracking needs to know about the site.

    Args:
        urls: the main URL first, then the aliases.
        excluded_parameters: names of URL parameters to drop, lower case; `/regex/` entries are patterns.
        excluded_ips, excluded_user_agents: entries as they were written, whose requests are not recorded.
        excluded_referrers: URLs as they were written, that count as no referrer.
        exclude_unknown_urls: whether only pages below one of `urls` are recorded.
        has_action_dimensions: whether the site has an active custom dimension of scope action.
    """

    idsite: int
    name: str
    urls: tuple[str, ...]
    timezone: str
    keep_url_fragment: bool
    excluded_parameters: frozenset[str]
    excluded_parameter_patterns: tuple[re.Pattern[str], ...]
    excluded_ips: tuple[str, ...]
    excluded_user_agents: tuple[str, ...]
    excluded_referrers: tuple[str, ...]
    exclude_unknown_urls: bool
    has_action_dimensions: bool
    days: LocalDays = field(repr=False, compare=False)


def split_parameters(text: str) -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """The names and the `/pattern/` entries of a comma-separated list of excluded parameters.

    A pattern that does not compile excludes nothing.
    """
    names, patterns = set(), []
    for entry in (part.strip() for part in text.split(",")):
        if len(entry) > 2 and entry.startswith("/") and entry.rstrip("i").endswith("/"):
            try:
                patterns.append(re.compile(entry.rstrip("i").strip("/"), re.IGNORECASE))
            except re.error:
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
            "SELECT name, main_url, timezone, keep_url_fragment, exclude_unknown_urls, excluded_parameters, excluded_ips, "
            "excluded_user_agents, excluded_referrers "
            f"FROM {database.table('site')} WHERE idsite = %s",
            (idsite,),
        )
        if not rows:
            return None
        name, main_url, timezone, keep_url_fragment, exclude_unknown_urls, *exclusions = rows[0]
        parameters, ips, user_agents, referrers = (
            f"{own},{self._options.get(everywhere) or ''}"
            for own, everywhere in zip(exclusions, _GLOBAL_EXCLUSIONS, strict=True)
        )
        aliases = database.query(f"SELECT url FROM {database.table('site_url')} WHERE idsite = %s", (idsite,))
        (action_dimensions,) = database.query(
            f"SELECT COUNT(*) FROM {database.table('custom_dimensions')} "
            "WHERE idsite = %s AND scope = 'action' AND active = 1",
            (idsite,),
        )[0]
        names, patterns = split_parameters(parameters)
        return Site(
            idsite=idsite,
            name=name,
            urls=(main_url, *(url for (url,) in aliases)),
            timezone=timezone,
            keep_url_fragment=bool(keep_url_fragment),
            excluded_parameters=names,
            excluded_parameter_patterns=patterns,
            excluded_ips=_entries(ips),
            excluded_user_agents=_entries(user_agents),
            excluded_referrers=_entries(referrers),
            exclude_unknown_urls=bool(exclude_unknown_urls),
            has_action_dimensions=bool(action_dimensions),
            days=LocalDays(site_zone(timezone)),
        )
