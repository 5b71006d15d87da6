"""CSV and TSV: one line of values for each row, under a line of their names.

Answers by site or date are one table, with the site or date in the first column. What is shown beside the numbers is in
columns `metadata_…`, and an array in a column for each of its members. Rows below others are not written.

As the reference writes them (conformance `shapes`), the lines of one site or date end with the columns known by then,
and in an answer by site and date the lines of every site but the first have an empty cell before their values.
"""

import csv
import io
from codecs import BOM_UTF16_LE
from collections.abc import Iterator
from html import escape
from typing import Any

from footfall.archiving.datatable import Row
from footfall.reports.answer import Answer, Keyed, Numbers, Table
from footfall.reports.formats.values import inside, shown, single

Line = dict[str, Any]

# What a spreadsheet would compute instead of show.
_FORMULA = ("=", "+", "-", "@")


class SeparatedFormat:
    """The formats `CSV` and `TSV`.

    Args:
        separator: between the values.
        unicode: whether it is UTF-16, which spreadsheet programs recognise; otherwise UTF-8.
    """

    content_type = "application/vnd.ms-excel"
    error_content_type = "text/html; charset=utf-8"

    def __init__(self, separator: str, *, unicode: bool) -> None:
        self._separator = separator
        self._unicode = unicode

    def render(self, answer: Answer) -> bytes:
        names: list[str] = []
        lines = _rendered(answer, names)
        out = io.StringIO()
        if lines:
            writer = csv.writer(out, delimiter=self._separator, lineterminator="\n")
            writer.writerow(names)
            writer.writerows(lines)
        text = out.getvalue().rstrip("\n") or "No data available"
        return BOM_UTF16_LE + text.encode("utf-16-le", "replace") if self._unicode else text.encode("utf-8", "replace")

    def render_error(self, message: str) -> bytes:
        # As HTML, which the reference calls it: what was asked for may be in the message.
        return f"Error: {escape(message).replace('&#x27;', '&#039;')}".encode("utf-8", "replace")


def _rendered(answer: Answer, names: list[str]) -> list[list[Any]]:
    """The lines of an answer; the names of columns not seen before are added to `names`."""
    if isinstance(answer, Keyed):
        lines = [[key, *line] for key, one in answer.answers.items() for line in _rendered(one, names)]
        if answer.key not in names:
            names.insert(0, answer.key)
        return lines
    rows = list(_lines(answer))
    names += dict.fromkeys(name for row in rows for name in row if name not in names)
    return [[_cell(row.get(name)) for name in names] for row in rows]


def _lines(answer: Answer) -> Iterator[Line]:
    value = single(answer)
    if value is not None:
        yield {"value": value[0]}
    elif isinstance(answer, Table):
        yield from map(_row, answer.table)
    elif isinstance(answer, Numbers):
        yield _flat(shown(answer.columns))
    else:
        said = inside(answer)
        for one in said if isinstance(said, list) else [said]:
            yield _flat(one if isinstance(one, dict) else {"value": one})


def _row(row: Row) -> Line:
    beside = {f"metadata_{name}": value for name, value in shown(row.metadata).items()}
    return _flat(shown(row.columns)) | _flat(beside)


def _flat(values: dict[str, Any], above: str = "") -> Line:
    flat: Line = {}
    for name, value in values.items():
        if isinstance(value, list):
            value = dict(enumerate(value))
        if isinstance(value, dict):
            flat |= _flat(value, f"{above}{name}_")
        else:
            flat[f"{above}{name}"] = value
    return flat


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
