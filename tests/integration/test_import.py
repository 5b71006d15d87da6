"""`footfall import` as a person runs it."""

import bz2
import gzip
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import recorded_tracking
import redis
from backports import zstd
from click.testing import Result
from imports import FIREFOX, GOOGLEBOT, line, pages, record_all, settled
from queues import queue_on
from stack import BIN, pending, process, wait_for

from footfall.database import Database
from footfall.queue.layouts import all_shards
from footfall.queue.redis import keys
from footfall.settings import Settings

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def sites(database: Database) -> None:
    recorded_tracking.put_sites(database)


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Path]:
    """Writes a log of these lines, or adds them to one."""

    def write(*lines: str, name: str = "access.log") -> Path:
        path = tmp_path / name
        with path.open("a") as file:
            file.writelines(lines)
        return settled(path)

    return write


def summary(done: Result) -> Any:
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def waiting(client: redis.Redis) -> int:
    return sum(queue_on(client).depths(all_shards(queue_on(client))).values())


# What is imported


def test_lines_have_their_own_time_and_address(
    run_command: Run, log: Callable[..., Path], settings: Settings, database: Database
) -> None:
    path = log(line("/a", 10, address="192.0.2.9"), line("/b", 70, address="2001:db8::1"))
    assert summary(run_command(f"footfall import --site 1 --json {path}"))["imported"] == 2
    record_all(settings)
    rows = recorded_tracking.rows_after(database, 0)["log_visit"]
    assert sorted((row["visit_first_action_time"], row["location_ip"]) for row in rows) == [
        ("2026-08-12 06:00:10", "192.0.2.9"),
        ("2026-08-12 06:01:10", "2001:db8::1"),
    ]


def test_lines_go_to_the_site_whose_address_has_their_host(run_command: Run, log: Callable[..., Path]) -> None:
    path = log(
        line("/page", 1, host="shop.example.com"),
        line("/page", 2, host="www.shop.example.com:443"),
        line("/page", 3, host="WWW.blog.example.org"),
        line("/manual/page", 4, host="docs.example.io"),
        line("/manually", 5, host="docs.example.io"),  # the site begins at /manual
        line("/", 6, host="nobody.example"),
    )
    found = summary(run_command(f"footfall import --json {path}"))
    assert {site: sum(days.values()) for site, days in found["sites"].items()} == {"1": 2, "2": 1, "3": 1}
    assert found["ignored"] == {"without a site": 2}
    assert found["unknown_hosts"] == {"docs.example.io": 1, "nobody.example": 1}


def test_sites_are_created_for_hosts_that_have_none_when_asked_for(
    run_command: Run, log: Callable[..., Path], database: Database
) -> None:
    path = log(line("/", 1, host="new.example.org"), line("/", 2, host="new.example.org"), line("/", 3, host="_"))
    found = summary(run_command(f"footfall import --create-sites --json {path}"))
    ((idsite, name, url),) = database.query("SELECT idsite, name, main_url FROM site WHERE name LIKE 'new%'")
    assert (name, url) == ("new.example.org", "http://new.example.org")
    assert found["sites"][str(idsite)] == {"2026-08-12": 2}
    assert found["ignored"] == {"without a site": 1}


def test_a_trial_says_what_would_be_imported_and_does_nothing(
    run_command: Run, log: Callable[..., Path], redis_client: redis.Redis, database: Database
) -> None:
    path = log(line("/a"), line("/b", agent=GOOGLEBOT), line("/c.png"), line("/d", status=404), line("/e.pdf"), "?\n")
    found = summary(run_command(f"footfall import --site 1 --dry-run --json {path}"))
    assert (found["lines"], found["imported"], found["downloads"], found["invalid"]) == (6, 2, 1, 1)
    assert sum(found["ignored"].values()) == 3
    assert waiting(redis_client) == 0
    assert database.query("SELECT COUNT(*) FROM footfall_import_log") == [(0,)]
    assert summary(run_command(f"footfall import --site 1 --json {path}"))["imported"] == 2


def test_the_summary_names_reasons_days_and_the_first_invalid_lines(run_command: Run, log: Callable[..., Path]) -> None:
    path = log(line("/a"), line("/b", 86_400), "what is this\n", line("/c", agent=GOOGLEBOT))
    shown = run_command(f"footfall import --site 1 {path}").stdout
    assert "2 imported" in shown
    assert "1 bots and programs" in shown
    assert f"{path}, line 3: " in shown
    assert "what is this" in shown
    assert "2026-08-12" in shown
    assert "2026-08-13" in shown


@pytest.mark.parametrize(
    ("ending", "compress"),
    [("gz", gzip.compress), ("bz2", bz2.compress), ("zst", zstd.compress), ("txt", lambda data: data)],
)
def test_logs_may_be_compressed(
    ending: str, compress: Callable[[bytes], bytes], run_command: Run, tmp_path: Path
) -> None:
    path = tmp_path / f"log.{ending}"
    path.write_bytes(compress("".join(line(f"/{n}", n) for n in range(50)).encode()))
    assert summary(run_command(f"footfall import --site 1 --json {settled(path)}"))["imported"] == 50


def test_a_pattern_stands_for_files(run_command: Run, log: Callable[..., Path], tmp_path: Path) -> None:
    log(line("/a"), name="one.log")
    log(line("/b", 1), name="two.log")
    log(line("/c", 2), name="three.txt")
    assert summary(run_command(f"footfall import --site 1 --json '{tmp_path}/*.log'"))["imported"] == 2


def test_lines_are_read_from_standard_input_with_what_syslog_puts_before_them(
    environment: dict[str, str], settings: Settings, database: Database
) -> None:
    prefix = "Aug 12 06:00:01 web1 nginx[80]: "
    done = subprocess.run(
        [BIN / "footfall", "import", "--site", "1", "--json", "-"],
        input="".join(prefix + line(f"/{n}", n) for n in range(3)),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["imported"] == 3
    record_all(settings)
    assert len(pages(database)) == 3


def test_requests_of_a_trackers_log_become_those_requests_again(
    run_command: Run, log: Callable[..., Path], settings: Settings, database: Database
) -> None:
    query = (
        "idsite=1&rec=1&url=https%3A%2F%2Fshop.example.com%2Fx&_id=0123456789abcdef&action_name=A%20title&res=800x600"
    )
    path = log(
        line(f"/matomo.php?{query}", address="192.0.2.9", status=204),
        line("/piwik.php", status=204),  # its parameters were in the body
        line("/matomo.js"),
        line(f"/stats/matomo.php?{query.replace('idsite=1', 'idsite=2')}", agent=GOOGLEBOT),
    )
    found = summary(run_command(f"footfall import --replay-tracking --json {path}"))
    assert found["sites"] == {"1": {"2026-08-12": 1}, "2": {"2026-08-12": 1}}
    assert found["ignored"] == {"not tracking requests": 2}
    record_all(settings)
    (visit,) = recorded_tracking.rows_after(database, 0)["log_visit"]  # the tracker takes a bot for one
    assert visit["idvisitor"] == "0123456789abcdef"
    assert visit["config_resolution"] == "800x600"
    assert visit["location_ip"] == "192.0.2.9"
    assert visit["visit_first_action_time"] == "2026-08-12 06:00:00"
    assert visit["visit_entry_idaction_name"]["name"] == "A title"


def test_providers_are_not_looked_up_when_told_so(
    run_command: Run, log: Callable[..., Path], redis_client: redis.Redis
) -> None:
    run_command(f"footfall import --site 1 --no-provider {log(line('/'))}")
    (record,) = (
        record
        for shard in all_shards(queue_on(redis_client))
        for record in redis_client.lrange(keys.requests(shard), 0, -1)
    )
    assert b"&dp=1" in record


def test_the_days_touched_are_archived_in_the_end_when_asked_for(
    environment: dict[str, str], log: Callable[..., Path], database: Database, tmp_path: Path
) -> None:
    path = log(*(line(f"/{n}", n) for n in range(20)))
    with process(environment, tmp_path / "pool.log", "queue_workers", "run", "--workers", "1"):
        done = subprocess.run(
            [BIN / "footfall", "import", "--site", "1", "--archive", str(path)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    rows = database.query(
        "SELECT DISTINCT value FROM archive_numeric_2026_08 WHERE idsite = 1 AND period = 1 AND date1 = '2026-08-12' "
        "AND name = 'nb_actions'"
    )
    assert rows == [(20.0,)]


# Nothing twice, nothing left out


def test_a_log_that_was_loaded_is_refused_unless_told_to(run_command: Run, log: Callable[..., Path]) -> None:
    path = log(line("/a"), line("/b", 1))
    run_command(f"footfall import --site 1 {path}")
    refused = run_command(f"footfall import --site 1 {path}")
    assert refused.exit_code == 1
    assert "loaded completely before" in refused.stderr
    assert summary(run_command(f"footfall import --site 1 --again --json {path}"))["imported"] == 2
    assert run_command(f"footfall import --site 1 {path}").exit_code == 1


def test_two_copies_of_a_log_are_not_imported_together(
    run_command: Run, log: Callable[..., Path], tmp_path: Path
) -> None:
    path = log(line("/a"), line("/b", 1))
    copy = tmp_path / "copy.log.gz"
    copy.write_bytes(gzip.compress(path.read_bytes()))
    refused = run_command(f"footfall import --site 1 {path} {copy}")
    assert refused.exit_code == 1
    assert "it is the same log" in refused.stderr


def test_of_a_log_that_has_grown_the_new_lines_are_taken_whatever_it_is_called_by_then(
    run_command: Run, log: Callable[..., Path], tmp_path: Path
) -> None:
    path = log(line("/a"), line("/b", 1))
    run_command(f"footfall import --site 1 {path}")
    log(line("/c", 2))
    rotated = path.rename(tmp_path / "access.log.1")
    new = log(line("/d", 3))
    found = summary(run_command(f"footfall import --site 1 --json {rotated} {new}"))
    assert found["imported"] == 2
    (tmp_path / "access.log.1.gz").write_bytes(gzip.compress(rotated.read_bytes()))
    assert run_command(f"footfall import --site 1 {rotated}.gz").exit_code == 1


def test_a_w3c_log_goes_on_with_the_fields_that_its_beginning_named(run_command: Run, log: Callable[..., Path]) -> None:
    path = log(
        "#Software: Microsoft Internet Information Services 10.0\n",
        "#Fields: date time cs-uri-stem c-ip sc-status time-taken\n",
        "2026-08-12 06:00:00 /a 192.0.2.1 200 15\n",
        "#Fields: time date c-ip cs-uri-stem sc-status\n",
        "06:00:01 2026-08-12 192.0.2.1 /b 200\n",
    )
    assert summary(run_command(f"footfall import --site 1 --json {path}"))["imported"] == 2
    log("06:00:02 2026-08-12 192.0.2.1 /c 200\n")
    found = summary(run_command(f"footfall import --site 1 --json {path}"))
    assert (found["imported"], found["invalid"]) == (1, 0)


def test_an_import_that_is_killed_goes_on_where_it_was(
    environment: dict[str, str],
    log: Callable[..., Path],
    settings: Settings,
    database: Database,
    redis_client: redis.Redis,
    tmp_path: Path,
) -> None:
    """The lane has room for the first flush alone, so that each run is in the middle when it is killed."""
    path = log(*(line(f"/{n}", n, address=f"192.0.2.{n % 50}") for n in range(5_000)))
    command = ("footfall", "import", "--site", "1", str(path))
    limits = {"QUEUE_IMPORT_MAX_REQUESTS": "1000"}
    kills = 0
    while True:
        with process(environment | limits, tmp_path / "import.log", *command) as child:
            wait_for(lambda c=child: c.poll() is not None or waiting(redis_client) > 0, 20, "a flush, or the end")
            child.send_signal(signal.SIGKILL)
            ended = child.wait()
        record_all(settings)
        if ended != -signal.SIGKILL:
            break  # done, or killed the time before when all was done
        kills += 1
        assert kills < 20
    assert kills >= 2
    assert database.query("SELECT COUNT(*) FROM log_link_visit_action") == [(5_000,)]
    assert len(set(pages(database))) == 5_000
    assert pending(redis_client) == 0


def test_one_log_is_read_by_one_import_at_a_time(
    environment: dict[str, str], log: Callable[..., Path], redis_client: redis.Redis, run_command: Run, tmp_path: Path
) -> None:
    path = log(*(line(f"/{n}", n) for n in range(5_000)))
    limits = {"QUEUE_IMPORT_MAX_REQUESTS": "1000"}
    with process(environment | limits, tmp_path / "import.log", "footfall", "import", "--site", "1", str(path)):
        wait_for(lambda: waiting(redis_client) > 0, 20, "the import is in the middle")
        refused = run_command(f"footfall import --site 1 {path}")
    assert refused.exit_code == 1
    assert "by another process" in refused.stderr


def test_an_import_that_is_asked_to_end_says_that_it_can_go_on(
    environment: dict[str, str],
    log: Callable[..., Path],
    redis_client: redis.Redis,
    settings: Settings,
    database: Database,
    run_command: Run,
    tmp_path: Path,
) -> None:
    path = log(*(line(f"/{n}", n) for n in range(5_000)))
    limits = {"QUEUE_IMPORT_MAX_REQUESTS": "1000"}
    with process(
        environment | limits, tmp_path / "import.log", "footfall", "import", "--site", "1", str(path)
    ) as child:
        wait_for(lambda: waiting(redis_client) > 0, 20, "the import is in the middle")
        child.terminate()
        assert child.wait(20) == 1
    assert waiting(redis_client) == 2_000  # one flush: then the lane had no room
    assert "run the same command again" in (tmp_path / "import.log").read_text()
    assert summary(run_command(f"footfall import --site 1 --json {path}"))["resumed_requests"] == 0
    record_all(settings)
    assert database.query("SELECT COUNT(*) FROM log_link_visit_action") == [(5_000,)]


def test_a_log_is_followed_as_it_grows_and_through_its_rotation(
    environment: dict[str, str], log: Callable[..., Path], settings: Settings, database: Database, tmp_path: Path
) -> None:
    path = log(line("/a"))

    def arrived(count: int) -> None:
        def are_there() -> bool:
            record_all(settings)
            return len(pages(database)) == count

        wait_for(are_there, 20, f"{count} lines are imported")

    with process(
        environment, tmp_path / "import.log", "footfall", "import", "--site", "1", "--follow", str(path)
    ) as child:
        arrived(1)
        log(line("/b", 1))
        arrived(2)
        path.rename(tmp_path / "access.log.1")
        log(line("/c", 2), name="access.log.1")  # by a server that has not noticed yet
        log(line("/d", 3))
        arrived(4)
        child.terminate()
        assert child.wait(20) == 0
    assert [page.rpartition("/")[2] for page in pages(database)] == ["a", "b", "c", "d"]


# The same as over HTTP


def test_an_agent_and_a_host_come_from_the_log(
    run_command: Run, log: Callable[..., Path], settings: Settings, database: Database
) -> None:
    path = log(line("/a", host="www.example.org:443", agent=FIREFOX))
    run_command(f"footfall import --site 1 {path}")
    record_all(settings)
    assert pages(database) == ["example.org/a"]
    assert database.query("SELECT config_browser_name FROM log_visit") == [("FF",)]
