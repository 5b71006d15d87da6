"""The HTTP door: takes tracking requests, serves reports and the state of the queue."""

import logging
from typing import Any

import falcon
import falcon.asgi
from falcon.asgi import Response

from footfall.clock import Clock, SystemClock
from footfall.errors import FootfallError
from footfall.journal.journal import Journal
from footfall.metrics.declared import REFUSED
from footfall.queue.capacity import Capacity
from footfall.queue.keeper import SpoolKeeper
from footfall.queue.lanes import LIVE
from footfall.queue.memory import Memory
from footfall.queue.push import Pusher
from footfall.queue.spool import Spool
from footfall.queue.stores import open_async_pusher, open_queue
from footfall.settings import Settings, load
from tracker_api import cors
from tracker_api.api_log import ApiLog
from tracker_api.backstage import Backstage
from tracker_api.drains import DrainBell
from tracker_api.gate import Guarded, TokenGate
from tracker_api.lifespan import Lifespan
from tracker_api.refusal import Refused
from tracker_api.reporting import ReportingResource
from tracker_api.request import Request, requests_within
from tracker_api.scrape import Scraper
from tracker_api.status import HealthResource, MetricsDoor, MetricsResource, QueueResource, ReadyResource
from tracker_api.tracking import TrackingResource

_log = logging.getLogger(__name__)
TRACKING_PATHS = ("/matomo.php", "/piwik.php")
API_PATHS = ("/", "/index.php", "/api")  # Matomo's importer of logs asks at /
_HTTP_VERSIONS = frozenset(("1.0", "1.1", "2", "3"))


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> falcon.asgi.App:
    """The ASGI application.

    It starts without its servers; what needs them answers 503 until they are there.

    Args:
        settings: default, those of the environment.
    """
    settings, clock = settings or load(), clock or SystemClock()
    bell = DrainBell(open_queue(settings).drains)
    queue = open_queue(settings, answer_seconds=settings.queue_push_seconds)
    spool = Spool(settings.spool_directory if queue.spooled else "", settings.spool_bytes, settings.spool_fsync)
    capacity = Capacity.of(settings, LIVE)
    memory, journal = Memory(settings.max_memory_bytes), Journal(settings)
    keeper = SpoolKeeper(queue, spool, capacity, bell.ring)
    pusher = Pusher(open_async_pusher(settings), spool, capacity, memory, clock, bell.ring)

    app: falcon.asgi.App = _App(request_type=requests_within(memory), middleware=[Lifespan(pusher, keeper, journal)])
    tracking = TrackingResource(settings, clock, pusher)
    for path in TRACKING_PATHS:
        app.add_route(path, tracking)
    backstage, gate = Backstage(settings, clock, spool, capacity), TokenGate(settings, clock)
    app.add_route("/healthz", HealthResource())
    app.add_route("/readyz", ReadyResource(backstage))
    app.add_route("/queue", Guarded(QueueResource(backstage), gate))
    resource = MetricsResource(backstage, Scraper(settings, clock, spool, capacity))
    app.add_route("/metrics", MetricsDoor(settings.checked_metrics_token(), resource, Guarded(resource, gate)))
    reporting = Guarded(ReportingResource(settings, clock, ApiLog(journal, clock)), gate)
    for path in API_PATHS:
        app.add_route(path, reporting)

    async def refuse(request: Request, response: Response, refused: Refused, params: dict[str, Any]) -> None:
        if request.path in TRACKING_PATHS:
            pusher.count(REFUSED.field(refused.reason))
            cors.allow(request, response)
        _say(response, refused.status, str(refused))
        if refused.status == 413:
            response.set_header("connection", "close")  # the rest of the body is not read

    async def explain(request: Request, response: Response, error: FootfallError, params: dict[str, Any]) -> None:
        _log.warning("A request could not be answered: %s", error)  # it may name servers, which nobody else is told
        _say(response, 503, "This cannot be answered at the moment: the endpoint's log says why.")

    app.add_error_handler(FootfallError, explain)
    app.add_error_handler(Refused, refuse)
    return app


class _App(falcon.asgi.App):
    """Falcon's application, which also answers whoever names an HTTP version that does not exist (`HTTP/2.0`)."""

    async def __call__(  # type: ignore[override]  # as in the base class
        self, scope: Any, receive: Any, send: Any
    ) -> None:
        if scope.get("http_version", "1.1") not in _HTTP_VERSIONS:
            scope = {**scope, "http_version": "1.1"}
        await super().__call__(scope, receive, send)


def _say(response: Response, status: int, sentence: str) -> None:
    response.status = status
    response.content_type = falcon.MEDIA_TEXT
    response.text = sentence + "\n"
