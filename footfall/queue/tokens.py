"""Tokens in tracking requests: only the worker that records a request reads them, nothing else keeps them."""

import re
from collections.abc import Callable

import msgspec
from falcon.uri import decode

from footfall.queue.request import TrackingRequest

PLACEHOLDER = "__TOKEN_AUTH__"  # what Matomo writes instead of a token

_NAME = "token_auth"
# Without the word and without an encoded name, there can be no token.
_SUSPECT = re.compile(rb"token|(?:^|&)[^=&]*%", re.IGNORECASE)
_INSIDE_A_VALUE = re.compile(rb"(token(?:_|%5F)auth(?:=|%3D|%253D))[^&%\s]*", re.IGNORECASE)


def sealed(request: TrackingRequest, hash_token: Callable[[str], str] | None) -> TrackingRequest:
    """The request with the hash of its token instead of the token, so that it can be kept and recorded later.

    Args:
        hash_token: makes the hash that the user's token is stored as; None drops the token without a trace.
    """
    token = token_of(request)
    return msgspec.structs.replace(
        request,
        query=without_tokens(request.query),
        body=without_tokens(request.body),
        headers={name: _placeheld(value.encode()).decode() for name, value in request.headers.items()},
        bulk_token="",
        token_hash=hash_token(token) if token and hash_token else request.token_hash,
    )


def token_of(request: TrackingRequest) -> str:
    """The request's own token, else that of its bulk body; empty without one."""
    for encoded in (request.query, request.body):
        if not _SUSPECT.search(encoded):
            continue
        tokens = [value for name, value in map(_decoded, encoded.split(b"&")) if name == _NAME and value]
        if tokens:
            return tokens[-1]
    return request.bulk_token


def without_tokens(encoded: bytes) -> bytes:
    """A query string or form body without its token; one inside another value, a URL, say, becomes the placeholder."""
    if not _SUSPECT.search(encoded):
        return encoded
    kept = (part for part in encoded.split(b"&") if _decoded(part)[0] != _NAME)
    return _placeheld(b"&".join(kept))


def _placeheld(text: bytes) -> bytes:
    return _INSIDE_A_VALUE.sub(rb"\g<1>" + PLACEHOLDER.encode(), text)


def _decoded(part: bytes) -> tuple[str, str]:
    name, _, value = part.decode("utf-8", "replace").partition("=")
    return decode(name), decode(value)
