"""`footfall import` on logs of every format: the rows are those that the reference's importer made of them."""

import gzip
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import recorded_tracking
from click.testing import Result
from imports import record_all

from footfall.database import Database
from footfall.settings import Settings

LOGS = Path(__file__).resolve().parent.parent / "conformance" / "import"
NAMES = sorted(path.name.removesuffix(".expected.jsonl.gz") for path in LOGS.glob("*.expected.jsonl.gz"))


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_those_of_the_reference(
    name: str, settings: Settings, database: Database, run_command: Callable[..., Result]
) -> None:
    with gzip.open(LOGS / f"{name}.expected.jsonl.gz", "rt", encoding="utf-8") as file:
        expected = json.loads(file.readline())
    recorded_tracking.put_sites(database)
    log = LOGS / f"{expected['file']}.gz"
    # One shard: rows are compared in the order of the log.
    done = run_command(f"footfall import --site 1 --json {shlex.join(expected['options'])} {log}", QUEUE_SHARDS="1")
    assert done.exit_code == 0, done.stderr
    record_all(settings)
    assert recorded_tracking.differences(expected["expect"], recorded_tracking.rows_after(database, 0)) == []
    imported = int(expected["summary"][0].split()[0])
    assert json.loads(done.stdout)["imported"] == imported
