"""Entries that wait to be written: bounded, so that a database that is away takes no memory."""

import threading
from collections import deque
from collections.abc import Sequence

from footfall.journal.kinds import Entry

MOST_ENTRIES = 10_000
MOST_BYTES = 16 * 1024 * 1024


class Waiting:
    """Entries in their order; from any thread. What does not fit is dropped and counted."""

    def __init__(self, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._dropped = 0
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Keep an entry, or drop it when there is no room."""
        with self._lock:
            if len(self._entries) >= self._most_entries or self._bytes + entry.size > self._most_bytes:
                self._dropped += 1
                return
            self._entries.append(entry)
            self._bytes += entry.size

    def is_full(self) -> bool:
        """Whether the next entry would be dropped for sure."""
        return len(self._entries) >= self._most_entries or self._bytes >= self._most_bytes

    def drop(self, count: int = 1) -> None:
        """Count entries that were not even made, or that could not be written."""
        with self._lock:
            self._dropped += count

    def take(self, most: int) -> list[Entry]:
        """Remove the oldest."""
        with self._lock:
            taken = [self._entries.popleft() for _ in range(min(most, len(self._entries)))]
            self._bytes -= sum(entry.size for entry in taken)
            return taken

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Take back what could not be written, in front of all others."""
        with self._lock:
            self._entries.extendleft(reversed(entries))
            self._bytes += sum(entry.size for entry in entries)

    def take_dropped(self) -> int:
        """How many were dropped since the last call."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            return dropped
