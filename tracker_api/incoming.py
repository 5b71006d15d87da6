"""From HTTP to tracking request records: what the endpoint itself looks at, and nothing looked up."""

from collections.abc import Iterable

from footfall.queue.request import TrackingRequest, encode
from footfall.queue.visitor import Parameters, visitor_hash
from footfall.queue.visitor import parse as parse
from footfall.queue.visitor import text as text
from tracker_api.refusal import bad_site

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
    return visitor_hash(parameters, request), encode(request)
