"""What formats have in common: answers as plain data, and how single values are written."""

from datetime import datetime
from typing import Any

from footfall.archiving.datatable import Row
from footfall.reports.answer import Answer, Keyed, Numbers, Plain, Table

OK = {"result": "success", "message": "ok"}


def single(answer: Answer) -> Any:
    """The value of an answer that is one value and nothing else, as a list of one; None for other answers.

    A row of one number is one: VisitsSummary.getVisits, or a report reduced to one column (conformance `shapes`).
    """
    if isinstance(answer, Numbers) and len(answer.columns) == 1:
        return [shown(value) for value in answer.columns.values()]
    if isinstance(answer, Plain) and answer.value is not None and not isinstance(answer.value, list | dict):
        return [shown(answer.value)]
    return None


def plain(answer: Answer) -> Any:
    """The answer as lists, dictionaries and single values, as JSON shows it."""
    value = single(answer)
    return {"value": value[0]} if value is not None else inside(answer)


def inside(answer: Answer) -> Any:
    """The same for an answer by site or date, where a single value stands alone."""
    value = single(answer)
    if value is not None:
        return value[0]
    if isinstance(answer, Keyed):
        return {key: inside(one) for key, one in answer.answers.items()}
    if isinstance(answer, Table):
        return [row_values(row) for row in answer.table]
    if isinstance(answer, Numbers):
        return shown(answer.columns)
    return OK if answer.value is None else shown(answer.value)


def row_values(row: Row) -> dict[str, Any]:
    """The columns of a row, what is shown beside them, and the rows below."""
    values: dict[str, Any] = shown(row.columns)
    if row.subtable_id is not None:
        values["idsubdatatable"] = row.subtable_id
    values.update(shown(row.metadata))
    if row.subtable is not None:
        values["subtable"] = [row_values(below) for below in row.subtable]
    return values


def shown(value: Any) -> Any:
    """Plain data as every format has it: moments as text, whole numbers without a decimal point."""
    if isinstance(value, dict):
        return {key: shown(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [shown(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else value
