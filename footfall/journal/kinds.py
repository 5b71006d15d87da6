"""What can be written down, and the table that each kind goes to: Matomo's `logger_message`, and the older ones of the
documents."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from footfall.errors import ConfigurationError


class Kind(StrEnum):
    """The words of LOG_TO_DATABASE."""

    ERRORS = "errors"
    """Log lines of level WARNING and above."""

    MESSAGES = "messages"
    """All log lines."""

    EXCEPTIONS = "exceptions"
    """Exceptions that were logged, with their tracebacks."""

    API_CALLS = "api_calls"
    """Calls of the API: parameters, duration, the caller's address."""


@dataclass(frozen=True)
class Table:
    """A table of the journal.

    Args:
        name: without the prefix.
        number: its primary key, which counts up.
        columns: what an entry has values for.
    """

    name: str
    number: str
    columns: tuple[str, ...]


_PLACE = ("timestamp", "message", "errno", "errline", "errfile", "backtrace")

TABLES = {
    Kind.ERRORS: Table("logger_error", "idlogger_error", _PLACE),
    Kind.MESSAGES: Table("logger_message", "idlogger_message", ("tag", "timestamp", "level", "message")),
    Kind.EXCEPTIONS: Table("logger_exception", "idlogger_exception", _PLACE),
    Kind.API_CALLS: Table(
        "logger_api_call",
        "idlogger_api_call",
        (
            *("class_name", "method_name", "parameter_names_default_values", "parameter_values", "execution_time"),
            *("caller_ip", "timestamp", "returned_value"),
        ),
    ),
}


@dataclass(frozen=True)
class Entry:
    """A row of the journal.

    Args:
        values: of the columns of its kind's table.
    """

    kind: Kind
    values: tuple[Any, ...]

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return 200 + sum(len(value) for value in self.values if isinstance(value, str | bytes))


def wanted_kinds(setting: str) -> frozenset[Kind]:
    """The kinds that LOG_TO_DATABASE names, commas between.

    Raises:
        ConfigurationError: it names something else.
    """
    words = [word.strip().lower() for word in setting.split(",") if word.strip()]
    for word in words:
        if word not in set(Kind):
            raise ConfigurationError(
                f"LOG_TO_DATABASE must be a list of {', '.join(Kind)}, and {word!r} is none of them."
            )
    return frozenset(Kind(word) for word in words)
