"""Log lines: for people and for programs, and never with a secret in them."""

import json
import logging
import shlex
import sys

import pytest

from footfall import log
from footfall.errors import ConfigurationError

SECRET = "0123456789abcdef0123456789abcdef"


def line(log_format: str, message: str, *arguments: object, **fields: object) -> str:
    """One event as it is written."""
    record = logging.LogRecord(
        "footfall.load", logging.INFO, __file__, 1, message, arguments, sys.exc_info() if sys.exception() else None
    )
    record.created = 1_785_000_000.25
    record.__dict__.update(log.fields(**fields))
    return log.formatter(log_format).format(record)


def test_a_line_for_people_ends_with_its_fields() -> None:
    text = line("text", "Loaded %d visits", 3, shard="16-03", steps={"parse": 0.041}, segment="a b", nothing=None)
    assert text.endswith('INFO footfall.load: Loaded 3 visits shard=16-03 steps.parse=0.041 segment="a b"')


def test_a_logfmt_line_is_pairs_alone() -> None:
    text = line("logfmt", 'Loaded "3"', shard="16-03", steps={"parse": 0.041}, segment="")
    assert dict(part.split("=", 1) for part in shlex.split(text)) == {
        "time": "2026-07-25T17:20:00.250Z",
        "level": "info",
        "logger": "footfall.load",
        "message": 'Loaded "3"',
        "shard": "16-03",
        "steps.parse": "0.041",
        "segment": "",
    }


def test_a_json_line_is_an_object() -> None:
    assert json.loads(line("json", "Loaded %d", 3, shard="16-03", steps={"parse": 0.041})) == {
        "time": "2026-07-25T17:20:00.250Z",
        "level": "info",
        "logger": "footfall.load",
        "message": "Loaded 3",
        "shard": "16-03",
        "steps": {"parse": 0.041},
    }


@pytest.mark.parametrize("log_format", ["text", "logfmt", "json"])
def test_what_is_quoted_cannot_begin_a_line_of_its_own(log_format: str) -> None:
    text = line(log_format, "Refused %s", "x\n2026-08-20 ERROR forged", site="1\n2")
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
def test_a_traceback_is_within_the_line(log_format: str) -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        text = line(log_format, "It failed")
    assert len(text.splitlines()) == 1
    assert "traceback" in text and "ValueError: odd" in text


@pytest.mark.parametrize("log_format", ["text", "logfmt", "json"])
@pytest.mark.parametrize(
    "text",
    [
        "GET /index.php?module=API&token_auth={}&idSite=1",
        "GET /index.php?module=API&TOKEN_AUTH[]={}&idSite=1",
        "url=https%3A%2F%2Fa%2F%3Ftoken_auth%3D{}%26b",
        "url=https%253A%252F%252Fa%253Ftoken%255Fauth%253D{}",
        '{{"requests": [], "token_auth": "{}"}}',
        '{{\\"token_auth\\":\\"{}\\"}}',
        "{{'token_auth': '{}'}}",
        "TrackingRequest(bulk_token='', query=b'token_auth={}')",
        "Authorization: Bearer {}",
        "authorization: basic {}",
        "mysql://root:{}@127.0.0.1:3306/footfall",
        "redis://:{}@127.0.0.1/0",
        "password={}",
        "SECRET_KEY={}",
    ],
)
def test_a_secret_is_blanked_out_wherever_it_stands(log_format: str, text: str) -> None:
    text = text.format(SECRET)
    try:
        raise ValueError(text)
    except ValueError:
        written = line(log_format, "It failed: %s", text, request=text, nested={"query": text})
    assert SECRET not in written
    assert "***" in written


def test_another_format_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="LOG_FORMAT must be one of text, logfmt, json, not 'xml'"):
        log.configure("INFO", "xml")
