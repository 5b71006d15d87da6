"""Opening the store that the settings name: the only place that knows all of them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from footfall.errors import ConfigurationError
from footfall.queue.backend import Backend, LanePusher
from footfall.queue.flush import Flush
from footfall.queue.lanes import LIVE
from footfall.queue.push import AsyncLanePusher
from footfall.queue.sql.backend import SqlBackend
from footfall.settings import Settings

BACKENDS = ("redis", "files", "mysql")
_ANSWER_SECONDS = 10.0


def open_queue(settings: Settings, *, answer_seconds: float = _ANSWER_SECONDS) -> Backend:
    """A connection to the queue; nothing is opened before it is used.

    Args:
        answer_seconds: how long an answer may take.

    Raises:
        ConfigurationError: a setting makes no sense.
    """
    if settings.queue_backend in ("files", "mysql"):
        return open_tables(settings, answer_seconds=answer_seconds)
    if settings.queue_backend != "redis":
        raise ConfigurationError(f"QUEUE_BACKEND must be one of {', '.join(BACKENDS)}, not {settings.queue_backend!r}.")
    # Here, so that who has no Redis loads nothing for it.
    from footfall.queue.redis.backend import RedisBackend

    return RedisBackend(settings, answer_seconds=answer_seconds)


def open_tables(settings: Settings, *, answer_seconds: float = _ANSWER_SECONDS) -> SqlBackend:
    """The same for a queue in tables, whose workers look for work themselves."""
    if settings.queue_backend == "files":
        from footfall.queue.sql.files import FilesStore

        return SqlBackend(FilesStore(settings, answer_seconds), "files", settings.queue_shards, spooled=False)
    from footfall.queue.sql.mysql import MysqlStore

    return SqlBackend(MysqlStore(settings, answer_seconds), "mysql", settings.queue_shards, spooled=True)


def open_async_pusher(settings: Settings) -> AsyncLanePusher:
    """What an endpoint process pushes live requests with; it waits QUEUE_PUSH_SECONDS for an answer."""
    if settings.queue_backend != "redis":
        return ThreadedPusher(open_queue(settings, answer_seconds=settings.queue_push_seconds).pusher())
    from footfall.queue.redis.connection import connect_async
    from footfall.queue.redis.pushing import AsyncRedisPusher

    url = settings.redis_url
    return AsyncRedisPusher(connect_async(url, settings.queue_push_seconds), url, settings.queue_shards, LIVE)


class ThreadedPusher:
    """Pushes from an event loop with a pusher that waits, in a thread of its own."""

    def __init__(self, pusher: LanePusher) -> None:
        self._pusher = pusher
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="push")

    async def push(self, flush: Flush) -> list[str]:
        """Push the flush."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._pusher.push, flush)
