"""A load generator that sends at a rate, whatever the answers take: an open loop.

A request has an intended time, and its latency counts from there: when the endpoint stalls, the requests that should
have been sent meanwhile are late as well, as those of real visitors would be. It runs in a process of its own. How much
CPU it takes, and how late it sends although a connection is free, say whether it was the bottleneck. (It sends up to a
millisecond late in any case.)
"""

import asyncio
import multiprocessing
import os
import time
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import NamedTuple, cast

import uvloop

from footfall.queue.request import TrackingRequest

_ANSWER_SECONDS = 30.0
_RECONNECT_SECONDS = 0.2
_TICK_SECONDS = 0.001  # the resolution of the event loop's timers: a shorter pause would be none


class Prepared(NamedTuple):
    """A request as bytes, without the visitor's id, which is another one each time.

    Args:
        visitor: the last 12 of its 16 digits; the first 4 say how often all requests were sent before.
        is_action: whether it makes a row of log_link_visit_action.
    """

    head: bytes
    visitor: bytes
    tail: bytes
    is_action: bool


def prepare(request: TrackingRequest, is_action: bool) -> Prepared:
    """The GET request of a tracking request; the endpoint has to trust us with the client's address."""
    before, after = request.query.split(b"&_id=", 1)
    headers = [
        *(b"Host: localhost", b"X-Forwarded-For: " + request.address.encode()),
        *(f"{name}: {value}".encode() for name, value in request.headers.items()),
    ]
    tail = after[16:] + b" HTTP/1.1\r\n" + b"\r\n".join(headers) + b"\r\n\r\n"
    return Prepared(b"GET /matomo.php?" + before + b"&_id=", after[4:16], tail, is_action)


@dataclass
class Answers:
    """What became of the requests of a while.

    Args:
        latencies: of those that were accepted, in microseconds since their intended times, rising.
        lateness: of all, how long after its intended time a request was written to a connection that was free.
        statuses: how many got each other answer; `lost` where the connection broke, `late` where none came in time.
        actions: how many of the accepted ones make a row of log_link_visit_action.
        cpu: of the generator, in seconds.
        seconds: from the first intended time to the last answer.
    """

    latencies: "array[int]" = field(default_factory=lambda: array("I"))
    lateness: "array[int]" = field(default_factory=lambda: array("I"))
    statuses: Counter[str] = field(default_factory=Counter)
    actions: int = 0
    cpu: float = 0.0
    seconds: float = 0.0

    @property
    def accepted(self) -> int:
        """How many were answered 204."""
        return len(self.latencies)

    @property
    def failed(self) -> int:
        """How many were not."""
        return self.statuses.total()

    def add(self, other: "Answers") -> None:
        """Count those of another while in."""
        self.latencies = array("I", sorted([*self.latencies, *other.latencies]))
        self.lateness = array("I", sorted([*self.lateness, *other.lateness]))
        self.statuses += other.statuses
        self.actions += other.actions
        self.cpu += other.cpu
        self.seconds += other.seconds


def percentile(values: Sequence[int], share: float) -> float:
    """The value, in milliseconds, that this share of rising microseconds does not exceed; 0 for none."""
    return values[min(len(values) - 1, int(len(values) * share))] / 1000 if values else 0.0


class LoadGenerator:
    """The generator's process.

    Args:
        port: of 127.0.0.1.
        requests: sent in turn, again and again.
        connections: kept open.
    """

    def __init__(self, port: int, requests: Sequence[Prepared], connections: int) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(port, requests, connections, theirs), daemon=True)
        self._process.start()

    def start(self, rate: float, seconds: float) -> None:
        """Begin to send so many requests a second for so long."""
        self._pipe.send((rate, seconds))

    def finished(self, wait_seconds: float) -> bool:
        """Whether all of them are answered, at the latest after a while."""
        return self._pipe.poll(wait_seconds)

    def answers(self) -> Answers:
        """The answers; waits for them."""
        answers: Answers = self._pipe.recv()
        return answers

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def _run(port: int, requests: Sequence[Prepared], connections: int, pipe: Connection) -> None:
    with suppress(OSError):  # where we may, it goes first: clients would have machines of their own
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sender = runner.run(_Sender.open(port, requests, connections))
        while True:
            rate, seconds = pipe.recv()
            pipe.send(runner.run(sender.send(rate, seconds)))


class _Sender:
    """Sends over some connections, one request at a time on each."""

    def __init__(self, port: int, requests: Sequence[Prepared]) -> None:
        self._port = port
        self._requests = requests
        self._sent = 0
        self._idle: deque[_Connection] = deque()  # used in turn, so that the server closes none of them
        self._waiting: deque[float] = deque()
        self._in_flight = 0
        self.answers = Answers()

    @classmethod
    async def open(cls, port: int, requests: Sequence[Prepared], connections: int) -> "_Sender":
        sender = cls(port, requests)
        for _ in range(connections):
            await sender.connect()
        return sender

    async def connect(self) -> None:
        """Open one more connection."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
                return
            except OSError:
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def send(self, rate: float, seconds: float) -> Answers:
        self.answers = Answers()
        cpu, begun, total = time.process_time(), time.perf_counter(), round(rate * seconds)
        number = 0
        while number < total:
            due = min(total, int((time.perf_counter() - begun) * rate) + 1)
            for place in range(number, due):
                self._offer(begun + place / rate)
            number = due
            await asyncio.sleep(max(_TICK_SECONDS, begun + number / rate - time.perf_counter()))
        end = time.perf_counter() + _ANSWER_SECONDS
        while (self._in_flight or self._waiting) and time.perf_counter() < end:
            await asyncio.sleep(0.005)
        answers = self.answers
        answers.statuses["late"] += self._in_flight + len(self._waiting)
        self._waiting.clear()
        self.answers = Answers()
        answers.statuses = +answers.statuses
        answers.latencies = array("I", sorted(answers.latencies))
        answers.lateness = array("I", sorted(answers.lateness))
        answers.cpu, answers.seconds = time.process_time() - cpu, time.perf_counter() - begun
        return answers

    def _offer(self, intended: float) -> None:
        if self._idle:
            self.answers.lateness.append(max(0, int((time.perf_counter() - intended) * 1e6)))
            self._write(self._idle.popleft(), intended)
        else:
            self._waiting.append(intended)

    def _write(self, connection: "_Connection", intended: float) -> None:
        cycle, place = divmod(self._sent, len(self._requests))
        self._sent += 1
        self._in_flight += 1
        connection.ask(self._requests[place], b"%04x" % (cycle & 0xFFFF), intended)

    def free(self, connection: "_Connection") -> None:
        """The connection can take the next request."""
        if self._waiting:
            self._write(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)

    def answered(self, request: Prepared, intended: float, status: str) -> None:
        """A request was answered, or will not be."""
        self._in_flight -= 1
        if status == "204":
            self.answers.latencies.append(max(0, int((time.perf_counter() - intended) * 1e6)))
            self.answers.actions += request.is_action
        else:
            self.answers.statuses[status] += 1

    def gone(self, connection: "_Connection") -> None:
        """The connection is closed: another one takes its place."""
        if connection in self._idle:
            self._idle.remove(connection)
        asyncio.get_running_loop().create_task(self.connect())


class _Connection(asyncio.Protocol):
    """One keep-alive connection."""

    _request: Prepared | None = None
    _intended = 0.0

    def __init__(self, sender: _Sender) -> None:
        self._sender = sender
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._sender.free(self)

    def ask(self, request: Prepared, cycle: bytes, intended: float) -> None:
        self._request, self._intended = request, intended
        self._transport.write(request.head + cycle + request.visitor + request.tail)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received.endswith(b"\r\n\r\n") and self._received.startswith(b"HTTP/1.1 204"):
            return  # more of its head comes; 204 has no body
        status, self._received = self._received[9:12].decode(), b""
        request, self._request = self._request, None
        if request is not None:
            self._sender.answered(request, self._intended, status)
        if status == "204":
            self._sender.free(self)
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._request is not None:
            self._sender.answered(self._request, self._intended, "lost")
            self._request = None
        self._sender.gone(self)
