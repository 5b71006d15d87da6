"""JSON: a row of numbers is an object, a table is a list of objects, answers by site or date are an object of those."""

import json
from typing import Any

import msgspec

from footfall.reports.answer import Answer
from footfall.reports.formats.values import plain

_ENCODE = msgspec.json.Encoder().encode


class JsonFormat:
    """The format `JSON`."""

    content_type = "application/json; charset=utf-8"
    error_content_type = content_type

    def render(self, answer: Answer) -> bytes:
        return _encoded(plain(answer))

    def render_error(self, message: str) -> bytes:
        return _encoded({"result": "error", "message": message})


def _encoded(value: Any) -> bytes:
    try:
        return _ENCODE(value)
    except UnicodeEncodeError:  # a label archived from bytes that are no text
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
