"""Campaign parameters of page URLs, in the query or behind the `#` (conformance topic referrers)."""

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_plus

# In the order in which they are looked for; the first one with a value counts. Upper case is not recognised.
NAME_PARAMETERS = (
    "pk_cpn",
    "pk_campaign",
    "piwik_campaign",
    "mtm_campaign",
    "matomo_campaign",
    "utm_campaign",
    "utm_source",
    "utm_medium",
)
KEYWORD_PARAMETERS = (
    "pk_kwd",
    "pk_keyword",
    "piwik_kwd",
    "piwik_keyword",
    "mtm_kwd",
    "mtm_keyword",
    "matomo_kwd",
    "matomo_keyword",
    "utm_term",
)
_LONGEST = 8192  # of a URL that is looked through


class Campaign(NamedTuple):
    """A campaign's name and keyword, in lower case; the keyword is "" where the URL has none."""

    name: str
    keyword: str


def campaign_of(url: str) -> Campaign | None:
    """The campaign that a page's URL names, or None."""
    # Every name parameter has one of these in it; most URLs have neither.
    if "campaign=" not in url and "utm_" not in url and "pk_cpn=" not in url:
        return None
    return _campaign_of(url[:_LONGEST])


@lru_cache(maxsize=4096)
def _campaign_of(url: str) -> Campaign | None:
    page, _, fragment = url.partition("#")
    query = page.partition("?")[2]
    places = (_parameters(query), _parameters(fragment.removeprefix("?")))
    name = _first(NAME_PARAMETERS, places)
    return Campaign(name, _first(KEYWORD_PARAMETERS, places)) if name else None


def _parameters(query: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.partition("=") for part in query.split("&")) if value}


def _first(names: tuple[str, ...], places: tuple[dict[str, str], ...]) -> str:
    for parameters in places:
        for name in names:
            value = unquote_plus(parameters.get(name, "")).strip().lower()
            if value:
                return value
    return ""
