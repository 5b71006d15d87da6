"""The parameters of a tracking request, as the client sent them and as they are stored."""

import re

from falcon.uri import parse_query_string

from footfall.queue.request import TrackingRequest

Parameters = dict[str, str]

_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#039;", "'"), ("&amp;", "&"))
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#039;"})
_SPECIAL = re.compile("[&<>\"'\n\r\0]")
_CONTROL = str.maketrans({"\0": None, "\n": None, "\r": None})
_INTEGER = re.compile(r"[+-]?\d+")


def parse(request: TrackingRequest) -> Parameters:
    """The request's parameters by name, percent-decoded; those of the query before those of the body.

    Where a name comes twice, the last one counts. Bytes that are no UTF-8 become U+FFFD.
    """
    parameters = _parse(request.query) if request.query else {}
    if request.body:
        parameters = {**_parse(request.body), **parameters}
    return parameters


def _parse(encoded: bytes) -> Parameters:
    parsed = parse_query_string(encoded.decode("utf-8", "replace"), keep_blank=True, csv=False)
    return {name: value if isinstance(value, str) else value[-1] for name, value in parsed.items()}


def integer(parameters: Parameters, name: str) -> int | None:
    """A parameter's value as a whole number; None when it is missing or none (conformance: pageviews, visits)."""
    text = parameters.get(name)
    if text is None or not _INTEGER.fullmatch(text) or len(text) > 18:
        return None
    return int(text)


def plain(value: str) -> str:
    """The value without null bytes and line breaks (conformance: control characters and null bytes)."""
    return value.translate(_CONTROL) if _SPECIAL.search(value) else value


def escaped(value: str) -> str:
    """The value as texts are stored: without line breaks, HTML's special characters as entities, once.

    An entity that the client already sent is not escaped again (conformance: percent-encoded url).
    """
    if not _SPECIAL.search(value):
        return value
    value = value.translate(_CONTROL)
    if "&" in value:
        for entity, character in _ENTITIES:
            value = value.replace(entity, character)
    return value.translate(_ESCAPES)
