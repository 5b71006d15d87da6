"""Clients that send at a steady rate, each on a connection of its own, and never send anything twice.

They don't retry: a request that was not acknowledged may be in the queue all the same, and sent again it would be
another request. So what is recorded more than once was doubled by Footfall.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

from faults.ledger import Answer, Entry, Ledger
from faults.visitors import Visitors, numbers

CLIENTS = 6
_AT_A_TIME = 8  # visits that a client has under way
_PATIENCE_SECONDS = 30


class Clients:
    """All clients of a run, paused at first.

    Args:
        rate: requests a second, of all together.
    """

    def __init__(self, port: int, rate: float, seed: int, token: str, ledger: Ledger) -> None:
        counter = numbers()
        self._clients = [
            _Client(port, CLIENTS / rate, random.Random(f"{seed}/{n}"), counter, token, ledger) for n in range(CLIENTS)
        ]
        for client in self._clients:
            client.start()

    def resume(self) -> None:
        """Send."""
        for client in self._clients:
            client.wanted.set()

    def pause(self) -> None:
        """Send no more; returns once everything sent is answered, or will never be."""
        for client in self._clients:
            client.wanted.clear()
        for client in self._clients:
            client.parked.wait()

    def end(self) -> None:
        """Never send again."""
        for client in self._clients:
            client.over = True
            client.wanted.set()
        for client in self._clients:
            client.join()


class _Client(threading.Thread):
    def __init__(
        self, port: int, pause: float, chance: random.Random, counter: Iterator[int], token: str, ledger: Ledger
    ) -> None:
        super().__init__(name="client", daemon=True)
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
        self._pause = pause
        self._chance = chance
        self._visitors = Visitors(chance, counter, token)
        self._token = token
        self._ledger = ledger
        self._visits: list[Iterator[Entry]] = []
        self.wanted = threading.Event()
        self.parked = threading.Event()
        self.over = False

    def run(self) -> None:
        next_at = 0.0
        while not self.over:
            if not self.wanted.is_set():
                self._connection.close()
                self.parked.set()
                self.wanted.wait()
                self.parked.clear()
                continue
            entries = self._next()
            if entries:
                self._ledger.note(entries)
                self._send(entries)
            # A client that was held up does not make up for it: the rate is steady, not a wave.
            now = time.monotonic()
            next_at = max(next_at + self._pause * self._chance.uniform(0.5, 1.5) * max(1, len(entries)), now)
            time.sleep(next_at - now)

    def _next(self) -> list[Entry]:
        """The next request of one of the visits under way, or the next three, for one body."""
        while len(self._visits) < _AT_A_TIME:
            self._visits.append(self._visitors.visit())
        visit = self._chance.choice(self._visits)
        wanted = 3 if self._chance.random() < 0.1 else 1
        entries = [entry for _ in range(wanted) if (entry := next(visit, None)) is not None]
        if len(entries) < wanted:
            self._visits.remove(visit)
        return entries

    def _send(self, entries: list[Entry]) -> None:
        headers = dict(entries[0].headers)
        method, path, body = "GET", f"/matomo.php?{entries[0].query}&send_image=0", None
        if len(entries) > 1:
            headers["Content-Type"] = "application/json"
            method, path = "POST", "/matomo.php"
            body = json.dumps({"requests": [f"?{entry.query}" for entry in entries], "token_auth": self._token})
        sent_at = time.monotonic()
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            answer.read()
            outcome = Answer.ACKNOWLEDGED if answer.status in (200, 204) else Answer.REFUSED
            assert outcome is Answer.ACKNOWLEDGED or answer.status >= 500, f"{answer.status} for {path}"
        except (HTTPException, OSError):
            self._connection.close()
            outcome = Answer.NONE
        answered_at = time.monotonic()
        for entry in entries:
            entry.sent_at, entry.answered_at, entry.answer = sent_at, answered_at, outcome
