"""A flush: the requests that go into the queue together, under a name that makes pushing them again harmless.

Redis keeps the number of each producer's last flush. A flush whose number is not above it has been pushed already: one
whose answer was lost, say, and that was spooled because nobody could know.
"""

import msgspec


class Flush(msgspec.Struct, array_like=True, frozen=True):
    """Requests on their way into the queue. This is what a frame of the spool holds: fields are only ever appended.

    Args:
        producer: who flushes; a name that no other process ever has.
        sequence: the producer's flushes are numbered upwards and pushed in that order; gaps do not matter.
        hashes: the visitor's hash of each request; modulo the number of shards, the number of its shard.
        records: the tracking request records, as many.
        flushed_at: Unix time in seconds, UTC.
        counts: what else the endpoint counted, by field (footfall/metrics/declared.py).
    """

    producer: str
    sequence: int
    hashes: list[int]
    records: list[bytes]
    flushed_at: float
    counts: dict[str, int] = {}


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Flush)


def encode(flush: Flush) -> bytes:
    """The flush as bytes."""
    return _ENCODER.encode(flush)


def decode(data: bytes) -> Flush:
    """The flush of these bytes.

    Raises:
        msgspec.DecodeError: they are no flush.
    """
    return _DECODER.decode(data)
