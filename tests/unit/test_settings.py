"""Settings: read from the environment and the env file, each one a row of docs/settings.md."""

from dataclasses import fields
from pathlib import Path

import pytest

from footfall import settings
from footfall.errors import ConfigurationError
from footfall.settings import Settings, load, read

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "settings.md"


def documented_rows() -> list[str]:
    return [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]


def expected_rows() -> list[str]:
    rows = []
    for row in fields(Settings):
        default = f"`{row.default}`" if row.default != "" else "(empty)"
        rows.append(f"| `{row.name.upper()}` | {default} | {row.metadata['help']} |")
    return rows


def test_the_document_has_one_row_for_each_setting_with_its_default_and_help() -> None:
    """Copy the expected row into docs/settings.md when this fails."""
    assert documented_rows() == expected_rows()


def test_a_value_comes_from_the_variable_of_its_name() -> None:
    assert read({"QUEUE_SHARDS": "4", "TABLE_PREFIX": "matomo_"}).queue_shards == 4
    assert read({"QUEUE_SHARDS": "4", "TABLE_PREFIX": "matomo_"}).table_prefix == "matomo_"


def test_a_variable_that_is_not_set_leaves_the_default() -> None:
    assert read({"UNKNOWN": "1", "QUEUE_SHARDS": None}) == Settings()


@pytest.mark.parametrize("text", ["many", "", "1.5", "1e3"])
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match="QUEUE_SHARDS must be a whole number"):
        read({"QUEUE_SHARDS": text})


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="MAX_BODY_BYTES must not be negative"):
        read({"MAX_BODY_BYTES": "-1"})


def test_the_environment_goes_before_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "env"
    file.write_text("QUEUE_SHARDS=3\nWORKERS=5\n")
    for name in settings.setting_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FOOTFALL_ENV", str(file))
    monkeypatch.setenv("WORKERS", "7")
    load.cache_clear()
    try:
        assert (load().queue_shards, load().workers) == (3, 7)
    finally:
        load.cache_clear()
