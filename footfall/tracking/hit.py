"""A tracking request, understood: what a hit says about its visitor, its time and its page."""

import calendar
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from footfall.clock import Clock
from footfall.goals import Goal
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.sites import Site, Sites
from footfall.tracking import (
    contents,
    custom_dimensions,
    custom_variables,
    ecommerce,
    events,
    links,
    page_views,
    referrers,
    site_search,
    urls,
)
from footfall.tracking.action import LINK, PAGE_VIEW, Action, Page
from footfall.tracking.addresses import mask, pack
from footfall.tracking.devices import Agent, Device
from footfall.tracking.ecommerce import Order
from footfall.tracking.errors import Excluded, Failure, Rejected
from footfall.tracking.exclusions import Exclusions
from footfall.tracking.geoip import GeoDatabase
from footfall.tracking.languages import browser_language
from footfall.tracking.location import Location
from footfall.tracking.locations import Locator, said
from footfall.tracking.parameters import Parameters, escaped, integer, number, parse, plain
from footfall.tracking.referrers import Referrer
from footfall.users import Users

CUSTOM_TIME_SECONDS = 86_400  # an older time than this needs a token
OLDEST_TIME_SECONDS = 20 * 365 * 86_400
NEWEST_TIME_SECONDS = 3_600
TIMING_LIMIT = 16_777_215  # the largest value of a mediumint unsigned column

# The parameter of each performance timing, by column.
TIMINGS = {
    "time_network": "pf_net",
    "time_server": "pf_srv",
    "time_transfer": "pf_tfr",
    "time_dom_processing": "pf_dm1",
    "time_dom_completion": "pf_dm2",
    "time_on_load": "pf_onl",
}
# The parameter of each browser plugin flag, by column.
FLAGS = {
    "config_cookie": "cookie",
    "config_flash": "fla",
    "config_java": "java",
    "config_pdf": "pdf",
    "config_quicktime": "qt",
    "config_realplayer": "realp",
    "config_silverlight": "ag",
    "config_windowsmedia": "wma",
}
_TIMING_PARAMETERS = frozenset(TIMINGS.values())
LARGEST_GOAL = 2_147_483_647  # of an int column
Timings = tuple[int | None, ...]
"""Performance timings in milliseconds, in the order of TIMINGS; None where not given."""
NO_TIMINGS: Timings = (None,) * len(TIMINGS)
_NO_ACCESS = Failure.NOT_AUTHENTICATED
_HEX = frozenset("0123456789abcdefABCDEF")
_KEPT_URL_LENGTH = 2048  # the parts of a longer URL are not kept, so that hostile ones do not fill the memory
_CID = re.compile(r"[0-9a-fA-F]{16}")


@dataclass(slots=True)
class Hit:
    """One request that can be recorded.

    Args:
        time: when it happened, Unix seconds in UTC (the client's `cdt` where it may set it).
        visitor_id: 8 bytes, from cid, the user id or the client's cookie; None for a visitor without any.
        visitor_id_forced: whether only the visitor id decides whose visit it is (cid).
        keeps_bot: whether it is recorded even if its agent is a bot.
        finds_provider: whether the provider of its address is looked up (not where it has `dp`).
        address: packed, as it is stored; what is derived of it comes from `enriched_address`.
        page: the page that the hit names.
        action: what it does; None for a ping, a manual conversion, an order or a cart.
        page_view_id: shared by a page view and what happens on the page.
        timings: of a page view.
        late_timings: timings that belong to the page view of the same page_view_id.
        visit_columns: custom dimensions and variables of the visit.
        moved_to: what the request itself says about the location, by column: a visit that goes on takes it over.
        idgoal: as given, -1 when it is not.
        goals: what it converts by its action's texts or its idgoal.
        revenue: of its conversions, where it says so.
        order: the order or cart.
        attributed_to: what the visitor's attribution cookie credits conversions to; None when it says nothing.
    """

    site: Site
    time: int
    address: bytes
    agent: Agent
    keeps_bot: bool
    finds_provider: bool
    visitor_id: bytes | None
    visitor_id_forced: bool
    user_id: str | None
    new_visit: bool
    ping: bool
    page: Page
    page_view_id: str
    timings: Timings
    late_timings: Timings | None
    visit_columns: Mapping[str, str]
    language: str
    location: Location
    moved_to: Mapping[str, Any]
    local_time: str
    resolution: str
    flags: tuple[int, ...]
    enriched_address: bytes
    referrer: Referrer
    attributed_to: Referrer | None
    idgoal: int
    action: Action | None = None
    goals: tuple[Goal, ...] = ()
    revenue: float | None = None
    order: Order | None = None
    config_id: bytes = b""
    provider: str | None = None

    def fingerprint(self, device: Device, secret: bytes) -> bytes:
        """What a visitor without an id is recognised by within a day: 8 bytes that cannot be turned back.

        The salt changes with the site's day, so that nobody is recognised on another day or another site.
        """
        salt = f"{self.site.idsite}/{self.site.days.date_of(self.time)}"
        parts = (salt, device.os, device.browser_name, device.browser_version, self.language, self.flags[1:])
        return hmac.digest(secret, repr(parts).encode() + self.enriched_address, "sha256")[:8]


class HitParser:
    """Turns request records into hits."""

    def __init__(self, sites: Sites, users: Users, settings: Settings, clock: Clock) -> None:
        self._sites = sites
        self._users = users
        self._masked_bytes = settings.anonymize_ip_bytes
        self._enriches_masked = bool(settings.anonymized_ip_for_enrichment)
        self._exclusions = Exclusions(bool(settings.do_not_track))
        self._locator = Locator(GeoDatabase(settings.geoip_database, clock) if settings.geoip_database else None)

    def forget(self) -> None:
        """Drop what is kept of sites and users."""
        self._sites.forget()
        self._users.forget()

    def parse(self, request: TrackingRequest) -> Hit:
        """The hit of a request.

        Raises:
            Rejected: the request names no known site, or uses a parameter that needs a token without one.
            Excluded: the site or a setting leaves it out.
        """
        parameters = parse(request)
        if not parameters.get("url") and not parameters.get("urlref") and "referer" in request.headers:
            parameters["url"] = request.headers["referer"]  # an image in a page without JavaScript
        idsite = integer(parameters, "idsite")
        site = self._sites.get(idsite) if idsite else None
        if site is None:
            raise Rejected(f"There is no site {parameters.get('idsite', '')[:20]!r}.", idsite, Failure.INVALID_SITE)
        trusted = self._is_trusted(parameters, request, site.idsite)
        packed = self._address(parameters, request, trusted, site)
        user_agent = parameters.get("ua") or request.headers.get("user-agent", "")
        self._exclusions.check(site, packed, user_agent, parameters.get("url", ""), request.headers)
        if referrers.is_spam(parameters.get("urlref", "")):
            raise Excluded(referrers.SPAM)
        time = self._time(parameters, request, trusted, site)
        masked = mask(packed, self._masked_bytes)
        enriched = masked if self._enriches_masked else packed
        visitor_id, forced, user_id = _identity(parameters, site)
        page = _page(parameters, site)
        language = browser_language(parameters.get("lang") or request.headers.get("accept-language", ""))
        location = self._locator.locate(enriched, language.country)
        place = said(parameters, site.idsite) if trusted else {}
        hit = Hit(
            site=site,
            time=time,
            address=masked,
            enriched_address=enriched,
            agent=Agent.of(user_agent, parameters.get("uadata", "")),
            keeps_bot=bool(integer(parameters, "bots")),
            finds_provider=not integer(parameters, "dp"),
            visitor_id=visitor_id,
            visitor_id_forced=forced,
            user_id=user_id,
            new_visit=parameters.get("new_visit") == "1",
            ping=parameters.get("ping") == "1",
            page=page,
            page_view_id=plain(parameters.get("pv_id", ""))[:6],
            timings=NO_TIMINGS,
            late_timings=None,
            visit_columns=_visit_columns(parameters, site, page),
            language=language.tag,
            location=replace(location, **place) if place else location,
            moved_to={f"location_{part}": value for part, value in place.items()},
            local_time=_local_time(parameters, time),
            resolution=escaped(parameters.get("res") or "unknown")[:18],
            flags=tuple(_flag(parameters, name) for name in FLAGS.values()),
            referrer=referrers.referrer_of(parameters.get("urlref", ""), parameters.get("url", ""), site),
            attributed_to=_attributed_to(parameters, site),
            idgoal=_idgoal(parameters),
        )
        _add_doing(hit, parameters)
        return hit

    def _is_trusted(self, parameters: Parameters, request: TrackingRequest, idsite: int) -> bool:
        token = parameters.get("token_auth") or request.bulk_token
        if token:
            caller = self._users.authenticate(token)
        elif request.token_hash:
            caller = self._users.authenticate_hash(request.token_hash)
        else:
            return False
        return caller is not None and caller.can_write(idsite)

    def _time(self, parameters: Parameters, request: TrackingRequest, trusted: bool, site: Site) -> int:
        received = int(request.received_at)
        custom = custom_time(parameters.get("cdt", ""))
        if custom is None or not received - OLDEST_TIME_SECONDS <= custom <= received + NEWEST_TIME_SECONDS:
            return received
        if custom < received - CUSTOM_TIME_SECONDS and not trusted:
            raise Rejected(
                "A time (cdt) more than a day ago needs a token_auth with write access.", site.idsite, _NO_ACCESS
            )
        return custom

    def _address(self, parameters: Parameters, request: TrackingRequest, trusted: bool, site: Site) -> bytes:
        text = request.address
        if "cip" in parameters:
            if not trusted:
                raise Rejected("An address (cip) needs a token_auth with write access.", site.idsite, _NO_ACCESS)
            text = parameters["cip"]
        return pack(text)


@lru_cache(maxsize=4096)
def custom_time(text: str) -> int | None:
    """The Unix time of a `cdt` parameter: a number of seconds, or a date and time in UTC; None for anything else."""
    if not text:
        return None
    if text.isdigit():
        return int(text) if len(text) <= 10 else None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return calendar.timegm((moment if moment.tzinfo is None else moment.astimezone(UTC)).timetuple())


def _identity(parameters: Parameters, site: Site) -> tuple[bytes | None, bool, str | None]:
    """Visitor id, whether it is forced, and user id (conformance: visits)."""
    user_id = escaped(parameters.get("uid", "").strip())
    if user_id:
        # Of the text as it is stored (conformance: sql in every field).
        return hashlib.sha1(user_id.encode()).digest()[:8], False, user_id[:200]
    forced = parameters.get("cid", "")
    if forced:
        if not _CID.fullmatch(forced):
            raise Rejected("A visitor id (cid) must be 16 hexadecimal digits.", site.idsite)
        return bytes.fromhex(forced), True, None
    cookie = parameters.get("_id", "")[:16]
    if len(cookie) < 16:
        return None, False, None
    if _CID.fullmatch(cookie):
        return bytes.fromhex(cookie), False, None
    # A digit that is none counts as 0 (conformance: invalid visitor id).
    return bytes.fromhex("".join(digit if digit in _HEX else "0" for digit in cookie)), False, None


def _attributed_to(parameters: Parameters, site: Site) -> Referrer | None:
    name, url = parameters.get("_rcn", ""), parameters.get("_ref", "")
    return referrers.attributed_to(name, parameters.get("_rck", ""), url, site) if name or url else None


def _flag(parameters: Parameters, name: str) -> int:
    """A number within a tinyint column; clients send 0 or 1."""
    return min(max(integer(parameters, name) or 0, -128), 127) if name in parameters else 0


def _page(parameters: Parameters, site: Site) -> Page:
    url = parameters.get("url", "")
    return _page_of(url, site) if len(url) <= _KEPT_URL_LENGTH else _page_of.__wrapped__(url, site)


@lru_cache(maxsize=16_384)
def _page_of(text: str, site: Site) -> Page:
    raw = plain(text.strip())
    url = urls.normalise(raw, site)
    if url is None:
        return Page(raw, "", "", None)
    name, prefix = urls.split_prefix(url)
    return Page(raw, url, name, prefix)


def _visit_columns(parameters: Parameters, site: Site, page: Page) -> Mapping[str, str]:
    columns = custom_variables.read(parameters, "_cvar")
    if site.visit_dimensions:
        columns |= custom_dimensions.read(parameters, site.visit_dimensions, page.raw)
    return columns


def _idgoal(parameters: Parameters) -> int:
    idgoal = integer(parameters, "idgoal")
    return -1 if idgoal is None or not -1 <= idgoal <= LARGEST_GOAL else idgoal


def _add_doing(hit: Hit, parameters: Parameters) -> None:
    """Fill in what the hit does: nothing but go on (a ping), an order or cart, a manual conversion, or an action.

    Raises:
        Rejected: there is no such goal, or it is flagged as an action that it does not name.
    """
    site = hit.site
    timings = _timings(parameters) if parameters.keys() & _TIMING_PARAMETERS else NO_TIMINGS
    if hit.ping:
        pass
    elif hit.idgoal == 0:
        hit.order = ecommerce.read(parameters)
    elif hit.idgoal > 0:
        goal = site.goals.get(hit.idgoal)
        if goal is None:
            raise Rejected(f"Site {site.idsite} has no goal {hit.idgoal}.", site.idsite)
        hit.goals = (goal,)
    else:
        hit.action = action = _action(parameters, hit.page, site)
        if action.kind is PAGE_VIEW:
            hit.timings, timings = timings, NO_TIMINGS
        action.columns |= custom_variables.read(parameters, "cvar")
        if site.action_dimensions:
            url = action.full_url if action.kind is LINK else hit.page.raw
            action.columns |= custom_dimensions.read(parameters, site.action_dimensions, url)
        hit.goals = site.goals.converted_by(action.compared)
    if hit.page_view_id and timings is not NO_TIMINGS:
        hit.late_timings = tuple(value if (value or 0) <= TIMING_LIMIT else None for value in timings)
    if "revenue" in parameters:
        hit.revenue = number(parameters["revenue"])


def _action(parameters: Parameters, page: Page, site: Site) -> Action:
    action = (
        links.read_download(parameters, page)
        or links.read_outlink(parameters, page)
        or events.read(parameters, page)
        or contents.read(parameters, page)
        or site_search.read(parameters, page, site)
        or page_views.read(parameters, page)
    )
    if action is None:
        raise Rejected("It is flagged as a custom action (ca=1), but names neither event nor content.", site.idsite)
    return action


def _timings(parameters: Parameters) -> Timings:
    values = (integer(parameters, name) for name in TIMINGS.values())
    return tuple(value if value is not None and value >= 0 else None for value in values)


def _local_time(parameters: Parameters, time: int) -> str:
    """The visitor's wall clock; the server's, in UTC, for what the client does not say (conformance: visits)."""
    hour = _within(integer(parameters, "h"), time // 3600 % 24, 24)
    minute = _within(integer(parameters, "m"), time // 60 % 60, 60)
    second = _within(integer(parameters, "s"), time % 60, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}"


def _within(value: int | None, default: int, limit: int) -> int:
    if value is None:
        return default
    return value if 0 <= value < limit else 0
