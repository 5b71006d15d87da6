"""Logging: one line per event on standard error, what it is about as fields, no secrets.

An event's fields come beside its sentence: `log.info("Loaded …", extra=fields(shard="16-03", requests=1000))`. A field
may hold fields itself. LOG_FORMAT says how a line is written:

    text     2026-08-20 12:00:00,123 INFO footfall.load: Loaded … shard=16-03 requests=1000 steps.parse=0.041
    logfmt   time=2026-08-20T12:00:00.123Z level=info logger=footfall.load message="Loaded …" shard=16-03 …
    json     {"time": "2026-08-20T12:00:00.123Z", "level": "info", …, "shard": "16-03", "steps": {"parse": 0.041}}
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from footfall.errors import ConfigurationError

# A token or password in a URL, also one encoded within another URL, in JSON, in a repr, and in a header.
_SECRETS = (
    re.compile(
        r"((?:token(?:_|%5F|%255F)auth|access_token|password\w*|secret_key)(?:\[\])?"
        r"\\*[\"']?\s*(?:[=:]|%3D|%253D|%3A)\s*\\*[\"']?)([^&\s\"'\\,;}]+)",
        re.IGNORECASE,
    ),
    re.compile(r"(\b(?:bearer|basic)\s+)([\w.~+/=-]+)", re.IGNORECASE),
    re.compile(r"(\b[a-z][a-z0-9+]*://[^\s:/@]*:)([^\s/@]+)(?=@)", re.IGNORECASE),
)
_PLAIN = re.compile(r"[^\s=\"\\]+")


def fields(**values: Any) -> dict[str, Any]:
    """What an event is about, for `extra=` of a call that logs it; None leaves a field out."""
    return {"fields": {name: value for name, value in values.items() if value is not None}}


def without_secrets(text: str) -> str:
    """The text with `***` in place of tokens and passwords that found their way into it (a logged URL, say)."""
    for secret in _SECRETS:
        text = secret.sub(r"\1***", text)
    return text


def sentence(record: logging.LogRecord) -> str:
    """What a line says, and its fields, on one line; without time, level and name, and with its secrets."""
    # Whoever is quoted in a line cannot begin another.
    return " ".join((record.getMessage().replace("\n", "\\n"), *_pairs(_fields_of(record))))


class TextFormatter(logging.Formatter):
    """For people: the fields come last."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without a traceback."""
        record.message = sentence(record)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """The line, and a traceback below it."""
        return without_secrets(super().format(record))


class LogfmtFormatter(logging.Formatter):
    """For programs, one line per event: `name=value` pairs."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback is its field `traceback`."""
        return " ".join(_pairs(_document(self, record)))


class JsonFormatter(logging.Formatter):
    """For programs, one line per event: a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback is its field `traceback`."""
        return json.dumps(_document(self, record), default=str, ensure_ascii=False)


_FORMATTERS = {"text": TextFormatter, "logfmt": LogfmtFormatter, "json": JsonFormatter}


def formatter(log_format: str) -> logging.Formatter:
    """The formatter of a LOG_FORMAT.

    Raises:
        ConfigurationError: there is none of this name.
    """
    if log_format not in _FORMATTERS:
        raise ConfigurationError(f"LOG_FORMAT must be one of {', '.join(_FORMATTERS)}, not {log_format!r}.")
    return _FORMATTERS[log_format]()


def configure(level: str = "INFO", log_format: str = "text") -> None:
    """Send every log line of this process to standard error.

    Args:
        level: the least severe level that is shown (DEBUG, INFO, WARNING, ERROR).
        log_format: `text`, `logfmt` or `json`.

    Raises:
        ConfigurationError: there is no such format.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _fields_of(record: logging.LogRecord) -> Mapping[str, Any]:
    cleaned: Mapping[str, Any] = _clean(getattr(record, "fields", {}))
    return cleaned


def _document(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, Any]:
    """Everything that a line for programs says, without secrets."""
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    document = {
        "time": moment.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": without_secrets(record.getMessage()),
        **_fields_of(record),
    }
    if record.exc_info and record.exc_info[0]:
        document["traceback"] = without_secrets(formatter.formatException(record.exc_info))
    return document


def _clean(value: Any) -> Any:
    """A field without secrets: text stays text, numbers stay numbers."""
    if isinstance(value, Mapping):
        return {name: _clean(inner) for name, inner in value.items()}
    return value if isinstance(value, int | float) else without_secrets(str(value))


def _pairs(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """`name=value` of each field, `outer.inner=value` of those within one."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{prefix}{name}.")
        else:
            text = str(value)
            yield f"{prefix}{name}={text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)}"
