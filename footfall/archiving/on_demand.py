"""Asking for an archive that a report needs now: an RQ job per archive, and a key that says what became of it.

The key `archive-asked:<archive>` exists while the job waits or runs, so that an archive is not asked for twice at once.
Whoever waits looks at the key: the job removes it when the archive is made, or leaves the word "failed" in it for a
while. It expires soon and the running job renews it, so that a killed worker strands nobody; that it is gone is
therefore no proof that the archive is there. A second job for the same archive is harmless: it finds it made.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import md5

from redis import Redis, RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from footfall.archiving.periods import Period
from footfall.errors import FootfallError
from footfall.queue import keys

ARCHIVE_JOB = "queue_workers.archive_job.archive"
_JOB_SECONDS = 1800
_ASKED_SECONDS = 60
_RENEW_SECONDS = 20
_FAILED = b"failed"
_FAILED_SECONDS = 10  # how long an archive that could not be made is not tried again
_FAILURE_SECONDS = 3600
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5


class ArchiveFailed(FootfallError):
    """The job that should have made an archive failed."""


class ArchiveRequests:
    """The archives asked for.

    Args:
        redis: used for the keys and for RQ.
        wait_seconds: setting `archive_time_limit_seconds`, how long `ensure` waits.
        sleep: waits for some seconds.
    """

    def __init__(self, redis: Redis, wait_seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._redis = redis
        self._wait_seconds = wait_seconds
        self._sleep = sleep
        self._queue = Queue(keys.ARCHIVE_QUEUE, connection=redis, serializer=JSONSerializer)

    def ensure(self, idsite: int, period: Period, segment: str = "") -> bool:
        """Have the archive made unless somebody else does already, and wait for it.

        Returns:
            Whether it is finished; False when it is still waiting or being made after the time limit.

        Raises:
            ArchiveFailed: it cannot be made.
        """
        key = _key(idsite, period, segment)
        if self._redis.set(key, b"1", nx=True, ex=_ASKED_SECONDS):
            self._queue.enqueue_call(
                ARCHIVE_JOB,
                args=(idsite, period.kind.label, str(period.first), str(period.last), segment),
                timeout=_JOB_SECONDS,
                result_ttl=0,
                failure_ttl=_FAILURE_SECONDS,
            )
        return self._wait(key)

    @contextmanager
    def working(self, idsite: int, period: Period, segment: str = "") -> Iterator[None]:
        """While the block makes the archive, those who wait know; after it they know whether it was made."""
        key, done = _key(idsite, period, segment), threading.Event()

        def renew() -> None:
            while not done.wait(_RENEW_SECONDS):
                with suppress(RedisError):
                    self._redis.set(key, b"1", ex=_ASKED_SECONDS)

        self._redis.set(key, b"1", ex=_ASKED_SECONDS)
        renewing = threading.Thread(target=renew, daemon=True)
        renewing.start()
        try:
            yield
        except BaseException:
            done.set()
            renewing.join()
            self._redis.set(key, _FAILED, ex=_FAILED_SECONDS)
            raise
        done.set()
        renewing.join()
        self._redis.delete(key)

    def _wait(self, key: str) -> bool:
        waited, pause = 0.0, _FIRST_PAUSE
        while (state := self._redis.get(key)) is not None:
            if state == _FAILED:
                raise ArchiveFailed("The archive that this report needs cannot be made: the worker's log says why.")
            if waited >= self._wait_seconds:
                return False
            self._sleep(pause)
            waited += pause
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return True


def _key(idsite: int, period: Period, segment: str) -> str:
    name = f"{idsite}:{period.kind.label}:{period.first}:{period.last}"
    return keys.archive_asked(f"{name}:{md5(segment.encode()).hexdigest()}" if segment else name)
