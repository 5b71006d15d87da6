"""The HTTP request as our resources get it."""

from typing import Any, ClassVar
from urllib.parse import quote

import falcon.asgi
from falcon.asgi_spec import EventType

from footfall.queue.memory import Memory, Overloaded
from tracker_api.refusal import incomplete, overloaded, too_large

_QUERY_CHARACTERS = "%&=+;:/?@!$'()*,[]~-._{}|\\^`\"<>"


class Request(falcon.asgi.Request):
    """Falcon's request, taking query strings of any bytes, and reading bodies up to a limit."""

    memory: ClassVar[Memory | None] = None
    """What all bodies that are being read may take together."""

    def __init__(self, scope: dict[str, Any], receive: Any, first_event: Any = None, options: Any = None) -> None:
        if not isinstance(scope["headers"], list):  # ASGI allows what can be read only once
            scope = {**scope, "headers": [tuple(header) for header in scope["headers"]]}
        if not isinstance(scope.get("client"), tuple | list | None):
            scope = {**scope, "client": tuple(scope["client"])}
        try:
            super().__init__(scope, receive, first_event, options)
        except UnicodeDecodeError:
            # Clients may send bytes that are not UTF-8, unencoded; percent-encoded they mean the same.
            query = quote(scope["query_string"], safe=_QUERY_CHARACTERS)
            super().__init__({**scope, "query_string": query.encode()}, receive, first_event, options)
        self._events = receive
        self._begun_with = first_event
        self._body: bytes | None = None

    async def body(self, limit: int) -> bytes:
        """The whole body; asked for again, the same.

        Args:
            limit: the most bytes it may have.

        Raises:
            Refused: it is larger, other bodies take all the memory there is, or the client went away before its end.
        """
        if self._body is None:
            self._body = await self._read(limit)
        return self._body

    async def _read(self, limit: int) -> bytes:
        announced = self.get_header("content-length") or "0"
        if announced.isdigit() and int(announced) > limit:
            raise too_large(limit)
        event = self._begun_with or await self._events()
        parts, size = [], 0
        try:
            while event["type"] == EventType.HTTP_REQUEST:
                part = event.get("body", b"")
                if size + len(part) > limit:
                    raise too_large(limit)
                if self.memory is not None:
                    self.memory.take(len(part))
                size += len(part)
                parts.append(part)
                if not event.get("more_body"):
                    return b"".join(parts)
                event = await self._events()
        except Overloaded as error:
            raise overloaded(error) from None
        finally:
            if self.memory is not None:
                self.memory.give(size)
        raise incomplete()


def requests_within(memory: Memory) -> type[Request]:
    """The class of requests whose bodies share this memory while they are being read."""
    return type("Request", (Request,), {"memory": memory})
