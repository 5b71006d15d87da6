"""Clients that deliver what the fuzzer makes, over connections of their own, and note what they were answered."""

import asyncio
import re
import socket
import time
from collections import Counter
from dataclasses import dataclass, field

from fuzz_requests import Delivery, Fuzz

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n")


@dataclass
class Answers:
    """What came of all deliveries.

    Args:
        statuses: how many answers had each HTTP status, by kind of delivery.
        unanswered: deliveries with fewer answers than they should have, and their answers.
        failures: deliveries that were answered with a server error, and their answers.
        canaries: the pages of the requests that nothing was done to and that were acknowledged.
        slowest: seconds until the last answer of a whole request.
    """

    deliveries: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    unanswered: list[tuple[Delivery, bytes]] = field(default_factory=list)
    failures: list[tuple[Delivery, bytes]] = field(default_factory=list)
    canaries: list[str] = field(default_factory=list)
    slowest: float = 0.0


async def run(fuzz: Fuzz, port: int, seconds: float, clients: int) -> Answers:
    """Deliver for so many seconds to a port of 127.0.0.1, so many at once."""
    answers, end = Answers(), time.monotonic() + seconds

    async def deliver_until_the_end(first_address: int) -> None:
        address = first_address
        while time.monotonic() < end:
            await _deliver(fuzz.next(), port, _loopback(address), answers)
            address += clients

    await asyncio.gather(*(deliver_until_the_end(number) for number in range(clients)))
    return answers


def _loopback(number: int) -> str:
    """One of the addresses of this machine: to the endpoint, each delivery comes from another client."""
    return f"127.{1 + number // 62_500 % 250}.{1 + number // 250 % 250}.{1 + number % 250}"


async def _deliver(delivery: Delivery, port: int, address: str, answers: Answers) -> None:
    answers.deliveries[delivery.kind] += 1
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    begun = time.monotonic()
    try:
        await _send(delivery, writer)
        received = b"" if delivery.cut else await _receive(reader, delivery)
    except ConnectionError:  # the server may hang up on nonsense
        received = b""
    finally:
        if delivery.cut:
            _break_off(writer)
        writer.close()
    statuses = [status for status in map(int, _STATUS.findall(received)) if status >= 200]
    answers.statuses.update((delivery.kind, status) for status in statuses)
    if len(statuses) < delivery.answers:
        answers.unanswered.append((delivery, received))
    elif delivery.answers:
        answers.slowest = max(answers.slowest, time.monotonic() - begun)
    if any(status >= 500 for status in statuses):
        answers.failures.append((delivery, received))
    if delivery.canary and statuses == [204]:
        answers.canaries.append(delivery.canary)


async def _send(delivery: Delivery, writer: asyncio.StreamWriter) -> None:
    for number, part in enumerate(delivery.slices):
        if number and delivery.pause:
            await asyncio.sleep(delivery.pause)
        writer.write(part)
        await writer.drain()


async def _receive(reader: asyncio.StreamReader, delivery: Delivery) -> bytes:
    """What the server sends until it hangs up, or until no more is waited for."""
    received = b""
    try:
        async with asyncio.timeout(delivery.patience):
            while part := await reader.read(65_536):
                received += part
    except TimeoutError:
        pass
    return received


def _break_off(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, as when a client crashes or a cable is cut."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()
