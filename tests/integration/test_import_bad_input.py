"""Logs as they should not be: what can be read is loaded, nothing twice, and a sentence says what is wrong."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import recorded_tracking
from click.testing import Result
from imports import imported, line, pages, record_all, recorded, settled

from footfall.database import Database
from footfall.settings import Settings

Run = Callable[..., Result]
LINES = [line(f"/{n}", n) for n in range(3_000)]


@pytest.fixture(autouse=True)
def sites(database: Database) -> None:
    recorded_tracking.put_sites(database)


def test_a_gzip_that_is_cut_off_gives_what_it_has_and_the_rest_once_it_is_whole(
    run_command: Run, tmp_path: Path, settings: Settings, database: Database
) -> None:
    whole = gzip.compress("".join(LINES).encode())
    path = tmp_path / "access.log.gz"
    path.write_bytes(whole[: len(whole) // 2])
    first = run_command(f"footfall import --site 1 --json {settled(path)}")
    assert first.exit_code == 1
    assert "access.log.gz cannot be read to its end: it is cut off" in first.stderr
    assert 0 < json.loads(first.stdout)["imported"] < len(LINES)
    path.write_bytes(whole)
    assert run_command(f"footfall import --site 1 {settled(path)}").exit_code == 0
    record_all(settings)
    assert sorted(pages(database)) == sorted(f"shop.example.com/{n}" for n in range(len(LINES)))


def test_wrong_bytes_in_a_gzip_end_it_there(run_command: Run, tmp_path: Path) -> None:
    data = bytearray(gzip.compress("".join(LINES).encode()))
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path = tmp_path / "access.log.gz"
    path.write_bytes(data)
    done = run_command(f"footfall import --site 1 --json {settled(path)}")
    assert done.exit_code == 1
    assert "cannot be read to its end" in done.stderr
    assert json.loads(done.stdout)["imported"] > 0


def test_a_file_that_is_no_log_is_refused_and_nothing_of_the_others_imported(
    run_command: Run, tmp_path: Path, database: Database
) -> None:
    log, image = tmp_path / "access.log", tmp_path / "image.log"
    log.write_text(LINES[0])
    image.write_bytes(Random(1).randbytes(100_000))
    done = run_command(f"footfall import --site 1 {settled(log)} {settled(image)}")
    assert done.exit_code == 1
    assert "image.log cannot be read: its format is none of those that are known" in done.stderr
    assert database.query("SELECT COUNT(*) FROM footfall_import") == [(0,)]


def test_garbage_between_lines_is_counted_and_shown_without_control_characters(
    run_command: Run, tmp_path: Path
) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(LINES[0].encode() + b"\x00\x1b[2J\xff\xfe garbage\n\n" + LINES[1].encode())
    done = run_command(f"footfall import --site 1 --json {settled(path)}")
    found = json.loads(done.stdout)
    assert (found["imported"], found["invalid"]) == (2, 1)
    assert found["invalid_samples"][0].endswith("\ufffd\ufffd[2J\ufffd\ufffd garbage")


def test_a_line_of_a_megabyte_is_passed_over(run_command: Run, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(LINES[0] + line("/" + "x" * 1_000_000) + LINES[1] + "y" * 3_000_000 + "\n" + LINES[2])
    found = json.loads(run_command(f"footfall import --site 1 --json {settled(path)}").stdout)
    assert (found["imported"], found["invalid"]) == (3, 2)
    assert "line 2: it has more than 64 KiB" in found["invalid_samples"][0]


def test_a_log_whose_format_changes_on_the_way_is_read_to_its_end(
    run_command: Run, tmp_path: Path, settings: Settings, database: Database
) -> None:
    path = tmp_path / "access.log"
    common = '198.51.100.7 - - [12/Aug/2026:06:00:09 +0000] "GET /common HTTP/1.1" 200 5\n'
    as_json = '{"ip": "198.51.100.7", "path": "/json", "status": "200", "date": "2026-08-12T06:00:11+00:00"}\n'
    path.write_text("".join([*LINES[:9], common, line("/host", 10, host="shop.example.com"), as_json, LINES[20]]))
    found = json.loads(run_command(f"footfall import --site 1 --json {settled(path)}").stdout)
    assert (found["imported"], found["invalid"]) == (13, 0)
    record_all(settings)
    assert {f"shop.example.com/{name}" for name in ("common", "host", "json", "20")} <= set(pages(database))


def test_lines_out_of_order_are_recorded_with_their_own_times(
    run_command: Run, tmp_path: Path, settings: Settings, database: Database
) -> None:
    path = tmp_path / "access.log"
    path.write_text("".join(LINES[n] for n in (5, 1, 9, 0, 3)))
    assert run_command(f"footfall import --site 1 {settled(path)}").exit_code == 0
    rows = recorded(settings, database)["log_link_visit_action"]
    assert sorted(row["server_time"] for row in rows) == [f"2026-08-12 06:00:0{n}" for n in (0, 1, 3, 5, 9)]


def test_times_that_cannot_be_are_invalid(run_command: Run, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    wrong = [LINES[0].replace("12/Aug/2026", text) for text in ("32/Aug/2026", "12/Foo/2026", "12/Aug/2096", "x")]
    path.write_text("".join([LINES[0], *wrong, LINES[1]]))
    found = json.loads(run_command(f"footfall import --site 1 --json {settled(path)}").stdout)
    assert (found["imported"], found["invalid"]) == (2, 4)


def test_of_a_file_that_grows_while_it_is_read_the_unfinished_line_is_left_for_the_next_run(
    run_command: Run, tmp_path: Path, settings: Settings, database: Database
) -> None:
    path = tmp_path / "access.log"
    path.write_text(LINES[0] + LINES[1][:-20])
    done = run_command(f"footfall import --site 1 {path}")
    assert "1 imported" in done.stdout
    assert "has no end yet" in done.stdout
    with path.open("a") as file:
        file.write(LINES[1][-20:] + LINES[2])
    assert "2 imported" in run_command(f"footfall import --site 1 {path}").stdout
    record_all(settings)
    assert pages(database) == [f"shop.example.com/{n}" for n in range(3)]


def test_a_last_line_without_an_end_is_taken_once_nobody_writes_any_more(run_command: Run, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(LINES[0] + LINES[1].rstrip("\n"))
    assert "2 imported" in run_command(f"footfall import --site 1 {settled(path)}").stdout


def test_a_log_without_a_line_is_named_and_remembered_by_nothing(
    run_command: Run, tmp_path: Path, database: Database
) -> None:
    empty, header = tmp_path / "empty.log", tmp_path / "header.log"
    empty.touch()
    header.write_text("#Version: 1.0\n#Fields: date time c-ip cs-uri-stem sc-status\n")
    done = run_command(f"footfall import --site 1 {empty} {header}")
    assert done.exit_code == 0
    assert "empty.log has no lines" in done.stdout
    assert "header.log has no lines" in done.stdout
    assert database.query("SELECT COUNT(*) FROM footfall_import_log") == [(0,)]


def test_when_the_databases_disk_is_full_the_import_ends_and_goes_on_later(
    run_command: Run, tmp_path: Path, settings: Settings, database: Database
) -> None:
    """What an import writes to a disk is its ledger, in the database; the trigger answers as a server without room."""
    path = tmp_path / "access.log"
    path.write_text("".join(LINES))
    database.execute(
        "CREATE TRIGGER full BEFORE UPDATE ON footfall_import FOR EACH ROW "
        "BEGIN IF NEW.sequence > 1 THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1021, MESSAGE_TEXT = 'Disk full'; "
        "END IF; END"
    )
    try:
        done = run_command(f"footfall import --site 1 {settled(path)}")
    finally:
        database.execute("DROP TRIGGER full")
    assert done.exit_code == 1
    assert "Disk full" in done.stderr
    assert run_command(f"footfall import --site 1 {path}").exit_code == 0
    record_all(settings)
    assert sorted(pages(database)) == sorted(f"shop.example.com/{n}" for n in range(len(LINES)))


def test_while_the_queue_is_away_for_moments_each_line_is_queued_once(
    tmp_path: Path, settings: Settings, database: Database
) -> None:
    path = tmp_path / "access.log"
    path.write_text("".join(LINES[:12]))
    assert imported(settings, settled(path), flaky=True)
    record_all(settings)
    assert sorted(pages(database)) == sorted(f"shop.example.com/{n}" for n in range(12))


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        ("--site 99 {log}", 1, "There is no site 99"),
        ("--site 1 nowhere.log", 1, "There is no file nowhere.log"),
        ("--site 1 --log-format '%h %u' {log}", 1, "says nothing about the time"),
        ("--site 1 --exclude-path-regex '(' {log}", 1, "is no regular expression"),
        ("--site 1 --field ip=nothing {log}", 1, "a field is one of"),
        ("--site 1 --timezone Mars/Crater {log}", 2, "no timezone"),
        ("--site 1 --follow --archive {log}", 2, "--follow never ends"),
        ("--site 1 --follow mysql://root@127.0.0.1/log?table=a", 2, "A table is not followed"),
        ("", 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    arguments: str, status: int, complaint: str, run_command: Run, tmp_path: Path
) -> None:
    path = tmp_path / "access.log"
    path.write_text(LINES[0])
    done = run_command(f"footfall import {arguments.format(log=settled(path))}")
    assert (done.exit_code, complaint in done.stderr) == (status, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_may_not_be_read_is_named(run_command: Run, tmp_path: Path) -> None:
    loop = tmp_path / "loop.log"
    os.mkfifo(loop)
    done = run_command(f"footfall import --site 1 {loop}")
    assert done.exit_code == 1
    assert "There is no file" in done.stderr
