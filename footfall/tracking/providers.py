"""The provider of an address: the domain of its name in reverse DNS.

Names are looked up by a few threads while the rest of a batch is prepared. A batch waits for them no longer than a
setting says; an answer that comes later serves the visits after it. A lookup costs no statement and blocks no lock.
"""

import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Collection

from cachetools import TTLCache

from footfall.clock import Clock

NO_NAME = "Ip"  # what Matomo stores of an address without a name

_log = logging.getLogger(__name__)
_THREADS = 16
_WAITING = 2_000  # addresses beyond this are left without a provider until they are seen again
_CACHED_ADDRESSES = 100_000
_CACHE_SECONDS = 86_400
_COLUMN_LENGTH = 200
_SECOND_LEVEL = frozenset({"com", "net", "co"})  # of names such as example.co.uk


class Providers:
    """Looks up providers.

    Args:
        wait_seconds: how long a batch waits at most for all its lookups together.
        name_of: the name of a packed address; raises OSError when it has none.
    """

    def __init__(self, clock: Clock, wait_seconds: float, name_of: Callable[[bytes], str] | None = None) -> None:
        self._wait_seconds = wait_seconds
        self._name_of = name_of or reverse_name
        self._known: TTLCache[bytes, str] = TTLCache(_CACHED_ADDRESSES, _CACHE_SECONDS, timer=clock.monotonic)
        self._wanted: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._found: queue.SimpleQueue[tuple[bytes, str]] = queue.SimpleQueue()
        self._under_way: set[bytes] = set()
        self._threads: list[threading.Thread] = []

    def ask(self, addresses: Collection[bytes]) -> None:
        """Begin to look up those of the packed addresses that are not known."""
        if not self._threads:
            self._start()
        for address in addresses:
            if address in self._known or address in self._under_way:
                continue
            try:
                self._wanted.put_nowait(address)
            except queue.Full:
                return
            self._under_way.add(address)

    def of(self, addresses: Collection[bytes]) -> dict[bytes, str]:
        """The providers of those addresses whose answer is there in time."""
        deadline = time.monotonic() + self._wait_seconds
        missing = {address for address in addresses if address in self._under_way}
        while True:
            try:
                address, provider = self._found.get(timeout=max(deadline - time.monotonic(), 0) if missing else 0)
            except queue.Empty:
                break
            self._known[address] = provider
            self._under_way.discard(address)
            missing.discard(address)
        return {address: self._known[address] for address in addresses if address in self._known}

    def _start(self) -> None:
        # Daemons: a name server that does not answer must not keep a worker from ending.
        self._threads = [threading.Thread(target=self._look_up, daemon=True) for _ in range(_THREADS)]
        for thread in self._threads:
            thread.start()

    def _look_up(self) -> None:
        while True:
            address = self._wanted.get()
            try:
                provider = provider_of(self._name_of(address))
            except OSError:
                provider = NO_NAME
            except Exception:
                _log.exception("The name of an address could not be understood")
                provider = NO_NAME
            self._found.put((address, provider))


def reverse_name(address: bytes) -> str:
    """The name of a packed address in reverse DNS.

    Raises:
        OSError: it has none, or no name server answers.
    """
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    return socket.getnameinfo((socket.inet_ntop(family, address), 0), socket.NI_NAMEREQD)[0]


def provider_of(name: str) -> str:
    """The provider that a host belongs to: `example.net` of `cust-1.dsl.example.net`."""
    labels = name.strip().rstrip(".").lower().split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return NO_NAME
    kept = 3 if labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-kept:])[:_COLUMN_LENGTH]
