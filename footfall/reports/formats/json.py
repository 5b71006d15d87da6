"""JSON: a row of numbers is an object, a table is a list of objects, answers by site or date are an object of those."""

import json
from datetime import datetime
from typing import Any

import msgspec

from footfall.archiving.datatable import Row
from footfall.reports.answer import Answer, Keyed, Numbers, Plain

_ENCODE = msgspec.json.Encoder().encode


class JsonFormat:
    """The format `JSON`."""

    content_type = "application/json; charset=utf-8"

    def render(self, answer: Answer) -> bytes:
        return _encoded(_plain(answer))

    def render_error(self, message: str) -> bytes:
        return _encoded({"result": "error", "message": message})


def _encoded(value: Any) -> bytes:
    try:
        return _ENCODE(value)
    except UnicodeEncodeError:  # a label archived from bytes that are no text
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _plain(answer: Answer) -> Any:
    if isinstance(answer, Keyed):
        return {key: _plain(inside) for key, inside in answer.answers.items()}
    if isinstance(answer, Numbers):
        return _values(answer.columns)
    if isinstance(answer, Plain):
        return _said(answer.value)
    return [_row(row) for row in answer.table]


def _said(value: Any) -> Any:
    """A single value is an object with `value`, none at all the word that it was done."""
    if value is None:
        return {"result": "success", "message": "ok"}
    return _bare(value) if isinstance(value, list | dict) else {"value": _bare(value)}


def _bare(value: Any) -> Any:
    """Plain data as JSON has it: moments as text, whole numbers without a decimal point."""
    if isinstance(value, dict):
        return {key: _bare(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [_bare(inside) for inside in value]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _row(row: Row) -> dict[str, Any]:
    shown = _values(row.columns)
    if row.subtable_id is not None:
        shown["idsubdatatable"] = row.subtable_id
    shown.update(row.metadata)
    if row.subtable is not None:
        shown["subtable"] = [_row(below) for below in row.subtable]
    return shown


def _values(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns, whole numbers without a decimal point."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in columns.items()
    }
