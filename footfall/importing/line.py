"""A line of a web server's log, understood: what it says about one request, whatever the format."""

import msgspec


class Line(msgspec.Struct, frozen=True, gc=False):
    """One request that a server answered.

    Args:
        time: Unix time in seconds, UTC.
        address: of the client; empty where the log does not say.
        target: what was requested, path and query as they were sent; a whole URL from a proxy or a balancer; empty
            for a line without a request (a connection that timed out, say).
        status: of the answer; 0 where the log does not say.
        host: that was asked, with a port where one was logged.
        scheme: `http` or `https` where the log says it.
        length: bytes of the answer.
        milliseconds: that the server took.
        user: that authenticated.
        language: the client's Accept-Language.
    """

    time: float
    address: str
    target: str
    status: int
    referrer: str = ""
    user_agent: str = ""
    host: str = ""
    scheme: str = ""
    method: str = ""
    length: int | None = None
    milliseconds: int | None = None
    user: str = ""
    language: str = ""


class Unreadable(ValueError):
    """A line that its format does not fit."""
