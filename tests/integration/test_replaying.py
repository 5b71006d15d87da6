"""Export and replay: the same log tables again, each request once, over Redis and over HTTP."""

import gzip
import json
import os
import random
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import recorded_tracking
import redis
from click.testing import Result
from log_rows import add_site
from queues import queue_on
from stack import pending, running, wait_for

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.queue.dead_letters import DeadLetter, DeadLetters
from footfall.queue.flush import Flush
from footfall.queue.lanes import IMPORT, LIVE, Lane
from footfall.queue.layouts import all_shards
from footfall.queue.producer import Producer
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.queue.visitor import parse, visitor_hash
from footfall.replaying import exporting, lines
from footfall.replaying.exporting import Tally
from footfall.replaying.kept import KeptRequests, files, kept_lines
from footfall.replaying.pace import Pace
from footfall.replaying.reading import Numbered, ReplayFile
from footfall.replaying.to_queue import QueueReplay, Stopped
from footfall.replaying.to_url import UrlReplay
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from footfall.users import Users
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, new_tools

RunCommand = Callable[..., Result]
BEGIN = 1_785_000_000
COUNT = 240
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
KINDS = (
    "url=https%3A%2F%2Fshop.example.com%2Fproduct%2F{n}&action_name=Page+{n}",
    "url=https%3A%2F%2Fshop.example.com%2Fp&e_c=Video&e_a=play&e_n=Clip+{n}",
    "url=https%3A%2F%2Fshop.example.com%2Fp&idgoal=10&revenue=3",
    "url=https%3A%2F%2Fshop.example.com%2Fp&search=hats+%E9{n}",
    "url=https%3A%2F%2Fshop.example.com%2Fdone&idgoal=0&revenue=50&ec_id=A-{n}&ec_items=%5B%5B%22S%22%5D%5D",
)


def traffic(token: str) -> list[TrackingRequest]:
    """Requests of twelve visitors within some hours; each tenth says another time, with a token, and an address."""
    found = []
    for n in range(COUNT):
        at, visitor = BEGIN + 60 * n, n % 12
        query = f"idsite=1&rec=1&_id={visitor + 1:016x}&{KINDS[n % len(KINDS)].format(n=n)}"
        if n % 10 == 7:
            query += f"&cdt={at - 30}&cip=203.0.113.{visitor}&token_auth={token}"
        body = b"&dimension1=gold" if n % 4 == 3 else b""
        sent = query.encode() if n % 6 else query.encode() + b"&res=1920x1080&x=\xff"
        found.append(TrackingRequest(float(at), f"198.51.100.{visitor}", sent, body, {"user-agent": AGENT}))
    return found


@pytest.fixture
def token(settings: Settings, database: Database) -> str:
    recorded_tracking.put_sites(database)
    return Users(database, settings, SystemClock()).create_token("admin", "test", superuser=True)


def push(settings: Settings, requests: list[TrackingRequest], lane: Lane = LIVE) -> None:
    hashes = [visitor_hash({**parse(one.body), **parse(one.query)}, one) for one in requests]
    with Producer(settings, lane) as producer:
        producer.push(Flush(f"test-{random.random()}", 1, hashes, list(map(encode, requests)), 0.0, {}))


def drain_all(settings: Settings, **values: Any) -> None:
    settings = replace(settings, **values)
    database, client = Database(settings), redis.Redis.from_url(settings.redis_url)
    recorder = Recorder(database, settings, SystemClock())
    queue = queue_on(client)
    tools = new_tools(settings, SystemClock(), database, queue, recorder, patience=IMPATIENT)
    while waiting := [shard for shard in all_shards(queue) if client.llen(keys.requests(shard))]:
        for shard in waiting:
            drain(tools, shard)
    database.close()
    client.close()


def log_rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """What was recorded, without numbers that depend on the order in which shards were drained."""
    visits = database.query(
        "SELECT idsite, HEX(idvisitor), visit_first_action_time, visit_last_action_time, visit_total_actions, "
        "visit_total_time, visit_total_events, visit_total_searches, visit_goal_converted, visit_goal_buyer, "
        "HEX(location_ip), config_browser_name, config_resolution, custom_dimension_1 "
        "FROM log_visit ORDER BY 1, 2, 3, 4"
    )
    links = database.query(
        "SELECT l.idsite, HEX(l.idvisitor), l.server_time, l.pageview_position, l.time_spent_ref_action, u.name, "
        "n.name, l.search_cat FROM log_link_visit_action l LEFT JOIN log_action u ON u.idaction = l.idaction_url "
        "LEFT JOIN log_action n ON n.idaction = l.idaction_name ORDER BY 1, 2, 3, 4, 6, 7"
    )
    conversions = database.query(
        "SELECT idsite, HEX(idvisitor), server_time, idgoal, idorder, revenue, items, url FROM log_conversion "
        "ORDER BY 1, 2, 3, 4, 5"
    )
    return {"visits": visits, "links": links, "conversions": conversions}


def empty_log(database: Database) -> None:
    for table in ("log_visit", "log_link_visit_action", "log_conversion", "log_conversion_item", "log_action"):
        database.execute(f"TRUNCATE TABLE {table}")


@pytest.fixture
def exported(settings: Settings, database: Database, token: str, run_command: RunCommand, tmp_path: Path) -> Path:
    """A file of the traffic, which was recorded and removed afterwards."""
    path = tmp_path / "traffic.jsonl"
    push(settings, traffic(token))
    done = run_command(f"footfall export queue --output {path}")
    assert done.exit_code == 0, done.stderr
    return path


@pytest.fixture
def expected(settings: Settings, database: Database, exported: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What the traffic makes in the log tables, which are empty afterwards."""
    drain_all(settings)
    rows = log_rows(database)
    assert len(rows["links"]) >= COUNT // 2
    assert rows["conversions"]
    empty_log(database)
    return rows


# --- export -------------------------------------------------------------------------------------------------------


def test_the_queue_is_exported_whole_by_time_and_stays(
    exported: Path, redis_client: redis.Redis, token: str, settings: Settings
) -> None:
    read = [lines.read(line) for line in exported.read_bytes().splitlines()]
    assert [request.received_at for request in read] == [float(BEGIN + 60 * n) for n in range(COUNT)]
    assert pending(redis_client) == COUNT
    assert token.encode() not in exported.read_bytes()
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600


def test_all_lanes_are_exported(settings: Settings, token: str, redis_client: redis.Redis) -> None:
    push(settings, traffic(token)[:5])
    push(settings, traffic(token)[5:9], IMPORT)
    assert len(list(exporting.queued(queue_on(redis_client), None, Tally()))) == 9


def test_what_is_recorded_during_an_export_is_left_out_and_nothing_is_written_twice(
    settings: Settings, redis_client: redis.Redis
) -> None:
    shard = "16-03"
    redis_client.rpush(
        keys.requests(shard), *[encode(TrackingRequest(n + 1.0, "", b"", b"", {})) for n in range(3_000)]
    )
    redis_client.rpush(keys.requests(shard), b"no record")
    tally = Tally()
    seen = []
    for count, line in enumerate(exporting.queued(queue_on(redis_client), None, tally)):
        seen.append(lines.read(line).received_at)
        if count in (10, 500, 1_000):  # a worker trims meanwhile, also what is not yet exported, and more comes
            with redis_client.pipeline(transaction=True) as pipeline:
                pipeline.ltrim(keys.requests(shard), 700, -1)
                pipeline.incrby(keys.trimmed(shard), 700)
                pipeline.rpush(keys.requests(shard), encode(TrackingRequest(9_999.0, "", b"", b"", {})))
                pipeline.execute()
    assert seen == sorted(set(seen))
    assert set(range(2_101, 3_001)) <= set(seen)
    assert 9_999.0 not in seen
    assert tally.unreadable == 1


def test_dead_letters_are_exported_by_choice_with_their_reasons(
    database: Database, settings: Settings, run_command: RunCommand, token: str
) -> None:
    users = Users(database, settings, SystemClock())
    letters = DeadLetters(database, SystemClock(), users.hash_token)
    sent = traffic(token)[7]
    letters.add([DeadLetter("16-03", encode(sent), "It cannot be recorded (x)", 1)])
    letters.add([DeadLetter("16-03", encode(sent), "There is no site 9", 9), DeadLetter("16-03", b"?", "bad", 9)])
    done = run_command("footfall export dead --site 9")
    (line,) = done.stdout_bytes.splitlines()
    assert json.loads(line)["reason"] == "There is no site 9"
    assert lines.read(line).token_hash == users.hash_token(token)
    assert "1 records cannot be read" in done.stderr
    assert len(run_command("footfall export dead --failed").stdout_bytes.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("footfall export queue --site 1", 2, "dead"),
        ("footfall export recorded", 1, "KEPT_REQUESTS_DIRECTORY"),
        ("footfall export queue --output {there}", 1, "is there already"),
        ("footfall export queue --output /nowhere/x", 1, "cannot be written"),
        ("footfall replay {there} --url http://127.0.0.1:1/", 2, "FOOTFALL_TOKEN"),
        ("footfall replay {empty} --now --url nonsense", 1, "no address"),
        ("footfall replay {missing}", 1, "cannot be read"),
        ("footfall replay {there}", 1, "cannot be read"),
        ("footfall replay --rate 0 {there}", 2, "rate"),
    ],
)
def test_what_cannot_be_done_is_said(
    run_command: RunCommand, tmp_path: Path, command: str, status: int, said: str
) -> None:
    there = tmp_path / "there"
    there.write_text("nonsense\nmore of it\n")
    (empty := tmp_path / "empty").touch()
    done = run_command(command.format(there=there, empty=empty, missing=tmp_path / "missing"))
    assert done.exit_code == status
    assert said in done.stderr


# --- into the queue -----------------------------------------------------------------------------------------------


def test_a_replay_gives_the_same_log_tables(
    settings: Settings, database: Database, run_command: RunCommand, exported: Path, expected: dict[str, Any]
) -> None:
    packed = exported.with_suffix(".jsonl.gz")
    packed.write_bytes(gzip.compress(exported.read_bytes()))
    done = run_command(f"footfall replay {packed} --json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["sent"], document["invalid"], document["sites"]) == (COUNT, 0, {"1": COUNT})
    drain_all(settings)
    assert log_rows(database) == expected


def test_a_file_is_replayed_once_unless_asked_for(
    settings: Settings, redis_client: redis.Redis, run_command: RunCommand, exported: Path, expected: dict[str, Any]
) -> None:
    assert run_command(f"footfall replay {exported}").exit_code == 0
    other_name = exported.rename(exported.with_name("other"))
    done = run_command(f"footfall replay {other_name}")
    assert (done.exit_code, "--again" in done.stderr) == (1, True)
    assert waiting(redis_client) == COUNT
    assert run_command(f"footfall replay --again {other_name}").exit_code == 0
    assert waiting(redis_client) == 2 * COUNT


def waiting(client: redis.Redis) -> int:
    return sum(client.llen(keys.requests(shard)) for shard in all_shards(queue_on(client)))


class Crash(BaseException):
    """Stands for kill -9."""


@pytest.mark.parametrize("seed", range(5))
def test_an_interrupted_replay_goes_on_with_each_line_once_at_any_pace(
    settings: Settings,
    database: Database,
    exported: Path,
    expected: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    dice = random.Random(seed)
    original = Producer.push

    def push_or_crash(self: Producer, flush: Flush) -> None:
        if dice.random() < 0.2:
            raise Crash  # before it was pushed
        original(self, flush)
        if dice.random() < 0.2:
            raise Crash  # after it was

    monkeypatch.setattr(Producer, "push", push_or_crash)
    for _ in range(500):
        monkeypatch.setattr("footfall.replaying.to_queue._FLUSH_REQUESTS", dice.randrange(1, 60))
        with Producer(settings, IMPORT) as producer:
            pace = Pace(SystemClock(), lambda _: None, lambda: False)
            replay = QueueReplay(producer, SystemClock(), pace, lambda: False, lambda _: None)
            try:
                replay.run(ReplayFile(str(exported), SystemClock()))
                break
            except Crash:
                continue
            except FootfallError as error:
                assert "completely" in str(error)  # it crashed after the last push
                break
    drain_all(settings)
    assert log_rows(database) == expected


def test_requests_can_be_moved_to_now_and_to_another_site(
    settings: Settings, database: Database, run_command: RunCommand, exported: Path, expected: dict[str, Any]
) -> None:
    add_site(database, 31)
    done = run_command(f"footfall replay --now --site 31 {exported}")
    assert done.exit_code == 0, done.stderr
    drain_all(settings)
    ((sites, recent, count),) = database.query(
        "SELECT GROUP_CONCAT(DISTINCT idsite), SUM(server_time > UTC_TIMESTAMP() - INTERVAL 5 MINUTE), COUNT(*) "
        "FROM log_link_visit_action"
    )
    assert sites == "31"
    assert recent >= count * 0.8  # those that say their own time keep it


def test_a_full_queue_is_waited_for_and_a_stop_says_how_to_go_on(settings: Settings, exported: Path) -> None:
    asked = threading.Event()

    def wait(reason: str) -> None:
        assert "QUEUE_IMPORT_MAX_REQUESTS" in reason
        asked.set()

    full = replace(settings, queue_import_max_requests=1)
    push(full, traffic("")[:5], IMPORT)
    with Producer(full, IMPORT) as producer:
        replay = QueueReplay(
            producer, SystemClock(), Pace(SystemClock(), lambda _: None, asked.is_set), asked.is_set, wait
        )
        with pytest.raises(Stopped):
            replay.run(ReplayFile(str(exported), SystemClock()))
    assert replay.pushed == 0


def test_invalid_lines_are_counted_shown_and_passed_over(
    run_command: RunCommand, tmp_path: Path, redis_client: redis.Redis
) -> None:
    good = lines.written(TrackingRequest(BEGIN, "192.0.2.1", b"idsite=1&rec=1", b"", {}), None)
    path = tmp_path / "mixed.jsonl"
    path.write_bytes(b"\n".join([good, b"nonsense", b"", b'{"received_at":1}', good]))
    document = json.loads(run_command(f"footfall replay --json {path}").stdout)
    assert (document["lines"], document["sent"], document["invalid"]) == (4, 2, 2)
    assert [sample.partition(":")[0] for sample in document["invalid_samples"]] == ["line 2", "line 4"]
    assert waiting(redis_client) == 2


def test_a_dry_run_says_what_and_sends_nothing(
    run_command: RunCommand, exported: Path, expected: dict[str, Any], redis_client: redis.Redis
) -> None:
    done = run_command(f"footfall replay --dry-run {exported}")
    assert done.exit_code == 0
    assert f"{COUNT} requests from 2026-07-25 17:20:00 to" in done.stdout
    assert "nothing was sent to queue" in done.stdout
    assert waiting(redis_client) == 0


def test_the_log_of_a_tracker_is_replayed(
    run_command: RunCommand, tmp_path: Path, settings: Settings, database: Database, token: str
) -> None:
    log = tmp_path / "access.log"
    target = f"/matomo.php?idsite=1&rec=1&{KINDS[0].format(n=1)}"
    log.write_text(
        f'198.51.100.7 - - [25/Jul/2026:17:20:00 +0000] "GET {target} HTTP/1.1" '
        f'200 43 "https://shop.example.com/" "{AGENT}"\n'
        f'198.51.100.7 - - [25/Jul/2026:17:20:09 +0000] "GET /favicon.ico HTTP/1.1" 404 0 "-" "{AGENT}"\n'
    )
    document = json.loads(run_command(f"footfall replay --json {log}").stdout)
    assert (document["sent"], document["ignored"]) == (1, 1)
    drain_all(settings)
    assert [str(time) for (time,) in database.query("SELECT server_time FROM log_link_visit_action")] == [
        "2026-07-25 17:20:00"
    ]


# --- over HTTP ----------------------------------------------------------------------------------------------------


def test_a_replay_over_http_gives_the_same_log_tables(
    settings: Settings,
    database: Database,
    exported: Path,
    expected: dict[str, Any],
    token: str,
    redis_client: redis.Redis,
    environment: dict[str, str],
    run_command: RunCommand,
    tmp_path: Path,
) -> None:
    with running(environment, tmp_path, workers=1) as stack:
        done = run_command(f"footfall replay --json --url {stack.tracker} {exported}", FOOTFALL_TOKEN=token)
        assert done.exit_code == 0, done.stderr
        wait_for(lambda: pending(redis_client) == 0, 30, "an empty queue")
    document = json.loads(done.stdout)
    assert (document["sent"], document["uncertain"]) == (COUNT, 0)
    assert set(document["statuses"]) <= {"200", "204"}
    assert log_rows(database) == expected


class Tracker(BaseHTTPRequestHandler):
    """A tracker that answers as it is told: a status, or None to hang up."""

    protocol_version = "HTTP/1.1"
    answers: Iterator[int | None]
    taken: list[tuple[str, str, str, bytes]]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.taken.append((self.command, self.path, self.headers.get("X-Forwarded-For", ""), body))
        status = next(self.answers)
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def tracker(*answers: int | None, port: int = 0) -> Iterator[tuple[str, list[tuple[str, str, str, bytes]]]]:
    """A tracker that gives these answers, and the last one for ever; its URL and what it took."""

    def give() -> Iterator[int | None]:
        yield from answers[:-1]
        while True:
            yield answers[-1]

    handler = type("Handler", (Tracker,), {"answers": give(), "taken": []})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/matomo.php", handler.taken
    finally:
        server.shutdown()
        server.server_close()


def send(url: str, requests: list[TrackingRequest], **values: Any) -> UrlReplay:
    pace = Pace(SystemClock(), lambda _: None, lambda: False)
    replay = UrlReplay(url, pace, lambda: False, **{"connections": 1, "retry_seconds": 1.0, **values})
    replay.run(_numbered(requests), lambda: None)
    return replay


def _numbered(requests: list[TrackingRequest]) -> Any:
    return [Numbered(number, request) for number, request in enumerate(requests, 1)]


def test_what_was_not_taken_is_sent_again_and_what_may_have_been_is_not() -> None:
    with tracker(503, 429, 204, None, 500, 204) as (url, taken):
        replay = send(url, traffic("")[:5])
    assert dict(replay.statuses) == {204: 3, 500: 1}
    assert replay.uncertain == 1
    assert len(taken) == 2 + 5


def test_a_tracker_that_is_not_there_ends_the_replay_with_the_line_to_go_on_from() -> None:
    with tracker(204) as (url, _):
        pass
    pace = Pace(SystemClock(), lambda _: None, lambda: False)
    replay = UrlReplay(url, pace, lambda: False, connections=2, retry_seconds=0.3)
    with pytest.raises(FootfallError, match="takes no requests"):
        replay.run(_numbered(traffic("")), lambda: None)
    assert (replay.sent, replay.unsent) == (0, 1)


def test_requests_of_a_visitor_stay_in_order_over_many_connections() -> None:
    with tracker(204) as (url, taken):
        replay = send(url, traffic(""), connections=6)
    assert replay.sent == COUNT
    sent = [parse(path.partition("?")[2].encode()) for _, path, _, _ in taken]
    wanted = [parse(request.query) for request in traffic("")]
    for visitor in {parameters["_id"] for parameters in wanted}:
        own = [p.get("e_n") or p.get("ec_id") or p.get("search") for p in sent if p["_id"] == visitor]
        assert own == [p.get("e_n") or p.get("ec_id") or p.get("search") for p in wanted if p["_id"] == visitor]


def test_requests_are_sent_as_they_came_with_addresses_and_times() -> None:
    long = b"idsite=1&rec=1&x=" + b"y" * 20_000
    odd = TrackingRequest(
        BEGIN + 0.4, "2001:db8::1", b"idsite=1&a=%20b c\xff", b"e=1", {"referer": "https://x/é\r\nX: y"}
    )
    with tracker(204) as (url, taken):
        send(url, [odd, TrackingRequest(BEGIN, "192.0.2.1", long, b"", {})], token="t" * 32)
    (method, path, forwarded, body), (long_method, long_path, _, long_body) = taken
    assert (method, forwarded, body) == ("POST", "2001:db8::1", b"e=1")
    sent = parse(path.partition("?")[2].encode())
    assert sent == {
        "idsite": "1",
        "a": " b c\N{REPLACEMENT CHARACTER}",
        "cdt": str(BEGIN),
        "cip": "2001:db8::1",
        "token_auth": "t" * 32,
    }
    assert (long_method, long_path) == ("POST", "/matomo.php")
    assert long_body.startswith(long)


# --- kept requests ------------------------------------------------------------------------------------------------


@pytest.fixture
def keeping(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, kept_requests_directory=str(tmp_path / "kept"))


def test_what_workers_recorded_is_kept_exported_and_replayed(
    keeping: Settings, database: Database, token: str, run_command: RunCommand, tmp_path: Path
) -> None:
    push(keeping, traffic(token))
    drain_all(keeping)
    expected = log_rows(database)
    directory = Path(keeping.kept_requests_directory)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (directory, *files(directory))] == [0o700, 0o600]
    assert token.encode() not in b"".join(path.read_bytes() for path in files(directory))
    done = run_command("footfall export recorded", KEPT_REQUESTS_DIRECTORY=str(directory))
    assert len(done.stdout_bytes.splitlines()) == COUNT
    path = tmp_path / "recorded.jsonl"
    path.write_bytes(done.stdout_bytes)
    empty_log(database)
    assert run_command(f"footfall replay {path}").exit_code == 0
    drain_all(keeping)
    assert log_rows(database) == expected


def records(count: int, size: int, begin: int = 0) -> list[bytes]:
    return [encode(TrackingRequest(float(BEGIN + begin + n), "192.0.2.1", b"x" * size, b"", {})) for n in range(count)]


def test_what_is_kept_stays_within_its_bytes_and_the_oldest_goes(keeping: Settings) -> None:
    limit = 400_000
    settings = replace(keeping, kept_requests_bytes=limit)
    directory = Path(keeping.kept_requests_directory)
    workers = [KeptRequests(settings, None) for _ in range(3)]
    for round_ in range(150):
        workers[round_ % 3].keep(records(10, 1_000, 10 * round_))
        assert sum(path.stat().st_size for path in files(directory)) <= limit
    kept = [lines.read(line).received_at - BEGIN for line in kept_lines(directory)]
    assert kept == sorted(kept)
    assert kept[-1] == 1_499
    assert len(kept) * 1_000 > limit // 2
    for worker in workers:
        worker.close()


def test_what_is_kept_goes_after_its_time(keeping: Settings) -> None:
    settings = replace(keeping, kept_requests_hours=1)
    directory = Path(keeping.kept_requests_directory)
    KeptRequests(settings, None).keep(records(1, 10))
    (old,) = files(directory)
    os.utime(old, (0, 0))
    KeptRequests(settings, None).keep(records(2, 10))
    assert len(list(kept_lines(directory))) == 2


def test_a_disk_that_fails_is_said_once_and_holds_nothing_up(
    settings: Settings, database: Database, token: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    broken = replace(settings, kept_requests_directory=str(blocked / "kept"))
    push(broken, traffic(token))
    drain_all(broken)
    assert database.query("SELECT COUNT(*) > 0 FROM log_link_visit_action") == [(1,)]
    assert sum("KEPT_REQUESTS_DIRECTORY" in message for message in caplog.messages) == 1


def test_nothing_is_kept_by_default(settings: Settings) -> None:
    assert KeptRequests.of(settings, None) is None
