"""From HTTP to tracking request records: what the endpoint itself looks at, and nothing looked up."""

from collections.abc import Iterable, Mapping
from typing import Any

from falcon.uri import parse_query_string

from footfall.queue.request import TrackingRequest, encode
from footfall.queue.shards import identity, visitor_hash
from tracker_api.refusal import bad_site

Parameters = Mapping[str, str | list[str]]

_HIGHEST_SITE = 2**32 - 1  # idsite is an unsigned 32-bit column
_SITE_DIGITS = len(str(_HIGHEST_SITE))
_KEPT_HEADERS = {
    name.encode(): name
    for name in (
        "user-agent",
        "accept-language",
        "referer",
        "sec-ch-ua",
        "sec-ch-ua-mobile",
        "sec-ch-ua-platform",
        "sec-ch-ua-platform-version",
        "sec-ch-ua-full-version",
        "sec-ch-ua-full-version-list",
        "sec-ch-ua-model",
        "sec-ch-ua-arch",
        "sec-ch-ua-bitness",
        "sec-ch-ua-form-factors",
        "x-requested-with",
        "x-purpose",
        "purpose",
        "sec-purpose",
        "x-moz",
        "dnt",
        "sec-gpc",
    )
}


def kept_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers that recording needs, by lower-case name."""
    kept = _KEPT_HEADERS
    return {kept[name]: value.decode("utf-8", "replace") for name, value in headers if name in kept}


def parse(query: bytes) -> dict[str, Any]:
    """The parameters of a query string or form body; a list where a name came more than once."""
    return parse_query_string(query.decode("utf-8", "replace"), keep_blank=False, csv=False)


def text(parameters: Parameters, name: str) -> str:
    """A parameter's value, the last one where it came more than once; empty where it is absent."""
    value = parameters.get(name, "")
    return value if isinstance(value, str) else value[-1]


def check_site(parameters: Parameters) -> None:
    """Refuse a request whose `idsite` cannot be a site's.

    Raises:
        Refused: it is missing, or not a whole number from 1 on without leading zeros, as the reference has it.
    """
    value = text(parameters, "idsite")
    digits = value.isascii() and value.isdigit() and value[0] != "0" and len(value) <= _SITE_DIGITS
    if not (digits and int(value) <= _HIGHEST_SITE):
        raise bad_site(value or None)


def is_recorded(parameters: Parameters) -> bool:
    """Whether the request asks to be recorded: `rec` is 1 (conformance: "rec missing", "rec=0")."""
    return text(parameters, "rec") == "1"


def wants_image(parameters: Parameters) -> bool:
    """Whether the answer is to be the image: `send_image` is not 0."""
    return text(parameters, "send_image") != "0"


def record(parameters: Parameters, request: TrackingRequest) -> tuple[int, bytes]:
    """The visitor's hash, which decides on the shard that a request goes to, and the request's record.

    Args:
        parameters: those of query and body together.
    """
    visitor = identity(
        text(parameters, "uid"),
        text(parameters, "cid"),
        text(parameters, "_id"),
        text(parameters, "cip") or request.address,
        request.headers.get("user-agent", ""),
    )
    return visitor_hash(visitor), encode(request)
