"""Site search: a keyword given as a parameter, or found in the URL of a page of results."""

import re
from functools import lru_cache

from falcon.uri import parse_query_string

from footfall.sites import Site
from footfall.tracking.action import SEARCH, SITE_SEARCH, Action, Page, named
from footfall.tracking.parameters import Parameters, escaped, number

_CATEGORY_LENGTH = 200
_LARGEST_COUNT = 4_294_967_295


def read(parameters: Parameters, page: Page, site: Site) -> Action | None:
    """The search of a hit (`search`, `search_cat`, `search_count`, else the parameters of the URL that the site names).

    None when the site records no searches, or there is no keyword.
    """
    if not site.search:
        return None
    keyword = parameters.get("search", "").strip()
    if keyword:
        category, count = parameters.get("search_cat", ""), parameters.get("search_count")
    else:
        found = _in_url(page.raw, site)
        if found is None:
            return None
        keyword, category, count = found
    columns: dict[str, str | int] = {"search_cat": escaped(category.strip())[:_CATEGORY_LENGTH]}
    results = number(count)
    if results is not None and results >= 0:
        columns["search_count"] = int(min(results, _LARGEST_COUNT))
    return Action(SEARCH, name=named(SITE_SEARCH, escaped(keyword)), columns=columns)


def _in_url(url: str, site: Site) -> tuple[str, str, str | None] | None:
    """Keyword, category and count of results in a URL's query or fragment."""
    if not _pattern(site.search_keywords).search(url):
        return None
    address, _, fragment = url.partition("#")
    values = _query(fragment) | _query(address.partition("?")[2])
    keyword = _first(values, site.search_keywords)
    if not keyword:
        return None
    return keyword, _first(values, site.search_categories), values.get("search_count")


@lru_cache(maxsize=1024)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Finds out quickly that a URL has none of the parameters."""
    return re.compile(f"[?&#](?:{'|'.join(map(re.escape, names))})=", re.IGNORECASE)


def _query(text: str) -> dict[str, str]:
    parsed = parse_query_string(text, keep_blank=False, csv=False)
    return {name.lower(): value if isinstance(value, str) else value[-1] for name, value in parsed.items()}


def _first(values: dict[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := values.get(name, "").strip())), "")
