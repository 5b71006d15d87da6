"""The tracking request record: what lies in the queue, one per tracking request.

Everything a worker needs later and nothing looked up. A record is msgpack, an array without field names, so that a
request of 600 bytes takes little more than that.
"""

import msgspec


class TrackingRequest(msgspec.Struct, array_like=True, frozen=True):
    """One tracking request as it was received.

    Args:
        received_at: Unix time in seconds, UTC.
        address: the client's IP address, proxies that are trusted taken into account.
        query: the query string as received, percent-encoded; for an entry of a bulk body that entry's parameters.
        body: a form body as received, percent-encoded; its parameters yield to those of the query.
        headers: the headers that matter to recording, by lower-case name.
        bulk_token: the token_auth of the bulk body that the request came in.
        token_hash: of the token of a request that was kept without it (footfall/queue/tokens.py); never a client's.
    """

    received_at: float
    address: str
    query: bytes
    body: bytes
    headers: dict[str, str]
    bulk_token: str = ""
    token_hash: str = ""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(TrackingRequest)


def encode(request: TrackingRequest) -> bytes:
    """The record's bytes."""
    return _ENCODER.encode(request)


def decode(record: bytes) -> TrackingRequest:
    """The request of a record.

    Raises:
        msgspec.DecodeError: the bytes are not a record (msgspec.ValidationError included).
    """
    return _DECODER.decode(record)
