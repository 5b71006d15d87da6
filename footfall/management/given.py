"""The parameters of a call as they were given: text, or what PHP reads from names with brackets."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from footfall.errors import InvalidInput

Given = str | dict[str, Any]
"""A text, or texts by key (`urls[]=a&urls[]=b` and `urls[0]=a&urls[1]=b` alike), which may be nested."""

_MOST_PARAMETERS = 1000
_DEEPEST = 4


def read(*encoded: bytes) -> dict[str, Given]:
    """The parameters of a query string and a form body; a later one replaces an earlier one of the same name.

    Raises:
        InvalidInput: there are too many.
    """
    pairs: list[tuple[str, str]] = []
    for part in encoded:
        try:
            pairs += parse_qsl(
                part.decode("utf-8", "replace"),
                keep_blank_values=True,
                errors="replace",
                max_num_fields=_MOST_PARAMETERS,
            )
        except ValueError:
            raise InvalidInput(f"A call takes at most {_MOST_PARAMETERS} parameters.") from None
    return _nested(pairs)


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Given]:
    parameters: dict[str, Given] = {}
    for written, value in pairs:
        name, *keys = _keys(written)
        place: dict[str, Any] = parameters
        for key in keys:
            below = place.get(name)
            if not isinstance(below, dict):
                below = place[name] = {}
            place, name = below, key or str(len(below))
        place[name] = value
    return parameters


def _keys(written: str) -> list[str]:
    """The name and the keys in brackets behind it: `a[0][b]` is a, 0, b."""
    name, bracket, rest = written.partition("[")
    if not name or not bracket or not rest.endswith("]"):
        return [written]
    keys = rest[:-1].split("][")
    return [name, *keys] if len(keys) <= _DEEPEST else [written]
