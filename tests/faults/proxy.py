"""A TCP proxy that cuts and delays the connections that go through it.

The packages that do this (Toxiproxy and its like) are no Python; it takes less than their clients to do it here.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from enum import Enum
from typing import Any

_CHUNK = 65_536
_COMMIT = b"\x03commit"  # a packet of the MySQL protocol, behind its four bytes of length and number
_LINGER_NOT = struct.pack("ii", 1, 0)  # closing sends RST, and drops what is not sent yet


class Cut(Enum):
    """How connections break."""

    RESET = "all at once, new ones are taken again immediately"
    REFUSED = "all at once, and new ones are refused until mended"
    ANSWERS_LOST = "what is asked is carried out, its answer never arrives; then as refused"
    TORN = "in the middle of the next message to the server; then as refused"
    COMMIT_LOST = "as ANSWERS_LOST, but for the next COMMIT of each connection to a MariaDB alone"
    SILENT = "nothing arrives any more, on connections that seem open; new ones are taken and as silent"


class Proxy:
    """Listens on a port of 127.0.0.1 and passes on to another, in a thread of its own.

    Args:
        target: the port of 127.0.0.1 that the connections go on to.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.harmed = 0
        """How many connections were cut, and messages delayed, so far."""
        self._cut: Cut | None = None
        self._delay = 0.0
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{target}", daemon=True)
        self._server: asyncio.Server | None = None

    @property
    def is_used(self) -> bool:
        """Whether anybody is connected."""
        return bool(self._connections)

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._call(self._listen())

    def stop(self) -> None:
        """Cut everything and listen no more."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self, how: Cut) -> None:
        """Break all connections, and those that come, until `mend`."""
        self._call(self._break(how))

    def delay(self, seconds: float) -> None:
        """Hold every message up by so long, in both directions, until `mend`."""
        self._delay = seconds

    def mend(self) -> None:
        """From now on everything passes; connections that were silent are cut."""
        self._call(self._mend())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        self._reset_all()

    async def _break(self, how: Cut) -> None:
        self._cut = None if how is Cut.RESET else how
        if how in (Cut.RESET, Cut.REFUSED):
            self._reset_all()

    async def _mend(self) -> None:
        if self._cut is not None:
            self._reset_all()
        self._cut, self._delay = None, 0.0

    def _reset_all(self) -> None:
        self.harmed += len(self._connections)
        for connection in list(self._connections):
            connection.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(writer)
        if self._cut in (Cut.REFUSED, Cut.ANSWERS_LOST, Cut.TORN):
            self.harmed += 1
            connection.reset()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            connection.reset()
            return
        connection.writers.append(server_writer)
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(connection, reader, server_writer, self._to_server))
                group.create_task(self._pump(connection, server_reader, writer, self._to_client))
        finally:
            self._connections.discard(connection)
            connection.close()

    async def _pump(
        self,
        connection: "_Connection",
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        passes: "Callable[[_Connection, asyncio.StreamWriter, bytes], Awaitable[None]]",
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._delay:
                    self.harmed += 1
                    await asyncio.sleep(self._delay)
                await passes(connection, writer, data)
        if self._cut is not Cut.SILENT:
            connection.close()

    async def _to_server(self, connection: "_Connection", writer: asyncio.StreamWriter, data: bytes) -> None:
        if self._cut is Cut.SILENT:
            return
        if self._cut is Cut.TORN:
            self.harmed += 1
            writer.write(data[: len(data) // 2])
            await writer.drain()
            connection.close()
            return
        if self._cut is Cut.COMMIT_LOST and data[4:].lower() == _COMMIT:
            connection.is_unanswered = True
        writer.write(data)
        await writer.drain()

    async def _to_client(self, connection: "_Connection", writer: asyncio.StreamWriter, data: bytes) -> None:
        if self._cut is Cut.SILENT:
            return
        if self._cut is Cut.ANSWERS_LOST or connection.is_unanswered:
            self.harmed += 1
            connection.reset()
            return
        writer.write(data)
        await writer.drain()


class _Connection:
    """Both halves of a connection through the proxy."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.writers = list(writers)
        self.is_unanswered = False

    def close(self) -> None:
        for writer in self.writers:
            writer.close()

    def reset(self) -> None:
        for writer in self.writers:
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            writer.transport.abort()
