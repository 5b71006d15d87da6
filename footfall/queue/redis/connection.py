"""Connections to Redis, and what its errors mean to a person."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from urllib.parse import urlsplit

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from footfall.errors import ConfigurationError, QueueUnavailable

Owner = TypeVar("Owner", bound="_HasUrl")
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
_CONNECT_SECONDS = 3
_ANSWER_SECONDS = 10


def connect(url: str, answer_seconds: float = _ANSWER_SECONDS) -> redis.Redis:
    """A client for commands that answer at once; it connects when it is first used.

    It never repeats a command by itself: a push or a trim whose answer was lost may have been carried out.

    Args:
        url: REDIS_URL.
        answer_seconds: how long an answer may take.

    Raises:
        ConfigurationError: the URL is not one of Redis.
    """
    return _from_url(redis.Redis, url, Retry(NoBackoff(), 0), answer_seconds)


def connect_async(url: str, answer_seconds: float = _ANSWER_SECONDS) -> redis.asyncio.Redis:
    """The same for an event loop."""
    return _from_url(redis.asyncio.Redis, url, AsyncRetry(NoBackoff(), 0), answer_seconds)


def _from_url(client: Any, url: str, retry: Any, answer_seconds: float) -> Any:
    try:
        return client.from_url(
            url,
            socket_connect_timeout=min(_CONNECT_SECONDS, answer_seconds),
            socket_timeout=answer_seconds,
            retry=retry,
        )
    except ValueError:
        raise ConfigurationError("REDIS_URL must look like redis://user:password@host:6379/0.") from None


def explain(error: redis.RedisError, url: str) -> QueueUnavailable:
    """The error as a sentence that says what to do; the password of the URL is not in it."""
    parts = urlsplit(url)
    where = parts.path if parts.scheme == "unix" else f"{parts.hostname or '127.0.0.1'}:{parts.port or 6379}"
    if isinstance(error, redis.AuthenticationError | redis.exceptions.NoPermissionError) or (
        isinstance(error, redis.ResponseError) and str(error).startswith(("NOAUTH", "WRONGPASS", "invalid username"))
    ):
        return QueueUnavailable(f"Redis at {where} refuses us: check user and password in REDIS_URL.")
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return QueueUnavailable(f"Redis at {where} is out of memory: start more workers, or raise its maxmemory.")
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return QueueUnavailable(
            f"Redis at {where} cannot be reached ({error}): check that it runs and that REDIS_URL is right."
        )
    return QueueUnavailable(f"Redis at {where} cannot serve us: {error}")


class _HasUrl(Protocol):
    url: str


def explaining(
    method: Callable[Concatenate[Owner, Arguments], Answer],
) -> Callable[Concatenate[Owner, Arguments], Answer]:
    """A method that raises QueueUnavailable where it would raise an error of Redis; its object has the `url`."""

    @wraps(method)
    def explained(self: Owner, *arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        try:
            return method(self, *arguments, **named)
        except redis.RedisError as error:
            raise explain(error, self.url) from error

    return explained
