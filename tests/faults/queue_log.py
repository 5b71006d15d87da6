"""What the queue was given, in its order: every push that Redis ever carried out stands in its append-only file."""

import re
from collections.abc import Iterator
from pathlib import Path

from faults.ledger import decode
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest
from footfall.queue.request import decode as decode_request

_LISTS = keys.requests("").encode()
_NUMBER = re.compile(rb"pv_id=([0-9a-z]{6})")


class QueueLog:
    """Reads the append-only files of a Redis that never rewrites them; to be read while nothing is pushed.

    Args:
        directory: of the server's data.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "appendonlydir"
        self._read: dict[Path, int] = {}

    def news(self) -> list[tuple[int, TrackingRequest]]:
        """The requests that were pushed since the last call, with their numbers."""
        found = []
        for path in sorted(self._directory.glob("*.incr.aof"), key=lambda path: int(path.name.split(".")[-3])):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                data = file.read()
            self._read[path] = self._read.get(path, 0) + len(data)
            for name, *arguments in _commands(data):
                if name.upper() == b"RPUSH" and arguments[0].startswith(_LISTS):
                    found += [_numbered(decode_request(record)) for record in arguments[1:]]
        return found


def _commands(data: bytes) -> Iterator[list[bytes]]:
    """The commands of a file, each with its arguments."""
    at = 0
    while at < len(data):
        line_end = data.index(b"\r\n", at)
        count, at = int(data[at + 1 : line_end]), line_end + 2
        words = []
        for _ in range(count):
            line_end = data.index(b"\r\n", at)
            begin = line_end + 2
            at = begin + int(data[at + 1 : line_end])
            words.append(data[begin:at])
            at += 2
        yield words


def _numbered(request: TrackingRequest) -> tuple[int, TrackingRequest]:
    found = _NUMBER.search(request.query)
    assert found is not None, request.query
    return decode(found[1].decode()), request
