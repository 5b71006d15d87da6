"""Providers of addresses: asked for beside a batch, which waits no longer than a setting says."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from footfall.clock import FixedClock
from footfall.tracking.providers import Providers, provider_of

ONE, TWO = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
CLOCK = FixedClock(datetime(2026, 8, 20, tzinfo=UTC))
LONG = 10.0


class NameServer:
    """Answers with the names it was given, once it is open."""

    def __init__(self, names: dict[bytes, str], is_open: bool = True) -> None:
        self.names = names
        self.asked: list[bytes] = []
        self.open = threading.Event()
        if is_open:
            self.open.set()

    def __call__(self, address: bytes) -> str:
        self.asked.append(address)
        self.open.wait(LONG)
        if address not in self.names:
            raise OSError("no name")
        return self.names[address]


@pytest.fixture
def silent() -> Iterator[NameServer]:
    """A name server that answers only when it is opened."""
    server = NameServer({ONE: "cust-1.example.net"}, is_open=False)
    yield server
    server.open.set()


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("cust-1.dsl.Example.net.", "example.net"),
        ("example.org", "example.org"),
        ("p1.example.co.uk", "example.co.uk"),
        ("host.example.com.au", "example.com.au"),
        ("localhost", "Ip"),
        ("192.0.2.1", "Ip"),
        ("", "Ip"),
    ],
)
def test_a_provider_is_the_domain_of_a_name(name: str, provider: str) -> None:
    assert provider_of(name) == provider


def test_addresses_with_and_without_a_name_have_their_answer_in_time() -> None:
    server = NameServer({ONE: "cust-1.example.net"})
    providers = Providers(CLOCK, LONG, server)
    providers.ask([ONE, TWO])
    assert providers.of([ONE, TWO]) == {ONE: "example.net", TWO: "Ip"}


def test_an_address_is_looked_up_once() -> None:
    server = NameServer({ONE: "cust-1.example.net"})
    providers = Providers(CLOCK, LONG, server)
    for _ in range(3):
        providers.ask([ONE])
        assert providers.of([ONE]) == {ONE: "example.net"}
    assert server.asked == [ONE]


def test_a_silent_name_server_holds_a_batch_up_no_longer_than_the_setting(silent: NameServer) -> None:
    providers = Providers(CLOCK, 0.05, silent)
    providers.ask([ONE])
    begun = time.monotonic()
    assert providers.of([ONE]) == {}
    assert time.monotonic() - begun < 2


def test_a_late_answer_serves_the_batches_after_it(silent: NameServer) -> None:
    providers = Providers(CLOCK, 0.01, silent)
    providers.ask([ONE])
    assert providers.of([ONE]) == {}
    silent.open.set()
    deadline = time.monotonic() + LONG
    while not (found := providers.of([ONE])) and time.monotonic() < deadline:
        providers.ask([ONE])
    assert found == {ONE: "example.net"}
    assert silent.asked == [ONE]


def test_any_number_of_addresses_can_be_asked_for(silent: NameServer) -> None:
    providers = Providers(CLOCK, 0.01, silent)
    providers.ask([number.to_bytes(4) for number in range(10_000)])
    assert providers.of([ONE]) == {}


def test_lookups_run_beside_each_other() -> None:
    meeting = threading.Barrier(4)

    def all_at_once(address: bytes) -> str:
        meeting.wait(LONG)
        return "a.example.net"

    providers = Providers(CLOCK, LONG, all_at_once)
    addresses = [bytes([192, 0, 2, number]) for number in range(4)]
    providers.ask(addresses)
    assert set(providers.of(addresses)) == set(addresses)
