"""What bench/soak.py judges by: latencies from the intended time, and whether memory grows."""

import asyncio
import random
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from footfall.queue.request import TrackingRequest

ROOT = Path(__file__).resolve().parent.parent.parent
MIB_PER_SAMPLE = 0.5


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module of bench/."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    names: list[str] = []

    def load(name: str) -> ModuleType:
        names.append(name)
        return __import__(name)

    yield load
    for name in names:
        sys.modules.pop(name, None)


Load = Callable[[str], ModuleType]


class Endpoint:
    """Answers as the endpoint does; stalls, refuses or hangs up where a test says so."""

    def __init__(self) -> None:
        self.stall_at, self.refuse_at, self.hang_up_at = -1, -1, -1
        self.requests: list[bytes] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        self._ready.set()
        await self._stop.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                request = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return
            number = len(self.requests)
            self.requests.append(request)
            if number == self.hang_up_at:
                writer.close()
                return
            if number == self.stall_at:
                await asyncio.sleep(0.5)
            status = b"503 Service Unavailable" if number == self.refuse_at else b"204 No Content"
            writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()


def send(open_loop: ModuleType, port: int, rate: float, seconds: float, connections: int) -> object:
    query = b"idsite=1&rec=1&_id=00000000000000aa&ec_id=7"
    request = TrackingRequest(0, "192.0.2.1", query, b"", {"user-agent": "x"})
    generator = open_loop.LoadGenerator(port, [open_loop.prepare(request, True)], connections)
    try:
        generator.start(rate, seconds)
        return generator.answers()
    finally:
        generator.close()


def test_every_request_is_sent_once_and_each_from_another_visitor(bench: Load, endpoint: Endpoint) -> None:
    answers = send(bench("open_loop"), endpoint.port, 200, 0.5, 4)
    assert (answers.accepted, answers.actions, answers.failed) == (100, 100, 0)  # type: ignore[attr-defined]
    lines = [request.split(b"\r\n")[0] for request in endpoint.requests]
    assert lines[0] == b"GET /matomo.php?idsite=1&rec=1&_id=00000000000000aa&ec_id=7 HTTP/1.1"
    assert len(set(lines)) == 100
    assert b"X-Forwarded-For: 192.0.2.1" in endpoint.requests[0]


def test_requests_that_a_stall_kept_from_being_sent_are_late_as_well(bench: Load, endpoint: Endpoint) -> None:
    endpoint.stall_at = 10
    open_loop = bench("open_loop")
    answers = send(open_loop, endpoint.port, 100, 1, 1)
    assert answers.accepted == 100  # type: ignore[attr-defined]
    # Half a second at 100 requests/s: 50 of them waited, a quarter of all for more than 250 ms.
    assert open_loop.percentile(answers.latencies, 0.8) >= 250  # type: ignore[attr-defined]


def test_what_is_refused_or_lost_is_not_accepted(bench: Load, endpoint: Endpoint) -> None:
    endpoint.refuse_at, endpoint.hang_up_at = 20, 30
    answers = send(bench("open_loop"), endpoint.port, 200, 0.5, 2)
    assert answers.accepted == 98  # type: ignore[attr-defined]
    assert answers.statuses == {"503": 1, "lost": 1}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "grows"),
    [("flat", False), ("filling caches", False), ("spikes", False), ("a leak", True), ("a slow leak", True)],
)
def test_memory_that_grows_is_told_from_caches_and_large_batches(bench: Load, name: str, grows: bool) -> None:
    dice, count = random.Random(1), 120
    samples = {
        "flat": [100.0] * count,
        "filling caches": [100.0 + min(n, 25) for n in range(count)],
        "spikes": [100.0 + (80.0 if dice.random() < 0.2 else 0.0) for n in range(count)],
        "a leak": [100.0 + n * MIB_PER_SAMPLE for n in range(count)],
        "a slow leak": [100.0 + n * 0.2 + (30.0 if dice.random() < 0.2 else 0.0) for n in range(count)],
    }[name]
    assert bench("memory").growth(samples).grows is grows


def test_too_few_samples_say_nothing(bench: Load) -> None:
    assert bench("memory").growth([1.0, 50.0, 100.0]) is None


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        ({}, ""),
        ({"recorded": 89}, "1 requests were lost"),
        ({"recorded": 91}, "1 are there twice"),
        ({"recorded": 85, "waiting": 5}, "5 requests still wait"),
        ({"rows": 79}, "80 actions were acknowledged, 79 are in the log"),
    ],
)
def test_a_run_is_wrong_when_a_request_is_not_where_it_must_be(
    bench: Load, account: dict[str, int], sentence: str
) -> None:
    numbers = {
        "acknowledged": 100,
        "recorded": 90,
        "excluded": 7,
        "dead": 2,
        "recovered": 1,
        "waiting": 0,
        "actions": 80,
        "rows": 80,
    }
    answers = SimpleNamespace(failed=0)
    run = SimpleNamespace(total=answers, watch=SimpleNamespace(replaced=set(), archivers=[0, 0]))
    found = bench("soak_stack").Account(**(numbers | account))
    wrong = bench("soak").faults(run, found, {}, {"soak": "steady"})
    assert wrong == ([sentence] if sentence else [])
