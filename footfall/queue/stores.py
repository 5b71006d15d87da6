"""Opening the store that the settings name: the only place that knows all three."""

from footfall.queue.backend import Backend
from footfall.queue.lanes import LIVE
from footfall.queue.push import AsyncLanePusher
from footfall.settings import Settings

_ANSWER_SECONDS = 10.0


def open_queue(settings: Settings, *, answer_seconds: float = _ANSWER_SECONDS) -> Backend:
    """A connection to the queue; nothing is opened before it is used.

    Args:
        answer_seconds: how long an answer may take.

    Raises:
        ConfigurationError: a setting makes no sense.
    """
    from footfall.queue.redis.backend import RedisBackend

    return RedisBackend(settings, answer_seconds=answer_seconds)


def open_async_pusher(settings: Settings) -> AsyncLanePusher:
    """What an endpoint process pushes live requests with; it waits QUEUE_PUSH_SECONDS for an answer."""
    from footfall.queue.redis.connection import connect_async
    from footfall.queue.redis.pushing import AsyncRedisPusher

    url = settings.redis_url
    return AsyncRedisPusher(connect_async(url, settings.queue_push_seconds), url, settings.queue_shards, LIVE)
