"""What people and monitoring ask: is it alive, is it ready, what waits in the queue, the metrics."""

import json
from hmac import compare_digest

import falcon
from falcon.asgi import Response

from footfall.queue.lanes import LANES
from tracker_api import metrics
from tracker_api.backstage import Backstage
from tracker_api.gate import Guarded
from tracker_api.queue_report import QueueReport
from tracker_api.refusal import Refused
from tracker_api.request import Request
from tracker_api.scrape import Scraper

_FORM = "application/x-www-form-urlencoded"
_FORM_BYTES = 65_536


class HealthResource:
    """/healthz: the process is alive."""

    async def on_get(self, request: Request, response: Response) -> None:
        """Always 200."""
        response.content_type = falcon.MEDIA_TEXT
        response.text = "alive\n"

    on_head = on_get


class ReadyResource:
    """/readyz: tracking requests can be taken."""

    def __init__(self, backstage: Backstage) -> None:
        self._backstage = backstage

    async def on_get(self, request: Request, response: Response) -> None:
        """200 when queue or spool take requests, with what is not as it should be; else 503 with the reason."""
        readiness = await self._backstage.readiness()
        response.content_type = falcon.MEDIA_TEXT
        if not readiness.ready:
            response.status = falcon.HTTP_503
        response.text = "".join(f"{line}\n" for line in readiness.lines)

    on_head = on_get


class QueueResource:
    """/queue: what waits, as JSON; for superusers."""

    def __init__(self, backstage: Backstage) -> None:
        self._backstage = backstage

    async def on_get(self, request: Request, response: Response) -> None:
        """The state of the queue."""
        await require_superuser(request, self._backstage)
        report = await self._backstage.report()
        response.content_type = falcon.MEDIA_JSON
        response.set_header("cache-control", "no-store")
        response.text = json.dumps(queue_document(report))

    on_post = on_get  # for clients that keep the token out of the address


class MetricsResource:
    """/metrics, for superusers."""

    def __init__(self, backstage: Backstage, scraper: Scraper) -> None:
        self._backstage = backstage
        self._scraper = scraper

    async def on_get(self, request: Request, response: Response) -> None:
        """All metrics in Prometheus's text format."""
        await require_superuser(request, self._backstage)
        await self.show(response)

    async def show(self, response: Response) -> None:
        """The answer for whoever may have it."""
        response.content_type = metrics.CONTENT_TYPE
        response.data = await self._scraper.text()


class MetricsDoor:
    """In front of /metrics: lets Prometheus pass with METRICS_TOKEN, which no database has to be asked about.

    Args:
        token: METRICS_TOKEN; empty for none.
        gate: for everybody else, in front of the same resource.
    """

    def __init__(self, token: str, resource: MetricsResource, gate: Guarded) -> None:
        self._token = token.encode()
        self._resource = resource
        self._gate = gate

    async def on_get(self, request: Request, response: Response) -> None:
        """GET and HEAD."""
        if self._token and compare_digest(bearer_of(request).encode(), self._token):
            await self._resource.show(response)
        else:
            await self._gate.on_get(request, response)

    on_head = on_get

    async def on_post(self, request: Request, response: Response) -> None:
        """Refused, as everywhere behind the gate that takes none."""
        await self._gate.on_post(request, response)


def queue_document(report: QueueReport) -> dict[str, object]:
    """The answer of /queue: `pending` requests, of all lanes, are accepted and not yet in the database; ages in
    seconds.
    """
    state = report.state
    return {
        "pending": state.pending,
        "lanes": {lane.name: {"pending": state.pending_in(lane)} for lane in LANES},
        "in_flight": state.in_flight,
        "oldest_seconds": round(state.oldest_seconds, 3),
        "dead": report.dead,
        "spooled": state.spooled,
        "full": report.full or None,
        "draining_stopped": report.draining_stopped,
        "shards": [
            {
                "shard": shard.shard,
                "depth": shard.depth,
                "oldest_seconds": round(shard.oldest_seconds, 3),
                "drained_by": shard.holder,
            }
            for shard in state.shards
        ],
        "spools": [
            {
                "machine": spool.machine,
                "requests": spool.requests,
                "bytes": spool.bytes,
                "oldest_seconds": report.age(spool.oldest_at),
            }
            for spool in state.spools
        ],
    }


async def require_superuser(request: Request, backstage: Backstage) -> None:
    """Refuse a caller without a superuser's token.

    Raises:
        Refused: 401, there is no token or it is not known.
    """
    token = await _token(request)
    if not token or not await backstage.is_superuser(token):
        raise Refused(
            401, "token", "A superuser's token is needed: send it as token_auth, or as `Authorization: Bearer`."
        )


async def _token(request: Request) -> str:
    if bearer := bearer_of(request):
        return bearer
    if token := request.get_param("token_auth"):
        return token
    if (request.content_type or "").startswith(_FORM):
        values = falcon.uri.parse_query_string((await request.body(_FORM_BYTES)).decode("utf-8", "replace"))
        value = values.get("token_auth", "")
        return value if isinstance(value, str) else value[-1]
    return ""


def bearer_of(request: Request) -> str:
    """The token of the header `Authorization: Bearer`; empty without one."""
    scheme, _, bearer = (request.auth or "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else ""
