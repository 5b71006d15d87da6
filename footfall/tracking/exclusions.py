"""Requests that a site, or everybody, has asked not to record.

Source: conformance topic exclusions-and-authentication; forms of addresses as Matomo's site manager takes them.
"""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from footfall.patterns import InvalidPattern, Pattern, compiled
from footfall.sites import Site
from footfall.tracking.addresses import unmapped
from footfall.tracking.errors import Excluded

PREFETCH, DO_NOT_TRACK = "prefetched page", "do not track"
ADDRESS, USER_AGENT, UNKNOWN_URL = "excluded address", "excluded user agent", "unknown page address"
BOT = "bot"
PING = "ping without a visit"

_PREFETCH_HEADERS = {
    "x-purpose": ("preview", "instant"),
    "x-moz": ("prefetch",),
    "purpose": ("preview", "prefetch"),
    "sec-purpose": ("prefetch", "prerender"),
}
_PATTERN = re.compile(r"/(?P<pattern>.+)/(?P<flags>[imsxu]*)", re.DOTALL)


class Exclusions:
    """Tells which requests are left out.

    Args:
        do_not_track: whether a request whose browser asks not to be tracked is left out.
    """

    def __init__(self, do_not_track: bool) -> None:
        self._do_not_track = do_not_track
        self._sites: dict[int, tuple[Site, _SiteExclusions]] = {}

    def check(self, site: Site, address: bytes, user_agent: str, url: str, headers: Mapping[str, str]) -> None:
        """Let a request pass.

        Args:
            address: packed and not masked.
            url: of the page, as the client sent it.
            headers: by lower-case name.

        Raises:
            Excluded: it is left out.
        """
        if is_prefetch(headers):
            raise Excluded(PREFETCH)
        if self._do_not_track and (headers.get("dnt") == "1" or headers.get("sec-gpc") == "1"):
            raise Excluded(DO_NOT_TRACK)
        self._of(site).check(address, user_agent, url)

    def _of(self, site: Site) -> "_SiteExclusions":
        """What the site excludes, made again when the site was read again."""
        made_from, exclusions = self._sites.get(site.idsite, (None, None))
        if exclusions is None or made_from is not site:
            exclusions = _SiteExclusions(site)
            self._sites[site.idsite] = site, exclusions
        return exclusions


class _SiteExclusions:
    """What one site excludes, ready to compare with."""

    def __init__(self, site: Site) -> None:
        networks = [network for entry in site.excluded_ips for network in networks_of(entry)]
        self._networks = {
            length: [
                (int(network.network_address), int(network.netmask))
                for network in networks
                if network.max_prefixlen == length * 8
            ]
            for length in (4, 16)
        }
        entries = [(entry, _pattern(entry)) for entry in site.excluded_user_agents]
        self._texts = [entry.lower() for entry, pattern in entries if pattern is None]
        self._patterns = [pattern for _, pattern in entries if pattern is not None]
        self._known_urls = [_host_and_path(url) for url in site.urls] if site.exclude_unknown_urls else None

    def check(self, address: bytes, user_agent: str, url: str) -> None:
        if self._has_network_of(unmapped(address)):
            raise Excluded(ADDRESS)
        if self._texts:
            lower = user_agent.lower()
            if any(text in lower for text in self._texts):
                raise Excluded(USER_AGENT)
        if any(pattern.search(user_agent) for pattern in self._patterns):
            raise Excluded(USER_AGENT)
        if self._known_urls is not None and not self._is_known(url):
            raise Excluded(UNKNOWN_URL)

    def _has_network_of(self, address: bytes) -> bool:
        networks = self._networks[len(address)]
        if not networks:
            return False
        number = int.from_bytes(address)
        return any(number & netmask == network for network, netmask in networks)

    def _is_known(self, url: str) -> bool:
        host, path = _host_and_path(url)
        return any(host == known_host and path.startswith(known) for known_host, known in self._known_urls or ())


def is_prefetch(headers: Mapping[str, str]) -> bool:
    """Whether a browser fetches ahead what its user may never look at."""
    for name, purposes in _PREFETCH_HEADERS.items():
        value = headers.get(name)
        if value and any(purpose in value.lower() for purpose in purposes):
            return True
    return False


def networks_of(entry: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks that an excluded address stands for; none when it cannot be understood.

    An entry is an address, a network (`10.0.0.0/8`, `2001:db8::/32`), an address with wildcards at its end
    (`192.168.*.*`, `2001:db8:*:*:*:*:*:*`, `2001:db8::*`), or a range (`10.0.0.1-10.0.0.9`).
    """
    entry = entry.strip()
    try:
        first, dash, last = entry.partition("-")
        if dash:
            ends = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
            return list(ipaddress.summarize_address_range(*ends))
        return [ipaddress.ip_network(_as_network(entry), strict=False)]
    except (ValueError, TypeError):
        return []


def _as_network(entry: str) -> str:
    """An address with wildcards as a network; anything else as it is."""
    separator, width = (":", 16) if ":" in entry else (".", 8)
    parts = entry.split(separator)
    wildcards = 0
    while wildcards < len(parts) and parts[-1 - wildcards] == "*":
        wildcards += 1
    if not wildcards or "/" in entry:
        return entry
    address = separator.join([*parts[: len(parts) - wildcards], *["0"] * wildcards])
    return f"{address}/{ipaddress.ip_address(address).max_prefixlen - wildcards * width}"


def _pattern(entry: str) -> Pattern | None:
    """The regular expression of an entry like `/Bot\\d+/i`; None for one that is looked for as a text."""
    written = _PATTERN.fullmatch(entry)
    if written is None:
        return None
    try:
        return compiled(written["pattern"], "".join(dict.fromkeys(written["flags"].replace("u", ""))))
    except InvalidPattern:
        return None


def _host_and_path(url: str) -> tuple[str, str]:
    """What is compared of a URL: the host without `www.`, and the path with a slash at its end."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return "", ""
    return host, parts.path.rstrip("/") + "/"
