"""A tracking request as a line of JSON: what `footfall export` writes and `footfall replay` reads.

    {"received_at":1785000000.25,"address":"192.0.2.1","query":"idsite=1&rec=1&…","headers":{"user-agent":"…"}}

Query and body are as they were received: percent-encoded text, nearly always. Bytes that are no UTF-8 come as
`query_base64` and `body_base64` instead. A token is never written: `token_hash` stands for it, the hash that the
database has of it, by which a worker of the same installation recognises its user.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Callable

import msgspec

from footfall.queue.request import TrackingRequest
from footfall.queue.tokens import sealed

HashToken = Callable[[str], str]


class InvalidLine(ValueError):
    """The line is no request; the message says why."""


class Line(msgspec.Struct, omit_defaults=True):
    """A line. Readers pass over members that they do not know.

    Args:
        received_at: Unix time in seconds.
        address: of the client.
        query, body: as in TrackingRequest; empty where the other form is used.
        headers: by lower-case name.
        reason: why a dead letter could not be recorded; for people.
    """

    received_at: float
    address: str
    query: str = ""
    query_base64: str = ""
    body: str = ""
    body_base64: str = ""
    headers: dict[str, str] = {}
    token_hash: str = ""
    reason: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def written(request: TrackingRequest, hash_token: HashToken | None, reason: str = "") -> bytes:
    """The line of a request, without a token and without a line end.

    Args:
        hash_token: makes the hash that stands for its token; None drops the token.
    """
    kept = sealed(request, hash_token)
    query, query_base64 = _as_text(kept.query)
    body, body_base64 = _as_text(kept.body)
    return _encode(
        Line(
            kept.received_at,
            kept.address,
            query,
            query_base64,
            body,
            body_base64,
            kept.headers,
            kept.token_hash,
            reason,
        )
    )


def read(line: bytes) -> TrackingRequest:
    """The request of a line.

    Raises:
        InvalidLine: it is none.
    """
    try:
        found = _decode(line)
        request = TrackingRequest(
            found.received_at,
            found.address,
            b64decode(found.query_base64, validate=True) or found.query.encode(),
            b64decode(found.body_base64, validate=True) or found.body.encode(),
            {name.lower(): value for name, value in found.headers.items()},
            "",
            found.token_hash,
        )
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InvalidLine(str(error)) from None
    if not (math.isfinite(request.received_at) and 0 < request.received_at < 2**40):
        raise InvalidLine("received_at is no time")
    return request


def _as_text(data: bytes) -> tuple[str, str]:
    """The bytes as text and as Base64, one of which is empty."""
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        return "", b64encode(data).decode()
