"""Replaying over HTTP: to a tracker of whatever kind.

A few connections are kept alive; all requests of a visitor go over the same one, so that they stay in order. What has
certainly not been taken (no connection, 429, 503) is sent again for a while. A request whose connection broke before
the answer may have been taken: it is counted as uncertain and not sent again.
"""

import http.client
import queue
import select
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from urllib.parse import quote, urlsplit

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from footfall.errors import FootfallError, InvalidInput
from footfall.queue.request import TrackingRequest
from footfall.queue.visitor import parse, visitor_hash
from footfall.replaying.pace import Pace
from footfall.replaying.reading import Numbered

_WAITING = 100  # requests per connection that are read ahead
_ANSWER_SECONDS = 30.0
_RETRY_SECONDS = 60.0
_NOT_TAKEN = (429, 503)
_LONGEST_ADDRESS = 8_000  # entries of bulk bodies may be longer than servers let addresses be
_SENT_AS_IT_IS = "%&=+;:/?@!$'()*,[]-._~"
_FORM = "application/x-www-form-urlencoded"


class _Refused(Exception):
    """The request was certainly not taken; it may be sent again."""


class UrlReplay:
    """Sends requests.

    Args:
        url: of the tracker, `https://stats.example.org/matomo.php`.
        token: of a user with write access: each request then says its own time and address (`cdt`, `cip`). Without it
            requests count for the moment, and their addresses come as X-Forwarded-For, for who believes us.
        connections: how many.
        should_stop: whether somebody asked for the end.

    Raises:
        InvalidInput: the URL is none of HTTP.
    """

    def __init__(
        self,
        url: str,
        pace: Pace,
        should_stop: Callable[[], bool],
        *,
        token: str = "",
        connections: int = 8,
        retry_seconds: float = _RETRY_SECONDS,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(
                f"{url!r} is no address to send to: use one such as https://stats.example.org/matomo.php."
            )
        self._connect = _connector(parts.scheme, parts.hostname, parts.port)
        self._path = parts.path or "/matomo.php"
        self._query = f"{parts.query}&" if parts.query else ""
        self._pace = pace
        self._should_stop = should_stop
        self._token = token
        self._retry_seconds = retry_seconds
        self._senders = [_Sender(self) for _ in range(connections)]
        self._failed = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.uncertain = 0
        self.error = ""
        self._lock = threading.Lock()

    @property
    def sent(self) -> int:
        """How many requests were answered."""
        return sum(self.statuses.values())

    def run(self, requests: Iterable[Numbered], moved: Callable[[], None]) -> None:
        """Send them all; what was begun is finished when somebody asks for the end.

        Args:
            moved: called for each request.

        Raises:
            FootfallError: the tracker was not there, or took nothing, for a minute. `unsent` says where to go on.
        """
        for sender in self._senders:
            sender.start()
        try:
            for one in requests:
                self._pace.wait(one.request.received_at)
                if self._should_stop() or self._failed.is_set():
                    break
                self._sender_of(one.request).put(one, self._failed)
                moved()
        finally:
            for sender in self._senders:
                sender.finish()
        if self.error:
            raise FootfallError(self.error)

    @property
    def unsent(self) -> int | None:
        """The first line whose request was not sent after all; None when all were that were given out."""
        return min((sender.failed_at for sender in self._senders if sender.failed_at is not None), default=None)

    def _sender_of(self, request: TrackingRequest) -> "_Sender":
        if len(self._senders) == 1:
            return self._senders[0]
        visitor = visitor_hash({**parse(request.body), **parse(request.query)}, request)
        return self._senders[visitor % len(self._senders)]

    def send(self, connection: http.client.HTTPConnection, one: Numbered) -> None:
        """Send a request and count its answer; again and again where it was not taken.

        Raises:
            FootfallError: nobody took it in time.
        """
        method, target, body, headers = self._as_http(one.request)

        def attempt() -> int:
            status = _exchange(connection, method, target, body, headers)
            if status in _NOT_TAKEN:
                raise _Refused(f"the answer is {status}")
            return status

        try:
            status = Retrying(
                retry=retry_if_exception_type(_Refused),
                wait=wait_random_exponential(multiplier=0.1, max=5),
                stop=stop_after_delay(self._retry_seconds),
            )(attempt)
        except RetryError as error:
            raise FootfallError(
                f"{connection.host}:{connection.port} takes no requests: {error.last_attempt.exception()}."
            ) from None
        except _Uncertain:
            with self._lock:
                self.uncertain += 1
            return
        with self._lock:
            self.statuses[status] += 1

    def fail(self, error: FootfallError) -> None:
        """Stop: what is not sent by now is not sent."""
        self.error = self.error or str(error)
        self._failed.set()

    def _as_http(self, request: TrackingRequest) -> tuple[str, str, bytes | None, dict[str, str]]:
        query = quote(request.query, _SENT_AS_IT_IS)
        parameters = {**parse(request.body), **parse(request.query)}
        if self._token:
            for name, value in (("cdt", f"{request.received_at:.0f}"), ("cip", request.address)):
                if value and name not in parameters:
                    query += f"&{name}={quote(value)}"
            query += f"&token_auth={quote(self._token)}"
        headers = {name: _header(value) for name, value in request.headers.items()}
        if request.address:
            headers["X-Forwarded-For"] = request.address
        if request.body:
            return "POST", f"{self._path}?{self._query}{query}", request.body, {**headers, "Content-Type": _FORM}
        if len(query) > _LONGEST_ADDRESS:
            target = f"{self._path}?{self._query}".rstrip("?&")
            return "POST", target, query.encode(), {**headers, "Content-Type": _FORM}
        return "GET", f"{self._path}?{self._query}{query}", None, headers


class _Uncertain(Exception):
    """The request may have been taken."""


class _Sender:
    """One connection and its thread."""

    def __init__(self, replay: UrlReplay) -> None:
        self._replay = replay
        self._waiting: queue.Queue[Numbered | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failed_at: int | None = None

    def start(self) -> None:
        self._thread.start()

    def put(self, one: Numbered, failed: threading.Event) -> None:
        """Have it sent behind the others; wait for a place as long as nothing has failed."""
        while not failed.is_set():
            try:
                self._waiting.put(one, timeout=0.5)
                return
            except queue.Full:
                continue

    def finish(self) -> None:
        """Wait until all is sent."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection = self._replay._connect()
        while (one := self._waiting.get()) is not None:
            if self._replay.error:
                self.failed_at = self.failed_at or one.number
                continue
            try:
                self._replay.send(connection, one)
            except FootfallError as error:
                self.failed_at = one.number
                self._replay.fail(error)
        connection.close()


def _connector(scheme: str, host: str, port: int | None) -> Callable[[], http.client.HTTPConnection]:
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return lambda: kind(host, port, timeout=_ANSWER_SECONDS)


def _exchange(
    connection: http.client.HTTPConnection, method: str, target: str, body: bytes | None, headers: dict[str, str]
) -> int:
    """Send a request and read the answer; its status.

    Raises:
        _Refused: there is no connection.
        _Uncertain: it broke before the answer.
    """
    if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
        connection.close()  # the other end has closed it
    try:
        if connection.sock is None:
            connection.connect()
    except OSError as error:
        connection.close()
        raise _Refused(str(error)) from None
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise _Uncertain(str(error)) from None
    return answer.status


def _header(value: str) -> str:
    """A header's value as http.client sends it: Latin-1, without line ends; other characters are UTF-8 bytes."""
    return value.replace("\r", " ").replace("\n", " ").encode().decode("latin-1")
