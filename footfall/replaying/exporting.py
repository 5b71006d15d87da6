"""Where exported requests come from: the queue and the dead letters; what is kept comes from kept.py."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from footfall.queue.backend import Backend
from footfall.queue.dead_letters import DeadLetters, LetterChoice
from footfall.queue.layouts import all_shards
from footfall.queue.request import TrackingRequest, decode
from footfall.replaying import lines
from footfall.replaying.lines import HashToken

_FEWEST, _MOST = 16, 1_000  # records that are read at once
_BYTES_AT_ONCE = 4 * 1024 * 1024
_LETTERS_AT_ONCE = 100


@dataclass
class Tally:
    """What was left out.

    Args:
        unreadable: records that cannot be decoded; they may hold a token, so they are not written.
    """

    unreadable: int = 0


def queued(queue: Backend, hash_token: HashToken | None, tally: Tally) -> Iterator[bytes]:
    """The lines of all requests that lie in the queue at this moment, which stay there.

    Those of a shard come in its order, those of several by time. What is recorded meanwhile may be left out; what comes
    meanwhile is.

    Raises:
        QueueUnavailable: the queue cannot be read.
    """
    shards = (_shard(queue, shard, tally) for shard in all_shards(queue))
    for request in heapq.merge(*shards, key=lambda request: request.received_at):
        yield lines.written(request, hash_token)


def _shard(queue: Backend, shard: str, tally: Tally) -> Iterator[TrackingRequest]:
    """The requests of a shard, from its head to where it ends at first."""
    stand = queue.stands([shard])[0]
    place, end, count = stand.trimmed, stand.trimmed + stand.depth, _FEWEST
    while place < end:
        place, records = queue.slice(shard, place, min(count, end - place))
        if not records:
            return
        for offset, record in enumerate(records, place):
            if offset >= end:
                return
            try:
                yield decode(record)
            except msgspec.DecodeError:
                tally.unreadable += 1
        place += len(records)
        count = min(_MOST, 4 * count, max(1, _BYTES_AT_ONCE * len(records) // (sum(map(len, records)) or 1)))


def dead(letters: DeadLetters, chosen: LetterChoice, hash_token: HashToken | None, tally: Tally) -> Iterator[bytes]:
    """The lines of dead letters, oldest first, each with its reason.

    Raises:
        DatabaseUnavailable, mysql.connector.Error: the database cannot be read.
    """
    last = 0
    while found := letters.read_next(chosen, last, _LETTERS_AT_ONCE):
        for buried in found:
            last = buried.number
            request = buried.letter.request()
            if request is None:
                tally.unreadable += 1
            else:
                yield lines.written(request, hash_token, buried.letter.reason)
