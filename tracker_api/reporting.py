"""The API endpoint: /index.php?module=API&method=… and /api, for reports and for managing what they are about.

Both are read from MySQL in threads, each with a connection of its own, so that a slow one holds up neither tracking
nor the event loop.
"""

import asyncio
import logging
import threading
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import mysql.connector
from falcon.asgi import Response

from footfall.archiving.freshness import ArchivesWanted, Freshness, OnDemandRules, WantedArchive
from footfall.archiving.on_demand import ArchiveFailed
from footfall.archiving.reader import ArchiveReader
from footfall.changes import Changes, ChangeWatch
from footfall.clock import Clock
from footfall.database import Database, is_lost
from footfall.errors import (
    AccessDenied,
    DatabaseUnavailable,
    FootfallError,
    InvalidInput,
    QueueUnavailable,
    WrongPassword,
)
from footfall.management import given
from footfall.management.management import Management
from footfall.plugins import archived, methods, reports
from footfall.queue.stores import open_queue
from footfall.reports import formats
from footfall.reports.answer import Answer, Plain
from footfall.reports.errors import ReportError
from footfall.reports.formats.values import plain
from footfall.reports.reporting import Reporting
from footfall.reports.sites import ReportSites
from footfall.settings import Settings
from footfall.users import Caller, Users
from tracker_api import incoming
from tracker_api.addresses import TrustedProxies
from tracker_api.api_log import ApiLog
from tracker_api.archive_waiting import ArchiveWaiting
from tracker_api.brute_force import BruteForceLog
from tracker_api.refusal import Refused
from tracker_api.request import Request
from tracker_api.status import bearer_of

_log = logging.getLogger(__name__)

_THREADS = 8
_BULK = "API.getBulkRequest"
_MOST_IN_BULK = 100
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Reply:
    """What goes back over HTTP.

    Args:
        error: what is wrong, where this says so.
    """

    status: int
    content_type: str
    body: bytes
    error: str = ""


class ReportingResource:
    """Answers report requests, their parameters in the query string or in a form body."""

    def __init__(self, settings: Settings, clock: Clock, log: ApiLog | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._api_log = log
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._waiting = ArchiveWaiting(settings, clock)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="reports")
        self._of_thread = threading.local()

    async def on_get(self, request: Request, response: Response) -> None:
        """A request in the query string."""
        await self._answer(request, response, b"")

    async def on_post(self, request: Request, response: Response) -> None:
        """A request in the form body, in the query string, or in both; the query string wins."""
        try:
            body = await request.body(self._settings.max_body_bytes)
        except Refused as refused:
            _send(response, _error(formats.DEFAULT, ReportError(str(refused), refused.status)))
            return
        is_form = (request.content_type or _FORM).startswith(_FORM)
        await self._answer(request, response, body if is_form else b"")

    async def _answer(self, request: Request, response: Response, body: bytes) -> None:
        given = {**incoming.parse(body), **request.params}
        parameters = {name: incoming.text(given, name) for name in given}
        if bearer := bearer_of(request):
            parameters.setdefault("token_auth", bearer)
        if request.path != "/api" and parameters.get("module") != "API":
            error = ReportError("Footfall serves module=API alone: add module=API and a method.", 404)
            _send(response, _error(formats.DEFAULT, error))
            return
        address, started = self._proxies.client_of(request.scope), self._clock.monotonic()
        reply = await self._made(parameters, (body, request.query_string.encode()), address)
        if self._api_log is not None:
            self._api_log.note(parameters, self._clock.monotonic() - started, address, reply.error)
        _send(response, reply)

    async def _made(self, parameters: Mapping[str, str], encoded: tuple[bytes, bytes], address: str) -> Reply:
        """The reply, after the archives that it needs were made; no thread waits for them."""
        loop, waited_for = asyncio.get_running_loop(), set[WantedArchive]()
        deadline = self._clock.monotonic() + self._settings.archive_time_limit_seconds
        name = parameters.get("format") or formats.DEFAULT
        while True:
            try:
                return await loop.run_in_executor(self._threads, self._reply, parameters, encoded, waited_for, address)
            except ArchivesWanted as wanted:
                try:
                    if not await self._waiting.made(wanted.archives, deadline):
                        return _error(name, ReportError(str(wanted), 503))
                except ArchiveFailed as error:
                    return _error(name, ReportError(str(error), 500))
                except QueueUnavailable as error:
                    _log.warning("An archive could not be asked for: %s", error)
                    return _error(name, ReportError("Archives cannot be made at the moment: ask again later.", 503))
                waited_for |= wanted.archives

    def _reply(
        self,
        parameters: Mapping[str, str],
        encoded: tuple[bytes, bytes],
        waited_for: Collection[WantedArchive],
        address: str,
    ) -> Reply:
        if not hasattr(self._of_thread, "desk"):
            self._of_thread.desk = ReportDesk(self._settings, self._clock)
        desk: ReportDesk = self._of_thread.desk
        return desk.reply(parameters, encoded, waited_for, address)


class ReportDesk:
    """What one thread answers with."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        database = Database(settings)
        self._clock = clock
        self._board = open_queue(settings).board
        self._users = Users(database, settings, clock)
        self._attempts = BruteForceLog(database, clock, settings.brute_force_attempts)
        self._watch = ChangeWatch(self._users.forget)
        self._management = Management(database, self._users, clock, Changes(self._board))
        rules = OnDemandRules(
            settings.archive_on_demand, settings.archive_on_demand_visits, settings.today_archive_seconds
        )
        self._freshness = Freshness(database, clock, rules)
        self._reporting = Reporting(
            reports(),
            methods(),
            archived().segments,
            ArchiveReader(database),
            ReportSites(database),
            self._freshness,
            clock,
            database,
        )

    def reply(
        self,
        parameters: Mapping[str, str],
        encoded: tuple[bytes, bytes],
        waited_for: Collection[WantedArchive] = (),
        address: str = "",
    ) -> Reply:
        """The answer to these parameters, or the error that says why there is none.

        Args:
            encoded: the same parameters, as form body and query string had them.
            waited_for: archives that were asked for and are finished.
            address: the client's.

        Raises:
            ArchivesWanted: archives have to be made first.
        """
        self._freshness.begin(waited_for)
        name = parameters.get("format") or formats.DEFAULT
        try:
            wanted = formats.find(name, parameters)
            return Reply(200, wanted.content_type, wanted.render(self._answer(parameters, encoded, address)))
        except ReportError as error:
            return _error(name, error)
        except AccessDenied as error:
            return _error(name, ReportError(str(error), 401))
        except InvalidInput as error:
            return _error(name, ReportError(str(error)))
        except (DatabaseUnavailable, QueueUnavailable) as error:
            _log.warning("A report could not be answered: %s", error)
            return _error(name, ReportError("Reports cannot be answered at the moment: ask again later.", 503))
        except FootfallError as error:
            _log.error("A report could not be answered: %s", error)
            return _error(name, ReportError(str(error), 500))
        except mysql.connector.Error as error:
            _log.exception("A report could not be answered")
            message = "The database cannot answer this: the server's log says why."
            return _error(name, ReportError(message, 503 if is_lost(error) else 500))

    def _answer(self, parameters: Mapping[str, str], encoded: tuple[bytes, bytes], address: str) -> Answer:
        self._watch.look(self._board, self._clock)
        if parameters.get("method") == _BULK:
            return Plain(self._bulk(parameters, encoded, address))
        return self._single(parameters, encoded, address)

    def _bulk(self, parameters: Mapping[str, str], encoded: tuple[bytes, bytes], address: str) -> list[Any]:
        """The answers to the requests in `urls`, in their order; each with the token of the whole unless it has one."""
        urls = given.read(*encoded).get("urls")
        texts = [url for url in urls.values() if isinstance(url, str)] if isinstance(urls, dict) else []
        if not texts or len(texts) > _MOST_IN_BULK:
            raise ReportError(f"{_BULK} takes from 1 to {_MOST_IN_BULK} requests: urls[0]=method%3D…&urls[1]=….")
        token = parameters.get("token_auth", "")
        return [self._bulk_answer(text.partition("?")[2] or text, token, address) for text in texts]

    def _bulk_answer(self, query: str, token: str, address: str) -> Any:
        encoded = query.encode()
        written = incoming.parse(encoded)
        parameters = {"token_auth": token, **{name: incoming.text(written, name) for name in written}}
        try:
            return plain(self._single(parameters, (b"", encoded), address))
        except (ReportError, AccessDenied, InvalidInput) as error:
            return {"result": "error", "message": str(error)}

    def _single(self, parameters: Mapping[str, str], encoded: tuple[bytes, bytes], address: str) -> Answer:
        method, token = parameters.get("method", ""), parameters.get("token_auth", "")
        if self._management.knows(method):
            caller = self._caller(token) if token else None
            return Plain(self._managed(method, encoded, caller, address))
        return self._reporting.answer(parameters, self._caller(token))

    def _managed(self, method: str, encoded: tuple[bytes, bytes], caller: Caller | None, address: str) -> Any:
        """The answer of the management API; who guesses passwords is turned away before the next one is looked at."""
        is_let_in = caller is not None and caller.superuser
        if self._management.checks_password(method) and not is_let_in and self._attempts.is_blocked(address):
            raise ReportError("Too many wrong passwords or tokens came from this address: try again in an hour.", 429)
        try:
            return self._management.answer(method, given.read(*encoded), caller)
        except WrongPassword:
            self._attempts.note(address)
            raise

    def _caller(self, token: str) -> Caller:
        if not token:
            raise ReportError("The parameter token_auth is missing: `footfall token create` makes a token.", 401)
        caller = self._users.authenticate(token)
        if caller is None:
            raise ReportError("This token_auth is not known or has expired: check it, or make a new one.", 401)
        return caller


def _error(format_name: str, error: ReportError) -> Reply:
    """The error in the format asked for, or in the default one when that does not exist."""
    try:
        wanted = formats.find(format_name)
    except ReportError:
        wanted = formats.find(formats.DEFAULT)
    return Reply(error.status, wanted.error_content_type, wanted.render_error(str(error)), str(error))


def _send(response: Response, reply: Reply) -> None:
    response.status = reply.status
    response.content_type = reply.content_type
    response.set_header("cache-control", "no-store")
    response.data = reply.body
