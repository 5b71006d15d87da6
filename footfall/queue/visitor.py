"""Who sent a request, as far as it can be told without looking anything up. One visitor's requests share a shard."""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from falcon.uri import parse_query_string

from footfall.queue.request import TrackingRequest

Parameters = Mapping[str, str | list[str]]


def parse(query: bytes) -> dict[str, Any]:
    """The parameters of a query string or form body; a list where a name came more than once."""
    return parse_query_string(query.decode("utf-8", "replace"), keep_blank=False, csv=False)


def text(parameters: Parameters, name: str) -> str:
    """A parameter's value, the last one where it came more than once; empty where it is absent."""
    value = parameters.get(name, "")
    return value if isinstance(value, str) else value[-1]


def identity(uid: str, cid: str, visitor_id: str, address: str, user_agent: str) -> str:
    """Who sent a request.

    Args:
        uid, cid, visitor_id: the parameters `uid`, `cid` and `_id`; empty where absent.
        address: the parameter `cip`, or the client's address.
    """
    return uid or cid or visitor_id or address + user_agent


def visitor_hash(parameters: Parameters, request: TrackingRequest) -> int:
    """The visitor's hash; modulo the number of shards, the number of the shard that the request goes to.

    Args:
        parameters: those of query and body together.
    """
    visitor = identity(
        text(parameters, "uid"),
        text(parameters, "cid"),
        text(parameters, "_id"),
        text(parameters, "cip") or request.address,
        request.headers.get("user-agent", ""),
    )
    return crc32(visitor.encode("utf-8", "surrogatepass"))
