"""Tracking requests made of the lines of a log."""

import re
from functools import lru_cache
from typing import NamedTuple, Protocol
from urllib.parse import quote
from zlib import crc32

import msgspec
from msgspec.structs import replace

from footfall.importing import choice
from footfall.importing.choice import Choice
from footfall.importing.destinations import Destinations
from footfall.importing.line import Line
from footfall.queue.request import TrackingRequest
from footfall.queue.visitor import identity, visitor_hash
from footfall.queue.visitor import parse as parse_query

_SAFE = "/:?=,;@!$'()*~[]|{}"
_WHOLE_URL = re.compile(r"(https?)://([^/?#]+)(/.*)?", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\-/:?=,;@!$'()*~\[\]|{}]")


class Made(NamedTuple):
    """What a line became.

    Args:
        request: for the queue.
        visitor: the hash of who sent it; decides the shard.
        idsite: of the site it goes to.
        is_download: whether it is one.
    """

    request: TrackingRequest
    visitor: int
    idsite: int
    is_download: bool = False


class Maker(Protocol):
    """Makes the request of a line."""

    def make(self, line: Line) -> Made | str:
        """The request; or why there is none, one of the reasons of choice.py."""


class PageRequests:
    """Requests as a browser that runs a tracker would have sent them.

    What they hold is what the reference's importer sends (conformance: import): the page, where it was linked, the
    status as the custom variable `HTTP-code`, downloads, bytes and the time that the server took.

    Args:
        strip_query: leave queries of URLs away.
        separator: what a query begins with.
        no_provider: providers are not looked up.
        mark_bots: bots are recorded, and everybody is marked as `Bot` or `Not-Bot`.
        own_host: of lines that name none.
    """

    def __init__(
        self,
        choice: Choice,
        destinations: Destinations,
        *,
        strip_query: bool = False,
        separator: str = "?",
        no_provider: bool = False,
        mark_bots: bool = False,
        own_host: str = "",
    ) -> None:
        self._choice = choice
        self._destinations = destinations
        self._strip_query = strip_query
        self._separator = separator
        self._mark_bots = mark_bots
        self._own_host = own_host
        self._ending = "&dp=1" if no_provider else ""

    def make(self, line: Line) -> Made | str:
        if line.target[:1] != "/" or (self._own_host and not line.host):
            line = self._completed(line)
        target = line.target
        path, separator, _ = target.partition(self._separator)
        reason = self._choice.reason_against(line, path)
        if reason is not None:
            return reason
        destination = self._destinations.of(line)
        if destination is None:
            return choice.NO_SITE
        if self._strip_query and separator:
            target = path
        url = destination.origin + target
        sent = encoded(url)
        is_download = self._choice.is_download(path)
        query = f"idsite={destination.idsite}&rec=1&url={sent}"
        if line.referrer:
            query += f"&urlref={_kept(line.referrer)}"
        if is_download:
            query += f"&download={sent}"
        if line.user:
            query += f"&uid={encoded(line.user)}"
        if line.status:
            query += _status(line.status)
            if _is_failure(line.status):
                query += f"&action_name={encoded(_title(line, url))}"
        if line.milliseconds is not None:
            query += f"&pf_srv={line.milliseconds}"
        if line.length is not None:
            query += f"&bw_bytes={line.length}"
        if self._mark_bots:
            query += _bot(line.user_agent, self._choice.is_bot(line.user_agent))
        return Made(
            TrackingRequest(line.time, line.address, (query + self._ending).encode(), b"", headers(line)),
            crc32(identity(line.user, "", "", line.address, line.user_agent).encode("utf-8", "surrogatepass")),
            destination.idsite,
            is_download,
        )

    def _completed(self, line: Line) -> Line:
        """A line whose target is a whole URL, or that names no host, in the usual form."""
        host, scheme, target = line.host or self._own_host, line.scheme, line.target
        if whole := _WHOLE_URL.fullmatch(target):
            scheme, host, target = whole[1].lower(), whole[2], whole[3] or "/"
        elif not target.startswith("/"):
            target = ""  # of OPTIONS * and CONNECT: no page
        return replace(line, host=host, scheme=scheme, target=target)


class ReplayedRequests:
    """The tracking requests that a tracker's own log shows, with everything they carried.

    Args:
        idsite: the site that they go to; None: as they say.
    """

    def __init__(self, choice: Choice, idsite: int | None = None) -> None:
        self._choice = choice
        self._idsite = idsite

    def make(self, line: Line) -> Made | str:
        path, _, query = line.target.partition("?")
        if not path.endswith(("/matomo.php", "/piwik.php")):
            return choice.NO_TRACKING if line.target else choice.NO_REQUEST
        reason = self._choice.reason_against(line, path)
        if reason is not None:
            return reason
        if self._idsite is not None:
            query += f"&idsite={self._idsite}"
        sent = query.encode("utf-8", "surrogateescape")
        parameters = parse_query(sent)
        idsite = parameters.get("idsite", "")
        idsite = idsite if isinstance(idsite, str) else idsite[-1]
        if "rec" not in parameters or not idsite.isdecimal():
            return choice.NO_TRACKING  # one whose parameters came in its body, which no log has
        own = headers(line)
        if line.referrer:
            own["referer"] = line.referrer
        request = TrackingRequest(line.time, line.address, sent, b"", own)
        return Made(request, visitor_hash(parameters, request), int(idsite))


def headers(line: Line) -> dict[str, str]:
    """The headers of the request that a line shows."""
    own = {}
    if line.user_agent:
        own["user-agent"] = _text(line.user_agent)
    if line.language:
        own["accept-language"] = _text(line.language)
    return own


def encoded(text: str) -> str:
    """A value in a query string; bytes that are no UTF-8 stay what they are."""
    return quote(text, _SAFE, errors="surrogateescape") if _UNSAFE.search(text) else text


@lru_cache(maxsize=16_384)
def _kept(text: str) -> str:
    return encoded(text)


def _text(text: str) -> str:
    """A header's text, which has to be UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@lru_cache(maxsize=1_000)
def _status(status: int) -> str:
    variable = msgspec.json.encode({"1": ["HTTP-code", str(status)]})
    return f"&cvar={quote(variable, '')}"


def _is_failure(status: int) -> bool:
    return status >= 400 or (300 <= status < 400 and status != 304)


def _title(line: Line, url: str) -> str:
    """What the page of an error or a redirect is called (conformance: import, ncsa_extended-options-1)."""
    title = f"{line.status}/URL = {quote(url, '', errors='surrogateescape')}"
    return f"{title}/From = {quote(line.referrer, '', errors='surrogateescape')}" if line.referrer else title


@lru_cache(maxsize=16_384)
def _bot(user_agent: str, is_bot: bool) -> str:
    variable = msgspec.json.encode({"1": ["Bot" if is_bot else "Not-Bot", _text(user_agent)]})
    return f"&bots=1&_cvar={quote(variable, '')}"
