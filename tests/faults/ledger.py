"""What was sent, and what the sender was told about it."""

from dataclasses import dataclass, field
from enum import Enum

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_DIGITS = 6  # of a pv_id


def encode(number: int) -> str:
    """The number as a pv_id."""
    digits = ""
    for _ in range(_DIGITS):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def decode(text: str) -> int:
    """The number of a pv_id."""
    return int(text, len(_ALPHABET))


class Answer(Enum):
    """What the client was told."""

    ACKNOWLEDGED = "2xx"
    REFUSED = "5xx: it may be recorded all the same, once"
    NONE = "no answer: it may be recorded, once"


@dataclass
class Entry:
    """One tracking request.

    Args:
        number: counts all requests of a run; of a visitor's requests, a later one has a larger number.
        visitor: its visitor id, in hex.
        query: as sent.
        headers: as sent.
        sent_at, answered_at: seconds of the monotonic clock.
    """

    number: int
    visitor: str
    query: str
    headers: dict[str, str] = field(repr=False)
    sent_at: float = 0.0
    answered_at: float = 0.0
    answer: Answer = Answer.NONE


class Ledger:
    """All requests of a run, by number."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}

    def note(self, entries: list[Entry]) -> None:
        """Requests that are about to be sent; from any thread."""
        for entry in entries:
            self.entries[entry.number] = entry

    def count(self, answer: Answer) -> int:
        """How many were answered so."""
        return sum(entry.answer is answer for entry in self.entries.values())
