"""HTTP connections within limits: uvicorn's protocol, which has none for headers, slow clients or idle connections."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from footfall.settings import Settings


@dataclass(frozen=True)
class Limits:
    """What a client may do; see the settings MAX_….

    Args:
        headers: of one request.
        header_bytes: of its first line and headers together.
        request_seconds: from the first byte of a request to its last.
        connections: of one process.
    """

    headers: int
    header_bytes: int
    request_seconds: float
    connections: int


class TooMuch(Exception):
    """Ends the parsing of a request that breaks a limit."""


_UPGRADE = re.compile(rb"(\r\n)U(pgrade[ \t]*:)", re.IGNORECASE)


def _without_upgrade(data: bytes) -> bytes:
    """What a client sent, without its offer to change to another protocol, which a server may pass over.

    The parser ends the request behind the headers of such an offer, and its body would be lost. Java's HttpClient makes
    one (h2c) with its first request.
    """
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(rb"\1X\2", head) + end + rest


class LimitedProtocol(HttpToolsProtocol):
    """One connection. Subclasses have their limits."""

    limits: ClassVar[Limits]

    _gathered = 0  # bytes of a request whose headers are not complete
    _in_headers = True
    _begun: float | None = None  # when the request began that is being received
    _refusal = (400, "")
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(503, "Too many connections are open: try again later.")
            return
        self._begun = self.loop.time()
        self._timer = self.loop.call_later(self.limits.request_seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._begun is None:
            self._begun = self.loop.time()
        if self._in_headers:
            self._gathered += len(data)
            if b"pgrade" in data or b"PGRADE" in data:
                data = _without_upgrade(data)
        super().data_received(data)
        if self._in_headers and self._gathered > self.limits.header_bytes and not self.transport.is_closing():
            self._refuse(431, "The address and headers of the request are too large.")

    def on_message_begin(self) -> None:
        self._in_headers = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        limits = self.limits
        if len(self.headers) > limits.headers:
            self._refusal = (431, "The request has too many headers.")
            raise TooMuch
        if self._gathered > limits.header_bytes:
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > limits.header_bytes:
                self._refusal = (431, "The address and headers of the request are too large.")
                raise TooMuch
        if self.parser.should_upgrade():
            self._refusal = (400, "The request asks for another protocol: send it without `Upgrade`.")
            raise TooMuch
        self._in_headers = False
        self._gathered = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._begun = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn says when parsing failed; where a limit was broken, that."""
        status, sentence = self._refusal
        self._refuse(status, sentence or msg)

    def _look(self) -> None:
        """Disconnect a client that takes too long to send its request."""
        now, begun = self.loop.time(), self._begun
        if begun is not None and now - begun >= self.limits.request_seconds:
            self._timer = None
            self._refuse(408, "The request took too long to arrive.")
            return
        wait = self.limits.request_seconds - (now - begun if begun is not None else 0.0)
        self._timer = self.loop.call_later(wait, self._look)

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer, if nothing is being answered yet, and disconnect."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = sentence.encode() + b"\n"
            self.transport.write(
                STATUS_LINE[status] + b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n" % len(body) + body
            )
        self.transport.close()


def limited(settings: Settings) -> type[LimitedProtocol]:
    """The protocol with the limits of the settings."""
    limits = Limits(
        settings.max_headers, settings.max_header_bytes, settings.max_request_seconds, settings.max_connections
    )
    return type("Protocol", (LimitedProtocol,), {"limits": limits})
