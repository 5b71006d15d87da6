"""XML: a row of numbers is an element for each number, a table an element `row` for each row, answers by site or date
elements `result` with the site or date as an attribute."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from footfall.reports.answer import Answer, Keyed, Table
from footfall.reports.formats.values import inside, row_values, single

_HEAD = '<?xml version="1.0" encoding="utf-8" ?>\n'
_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
# Characters that XML cannot hold in any form.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTITIES = {'"': "&quot;", "'": "&#039;"}


class XmlFormat:
    """The format `XML`."""

    content_type = "text/xml; charset=utf-8"
    error_content_type = content_type

    def render(self, answer: Answer) -> bytes:
        return _document(_answer(answer, "", 0))

    def render_error(self, message: str) -> bytes:
        return _document(["<result>", f"\t<error message={quoteattr(_text(message))} />", "</result>"])


def _document(lines: Iterable[str]) -> bytes:
    return (_HEAD + "\n".join(lines)).encode("utf-8", "replace")


def _answer(answer: Answer, attribute: str, depth: int) -> Iterator[str]:
    tag = f"result{attribute}"
    value = single(answer)
    if value is not None:
        yield from _element(tag, value[0], depth)
    elif isinstance(answer, Keyed):
        name = tag if attribute else "results"
        inner = [
            line
            for key, one in answer.answers.items()
            for line in _answer(one, f" {answer.key}={quoteattr(key)}", depth + 1)
        ]
        yield from _wrapped(name, inner, depth)
    elif isinstance(answer, Table):
        rows = [line for row in answer.table for line in _element("row", row_values(row), depth + 1)]
        yield from _wrapped(tag, rows, depth)
    else:
        said = inside(answer)
        if said == {"result": "success", "message": "ok"}:
            yield from _wrapped(tag, [_indented(depth + 1, '<success message="ok" />')], depth)
        else:
            yield from _element(tag, said, depth)


def _element(tag: str, value: Any, depth: int) -> Iterator[str]:
    """An element with a single value, or with elements for the members of a dictionary or list."""
    if isinstance(value, dict):
        inner = [line for key, one in value.items() for line in _element(_tag(str(key)), one, depth + 1)]
        yield from _wrapped(tag, inner, depth)
    elif isinstance(value, list):
        yield from _wrapped(tag, [line for one in value for line in _element("row", one, depth + 1)], depth)
    elif value is None or value == "":
        yield _indented(depth, f"<{tag} />")
    else:
        yield _indented(depth, f"<{tag}>{escape(_text(value), _ENTITIES)}</{tag.partition(' ')[0]}>")


def _wrapped(tag: str, inner: list[str], depth: int) -> Iterator[str]:
    if not inner:
        yield _indented(depth, f"<{tag} />")
        return
    yield _indented(depth, f"<{tag}>")
    yield from inner
    yield _indented(depth, f"</{tag.partition(' ')[0]}>")


def _tag(key: str) -> str:
    """The element of a member: `revenue`, `row idgoal='3'` for `idgoal=3`, `row key="0"` for what names none."""
    if _NAME.fullmatch(key):
        return key
    name, _, value = key.partition("=")
    if value and _NAME.fullmatch(name):
        return f"row {name}={quoteattr(_text(value))}"
    return f"row key={quoteattr(_text(key))}" if key.isdigit() else f"col name={quoteattr(_text(key))}"


def _indented(depth: int, line: str) -> str:
    return "\t" * depth + line


def _text(value: Any) -> str:
    return _FORBIDDEN.sub("", str(int(value) if isinstance(value, bool) else value))
