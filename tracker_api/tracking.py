"""The tracking endpoint: /matomo.php and /piwik.php.

No MySQL here: a request is turned into a record, pushed, and answered once the queue or the spool has it. What only the
database knows (unknown sites, wrong tokens) is found later by the worker.
"""

import json
from base64 import b64decode

from falcon.asgi import Response

from footfall.clock import Clock
from footfall.errors import QueueUnavailable
from footfall.metrics.declared import IGNORED, REFUSED
from footfall.queue.memory import Overloaded
from footfall.queue.push import Pusher
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from tracker_api import bulk, cors, incoming
from tracker_api.addresses import TrustedProxies
from tracker_api.refusal import Refused, multipart, overloaded, queue_unavailable
from tracker_api.request import Request

_IMAGE = b64decode("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
_IMAGE_HEADERS = [("content-type", "image/gif"), ("cache-control", "no-store")]


class TrackingResource:
    """Takes tracking requests.

    Args:
        pusher: where records go.
    """

    def __init__(self, settings: Settings, clock: Clock, pusher: Pusher) -> None:
        self._settings = settings
        self._clock = clock
        self._pusher = pusher
        self._proxies = TrustedProxies(settings.trusted_proxies)

    async def on_get(self, request: Request, response: Response) -> None:
        """One tracking request in the query string."""
        await self._single(request, response, request.params, b"")

    async def on_post(self, request: Request, response: Response) -> None:
        """One tracking request in query string and form body, or many in a bulk body."""
        body = await request.body(self._settings.max_body_bytes)
        # Refused after its end: whoever is still sending when the connection is closed never reads why.
        if (request.content_type or "").lower().startswith("multipart/"):
            raise multipart()
        if bulk.is_bulk(body):
            await self._many(request, response, bulk.read(body, self._settings.max_bulk_requests))
        else:
            await self._single(request, response, {**incoming.parse(body), **request.params}, body)

    async def on_head(self, request: Request, response: Response) -> None:
        """What GET would answer, without its body; whoever asks for that visits nothing, so nothing is recorded."""
        self._pusher.count(IGNORED.field())
        self._answer(request, response, request.params)

    async def on_options(self, request: Request, response: Response) -> None:
        """Answers a browser that asks whether a page of another origin may send."""
        response.status = 204
        cors.allow(request, response)
        cors.preflight(request, response)

    async def _single(self, request: Request, response: Response, parameters: incoming.Parameters, body: bytes) -> None:
        if parameters:  # without any it is somebody looking at the address, not a client
            incoming.check_site(parameters)
        if incoming.is_recorded(parameters):
            received = TrackingRequest(
                self._clock.now().timestamp(),
                self._address(request),
                request.scope["query_string"],
                body,
                incoming.kept_headers(request.scope["headers"]),
            )
            await self._push([incoming.record(parameters, received)])
        else:
            self._pusher.count(IGNORED.field())
        self._answer(request, response, parameters)

    def _answer(self, request: Request, response: Response, parameters: incoming.Parameters) -> None:
        if incoming.wants_image(parameters):
            response.data = _IMAGE
            response.set_headers(_IMAGE_HEADERS)
        else:
            response.status = 204
        cors.allow(request, response)

    async def _many(self, request: Request, response: Response, bulk_body: bulk.Bulk) -> None:
        now, address = self._clock.now().timestamp(), self._address(request)
        headers = incoming.kept_headers(request.scope["headers"])
        token = bulk_body.token or incoming.text(request.params, "token_auth")
        records, invalid = [], []
        for index, query in enumerate(bulk_body.entries):
            parameters = incoming.parse(query or b"")
            try:
                incoming.check_site(parameters)
            except Refused as refused:
                self._pusher.count(REFUSED.field(refused.reason))
                invalid.append(index)
                continue
            if incoming.is_recorded(parameters):
                received = TrackingRequest(now, address, query or b"", b"", headers, token)
                records.append(incoming.record(parameters, received))
            else:
                self._pusher.count(IGNORED.field())
        if records:
            await self._push(records)
        answer: dict[str, object] = {
            "status": "success",
            "tracked": len(bulk_body.entries) - len(invalid),
            "invalid": len(invalid),
        }
        if bulk_body.token and bulk_body.entries:
            answer["invalid_indices"] = invalid
        if not bulk_body.readable:
            # The reference answers an unreadable body with success and nothing tracked (conformance: "not JSON").
            self._pusher.count(REFUSED.field("bulk"))
            answer["message"] = 'The body must be JSON with a list "requests": nothing of it was tracked.'
        response.content_type = "application/json"
        response.data = json.dumps(answer, separators=(",", ":")).encode()
        cors.allow(request, response)

    async def _push(self, records: list[tuple[int, bytes]]) -> None:
        try:
            await self._pusher.push(records)
        except QueueUnavailable:
            raise queue_unavailable() from None
        except Overloaded as error:
            raise overloaded(error) from None

    def _address(self, request: Request) -> str:
        return self._proxies.client_of(request.scope)
