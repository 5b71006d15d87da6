"""Traps among the packages that we stand on, each measured once (docs/architecture.md)."""

from importlib.metadata import version
from pathlib import Path

import mysql.connector
import pytest
import redis.utils

ROOT = Path(__file__).resolve().parent.parent.parent
PINS = [
    line.split("#")[0].strip().split("==")
    for name in ("requirements.txt", "requirements-dev.txt")
    for line in (ROOT / name).read_text().splitlines()
    if line.strip() and not line.startswith("#")
]


def test_mysql_connector_uses_its_c_extension() -> None:
    """Without it a batch takes three times the processor time, and nothing says so."""
    assert mysql.connector.HAVE_CEXT


def test_redis_uses_its_c_parser() -> None:
    assert redis.utils.HIREDIS_AVAILABLE


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin[0])
def test_what_is_installed_is_what_is_pinned(pin: list[str]) -> None:
    name, pinned = pin
    assert version(name) == pinned
