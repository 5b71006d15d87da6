"""Page URLs as they are stored: without fragment, session and excluded parameters, and without their prefix."""

import re

from footfall.sites import Site
from footfall.tracking.campaigns import KEYWORD_PARAMETERS, NAME_PARAMETERS
from footfall.tracking.parameters import plain

MAXIMUM_LENGTH = 1024  # characters of a URL or title, Matomo's page_maximum_length

# The prefix is stored as a number beside the URL (log_action.url_prefix).
PREFIXES = (("http://www.", 1), ("http://", 0), ("https://www.", 3), ("https://", 2))

# Parameters that identify a session, a click or a campaign, dropped for every site.
_EXCLUDED = frozenset(
    {"phpsessid", "jsessionid", "sessionid", "aspsessionid", "sid", "doing_wp_cron", "fb_xd_fragment", "fb_comment_id"}
    | {"gclid", "wbraid", "gbraid", "fbclid", "msclkid", "yclid", "twclid", "pk_vid"}
    | {*NAME_PARAMETERS, *KEYWORD_PARAMETERS}
)
_URL = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)?:?//(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)


def matrix_to_query(url: str) -> str:
    """`/thing;a=1;b=2` as `/thing?a=1&b=2` (conformance: sql in every field)."""
    if ";" not in url:
        return url
    first, question = url.find(";"), url.find("?")
    if 0 <= question < first:
        return url
    if question > first:
        url = url[:question] + ";" + url[question + 1 :]
    return url.replace(";", "?", 1).replace(";", "&")


def normalise(url: str, site: Site) -> str | None:
    """The URL of a page as it is stored, prefix included; None when the text is no absolute URL.

    The host is put in lower case, the fragment is dropped unless the site keeps it, and session parameters and the
    site's excluded parameters are dropped; all else stays as it was sent (conformance: pageviews).
    """
    match = _URL.fullmatch(matrix_to_query(plain(url.strip())))
    if match is None or not match["authority"]:
        return None
    scheme, authority, path, query, fragment = match.groups()
    userinfo, at, host = authority.rpartition("@")
    result = f"{(scheme or 'http').lower()}://{userinfo}{at}{host.lower()}{path}"
    if query:
        kept = "&".join(p for p in query.split("&") if p and not is_excluded(p.partition("=")[0], site))
        if kept:
            result += "?" + kept
    if fragment and site.keep_url_fragment:
        result += "#" + fragment
    return result[:MAXIMUM_LENGTH]


def is_excluded(name: str, site: Site) -> bool:
    """Whether a URL parameter is dropped from the URLs of a site."""
    name = name.lower().removesuffix("[]")
    return (
        name in _EXCLUDED
        or name in site.excluded_parameters
        or any(pattern.search(name) for pattern in site.excluded_parameter_patterns)
    )


def split_prefix(url: str) -> tuple[str, int | None]:
    """The URL without its prefix, and the prefix's number; None where it has none of the known ones."""
    for prefix, number in PREFIXES:
        if url.startswith(prefix):
            return url[len(prefix) :], number
    return url, None
