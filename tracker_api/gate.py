"""The gate in front of everything that takes tokens: reports, the queue's state, metrics.

Who tries too many wrong tokens from one address is turned away there before the next one is looked at; so guessing is
slow, and says nothing. A token that was right from that address within the last hour goes on working, so that nobody
behind the same address can lock a user out; failures from other addresses never matter.

A token is looked up by a salted hash, never compared with another: how long that takes says nothing about it.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_plus

from cachetools import TTLCache
from falcon.asgi import Response

from footfall.clock import Clock
from footfall.database import Database
from footfall.settings import Settings
from footfall.users import Users
from tracker_api.addresses import TrustedProxies
from tracker_api.brute_force import BruteForceLog
from tracker_api.refusal import Refused
from tracker_api.request import Request

_TOKEN = re.compile(r"(?:token_auth(?:\[\])?=|Bearer )([0-9a-f]{32})(?![0-9a-f])")
_NESTING = 4  # the URL of a request, percent-encoded within the URL of another, and so on
_KEPT_SECONDS = 3600
_KEPT_TOKENS = 10_000
_MOST_WAITING = 200
_HEADERS = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
]

Responder = Callable[[Request, Response], Awaitable[None]]


class TokenGate:
    """Looks at the tokens of requests, in a thread with a database connection of its own."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        database = Database(settings)
        self._users = Users(database, settings, clock)
        self._log = BruteForceLog(database, clock, settings.brute_force_attempts)
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._limit = settings.max_body_bytes
        self._known: TTLCache[tuple[str, str], None] = TTLCache(_KEPT_TOKENS, _KEPT_SECONDS, timer=clock.monotonic)
        self._is_on = bool(settings.brute_force_attempts and settings.secret_key)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gate")

    async def admit(self, request: Request) -> None:
        """Let the request pass unless too many wrong tokens came from its address.

        Raises:
            Refused: they did (429), or its body cannot be read.
            DatabaseUnavailable: nobody can tell.
        """
        if not self._is_on:
            return
        body = await request.body(self._limit) if request.method == "POST" else b""
        address = self._proxies.client_of(request.scope)
        tokens = {token for token in tokens_of(request, body) if (address, token) not in self._known}
        if tokens:
            right = await asyncio.get_running_loop().run_in_executor(self._thread, self._check, address, tokens)
            for token in right:
                self._known[address, token] = None

    def _check(self, address: str, tokens: set[str]) -> list[str]:
        right = []
        for token in tokens:
            if self._log.is_blocked(address):
                raise Refused(429, "brute_force", "Too many wrong tokens came from this address: try again in an hour.")
            if self._users.authenticate(token):
                right.append(token)
            else:
                self._log.note(address)
        if len(right) < len(tokens) and len(tokens) > 1 and self._log.is_blocked(address):
            raise Refused(429, "brute_force", "Too many wrong tokens came from this address: try again in an hour.")
        return right


def tokens_of(request: Request, body: bytes) -> set[str]:
    """Everything in a request that may be meant as a token, also in the requests within a bulk request."""
    text = f"{request.auth or ''}&{request.query_string}&{body.decode('latin-1')}"
    found: set[str] = set()
    for _ in range(_NESTING):
        found.update(_TOKEN.findall(text))
        plain = unquote_plus(text)
        if plain == text:
            break
        text = plain
    return found


class Guarded:
    """A resource behind the gate, for Falcon; its answers carry the headers that protect a browser.

    Args:
        resource: has `on_get`, and `on_post` where it takes bodies.
    """

    def __init__(self, resource: Any, gate: TokenGate) -> None:
        self._get: Responder = resource.on_get
        self._post: Responder | None = getattr(resource, "on_post", None)
        self._gate = gate
        self._waiting = 0

    async def on_get(self, request: Request, response: Response) -> None:
        """GET and HEAD."""
        await self._respond(self._get, request, response)

    on_head = on_get

    async def on_post(self, request: Request, response: Response) -> None:
        """POST; 405 where the resource takes none."""
        response.set_headers(_HEADERS)
        if self._post is None:
            raise Refused(405, "method", "This address takes GET alone.")
        await self._respond(self._post, request, response)

    async def _respond(self, responder: Responder, request: Request, response: Response) -> None:
        response.set_headers(_HEADERS)
        if self._waiting >= _MOST_WAITING:
            raise Refused(503, "overload", "Too many requests are being answered at the moment: ask again later.")
        self._waiting += 1
        try:
            await self._gate.admit(request)
            await responder(request, response)
        finally:
            self._waiting -= 1
