"""Where a visit comes from: direct, a search engine, a website, a campaign or a social network.

`referrer_of` is a pure function of what a hit says and of its site; what it found for a referrer URL is kept, so that
a request costs microseconds. Source of the rules: conformance topics `referrers` and `goals`.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from footfall.sites import Site
from footfall.tracking.campaigns import Campaign, campaign_of
from footfall.tracking.parameters import plain
from footfall.tracking.referrer_lists import is_spammer, social_network
from footfall.tracking.search_engines import search_of
from footfall.tracking.urls import is_excluded

SPAM = "referrer spam"  # why such a request is left out
URL_LENGTH = 1500  # characters of the column referer_url
TEXT_LENGTH = 255  # of referer_name and referer_keyword

_LONGEST = 8192  # of a referrer URL that is looked at; what is kept of it is shorter
_HOST_LENGTH = 512  # of a URL whose host alone is asked for
_KEPT_LENGTH = 2048  # a longer one is not kept, so that hostile ones do not fill the memory
_URL = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*:)?//(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.DOTALL,
)
_PORT = re.compile(r":\d*$")


class ReferrerType(IntEnum):
    """The values of the column referer_type."""

    DIRECT = 1
    SEARCH_ENGINE = 2
    WEBSITE = 3
    CAMPAIGN = 6
    SOCIAL_NETWORK = 7


class Referrer(NamedTuple):
    """Where a visit or a conversion comes from, as the columns referer_* have it.

    Args:
        type: one of ReferrerType.
        name: engine, network, host or campaign; None for direct.
        keyword: of the search or the campaign; None where a search engine or website has none.
        url: the referrer URL, "" where there is none.
        keyword_is_given: False for a campaign whose keyword is but the referrer's host.
    """

    type: int
    name: str | None = None
    keyword: str | None = None
    url: str = ""
    keyword_is_given: bool = True


DIRECT = Referrer(ReferrerType.DIRECT)


class _Address(NamedTuple):
    """A URL's parts; the scheme with its colon, the host in lower case and without port."""

    scheme: str
    userinfo: str
    host: str
    port: str
    path: str
    query: str


class _Found(NamedTuple):
    address: _Address
    referrer: Referrer


def referrer_of(referrer_url: str, page_url: str, site: Site) -> Referrer:
    """Where a hit says that its visitor came from.

    Args:
        referrer_url: the parameter `urlref` as the client sent it; any text.
        page_url: the page's URL as the client sent it, with its campaign parameters; any text.
    """
    referrer = DIRECT
    if referrer_url:
        found = (_found if len(referrer_url) <= _KEPT_LENGTH else _found.__wrapped__)(referrer_url)
        if found is not None:
            referrer = _of_url(found, page_url, site)
    campaign = campaign_of(page_url)
    return referrer if campaign is None else _of_campaign(campaign, referrer)


def is_spam(referrer_url: str) -> bool:
    """Whether a referrer URL is a known spammer's, whose requests are not recorded (conformance: referrer: spam)."""
    return bool(referrer_url) and is_spammer(_host(referrer_url[:_HOST_LENGTH]))


def attributed_to(name: str, keyword: str, referrer_url: str, site: Site) -> Referrer | None:
    """What the visitor's attribution cookie credits conversions to; None when it says nothing of use.

    Args:
        name: the campaign, parameter `_rcn`.
        keyword: its keyword, parameter `_rck`.
        referrer_url: the referrer that is remembered, parameter `_ref`.
    """
    name = plain(name).strip().lower()
    if name:
        return Referrer(ReferrerType.CAMPAIGN, name[:TEXT_LENGTH], plain(keyword).strip().lower()[:TEXT_LENGTH])
    referrer = referrer_of(referrer_url, "", site)
    return None if referrer.type == ReferrerType.DIRECT else referrer


def of_conversion(visit: Referrer, cookie: Referrer | None) -> Referrer:
    """What a conversion is credited to: the cookie's campaign, the visit's campaign, the cookie's referrer, the visit.

    Args:
        visit: where the visit comes from.
        cookie: as `attributed_to` gives it.
    """
    if cookie is None:
        return visit
    is_outdone = visit.type == ReferrerType.CAMPAIGN and cookie.type != ReferrerType.CAMPAIGN
    return visit if is_outdone else cookie


def is_new_campaign(visit: Referrer, hit: Referrer) -> bool:
    """Whether a hit comes from a campaign other than its visit's, and so begins a new visit.

    A visit that came directly takes the campaign over instead; other referrers never begin a visit (conformance:
    campaign changes mid-visit, website referrer changes mid-visit).
    """
    if hit.type != ReferrerType.CAMPAIGN or visit.type == ReferrerType.DIRECT:
        return False
    if visit.type != hit.type or (visit.name or "").lower() != hit.name:
        return True
    return hit.keyword_is_given and (visit.keyword or "").lower() != hit.keyword


def is_late(visit: Referrer, hit: Referrer) -> bool:
    """Whether a visit that came directly learns from a further hit where it came from (direct first, search second)."""
    return visit.type == ReferrerType.DIRECT and hit.type != ReferrerType.DIRECT


def _of_campaign(campaign: Campaign, referrer: Referrer) -> Referrer:
    """A campaign without a keyword takes the search's, else the host of the referrer (conformance: utm source only)."""
    keyword, given = campaign.keyword, True
    if not keyword and referrer.type == ReferrerType.SEARCH_ENGINE and referrer.keyword:
        keyword = referrer.keyword
    if not keyword:
        keyword, given = _host(referrer.url[:_HOST_LENGTH]), False
    return Referrer(
        ReferrerType.CAMPAIGN,
        plain(campaign.name)[:TEXT_LENGTH],
        plain(keyword)[:TEXT_LENGTH],
        referrer.url,
        given,
    )


def _of_url(found: _Found, page_url: str, site: Site) -> Referrer:
    """What a referrer URL says to a site; the site's own places and the host of the page count as direct."""
    host, path = found.address.host, found.address.path
    is_own = (
        not host
        or _belongs(host, path, site.urls)
        or host == _host(page_url[:_HOST_LENGTH])
        or _belongs(host, path, site.excluded_referrers)
    )
    return (DIRECT if is_own else found.referrer)._replace(url=_stored(found.address, site))


@lru_cache(maxsize=16_384)
def _found(referrer_url: str) -> _Found | None:
    """What a referrer URL says to any site that it does not belong to; None when it is no URL."""
    address = _parsed(referrer_url)
    return None if address is None else _Found(address, _classified(referrer_url, address))


def _classified(referrer_url: str, address: _Address) -> Referrer:
    search = search_of(referrer_url[:_LONGEST], address.host, address.path, address.query)
    if search is not None:
        keyword = plain(search.keyword)[:TEXT_LENGTH] if search.keyword else None
        return Referrer(ReferrerType.SEARCH_ENGINE, search.engine, keyword)
    network = social_network(address.host)
    if network is not None:
        return Referrer(ReferrerType.SOCIAL_NETWORK, network, "")
    return Referrer(ReferrerType.WEBSITE, address.host[:TEXT_LENGTH])


def _parsed(url: str) -> _Address | None:
    """The parts of a URL with a host; None for any other text."""
    match = _URL.fullmatch(plain(url[:_LONGEST].strip()))
    if match is None:
        return None
    scheme, authority, path, query = match.groups()
    userinfo, at, host_and_port = authority.rpartition("@")
    port = _PORT.search(host_and_port)
    host = host_and_port[: port.start()] if port else host_and_port
    return _Address(scheme or "", userinfo + at, host.lower(), port.group() if port else "", path, query or "")


@lru_cache(maxsize=4096)
def _host(url: str) -> str:
    """The host of a URL, "" of any other text."""
    address = _parsed(url)
    return address.host if address else ""


def _stored(address: _Address, site: Site) -> str:
    """The URL as it is stored: without fragment and excluded parameters, the host in lower case."""
    url = f"{address.scheme}//{address.userinfo}{address.host}{address.port}{address.path}"
    if address.query:
        kept = [part for part in address.query.split("&") if part and not is_excluded(part.partition("=")[0], site)]
        url += "?" + "&".join(kept) if kept else ""
    return url[:URL_LENGTH]


def _belongs(host: str, path: str, entries: tuple[str, ...]) -> bool:
    """Whether a place lies below one of the URLs (or hosts with a path); `.example.com` stands for its subdomains too.

    `www.` makes no difference.
    """
    if not entries:
        return False
    places = _places(entries)
    host = host.removeprefix("www.")
    if (path + "/").startswith(places.get(host, ())):
        return True
    while host:
        if (path + "/").startswith(places.get("." + host, ())):
            return True
        host = host.partition(".")[2]
    return False


@lru_cache(maxsize=4096)
def _places(entries: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """The paths by host, with a slash at their end, of URLs or of hosts with or without a path."""
    places: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        address = _parsed(entry if "//" in entry else "//" + entry)
        if address is not None and address.host:
            host = address.host.removeprefix("www.")
            places[host] = (*places.get(host, ()), address.path.rstrip("/") + "/")
    return places
