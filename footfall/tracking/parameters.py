"""The parameters of a tracking request, as the client sent them and as they are stored."""

import re
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import Any

import msgspec
from falcon.uri import parse_query_string

from footfall.queue.request import TrackingRequest

Parameters = dict[str, str]

_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#039;", "'"), ("&amp;", "&"))
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#039;"})
_SPECIAL = re.compile("[&<>\"'\n\r\0]")
_CONTROL = str.maketrans({"\0": None, "\n": None, "\r": None})
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_CENT = Decimal("0.01")
_NO_CENTS = 1e15  # a larger float has no cents to round


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
    if text is not None and text.isdigit() and text.isascii() and len(text) <= 18:
        return int(text)
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


def number(value: Any) -> float | None:
    """A number, or a text that is one, as a float; None for anything else, infinity included."""
    if isinstance(value, str):
        text = value.strip()
        value = float(text) if _NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if isfinite(found) else None


def leading_number(text: str) -> float:
    """The number that a text begins with; 0 when it begins with none (conformance: event with bad value)."""
    match = _NUMBER.match(text)
    return (number(match.group()) or 0.0) if match else 0.0


def rounded(amount: float) -> float:
    """The amount rounded to cents, half a cent away from zero as it is written (42.425 gives 42.43)."""
    if abs(amount) >= _NO_CENTS:
        return amount
    return float(Decimal(repr(amount)).quantize(_CENT, ROUND_HALF_UP))


def json_value(parameters: Parameters, name: str) -> Any:
    """A parameter's value decoded as JSON; None when it is missing or none."""
    try:
        return msgspec.json.decode(parameters.get(name, ""))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def text_of(value: Any) -> str:
    """A text or a number of a JSON value as a text; empty for anything else."""
    if isinstance(value, str):
        return value.translate(_CONTROL)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
