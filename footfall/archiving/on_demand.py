"""Asking for an archive that a report needs now: an RQ job per archive, and a key that says what became of it.

The key `archive-asked:<archive>` exists while the job waits or runs, so that an archive is not asked for twice at once.
Whoever waits looks at the key: the job removes it when the archive is made, or leaves the word "failed" in it for a
while. It expires soon and the running job renews it, so that a killed worker strands nobody; that it is gone is
therefore no proof that the archive is there. A second job for the same archive is harmless: it finds it made.
"""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import md5

from redis import Redis, RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from footfall.archiving.freshness import WantedArchive
from footfall.errors import FootfallError
from footfall.queue import keys

ARCHIVE_JOB = "queue_workers.archive_job.archive"
_JOB_SECONDS = 1800
_ASKED_SECONDS = 60
_RENEW_SECONDS = 20
_FAILED = b"failed"
_FAILED_SECONDS = 10  # how long an archive that could not be made is not tried again
_FAILURE_SECONDS = 3600


class ArchiveFailed(FootfallError):
    """The job that should have made an archive failed."""


class ArchiveRequests:
    """The archives asked for.

    Args:
        redis: used for the keys and for RQ.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queue = Queue(keys.ARCHIVE_QUEUE, connection=redis, serializer=JSONSerializer)

    def ask(self, wanted: WantedArchive) -> None:
        """Have the archive made unless somebody has asked for it already."""
        period = wanted.period
        if self._redis.set(_key(wanted), b"1", nx=True, ex=_ASKED_SECONDS):
            self._queue.enqueue_call(
                ARCHIVE_JOB,
                args=(wanted.idsite, period.kind.label, str(period.first), str(period.last), wanted.segment),
                timeout=_JOB_SECONDS,
                result_ttl=0,
                failure_ttl=_FAILURE_SECONDS,
            )

    def unfinished(self, wanted: Collection[WantedArchive]) -> set[WantedArchive]:
        """Those of the archives that are still waiting or being made.

        Raises:
            ArchiveFailed: one cannot be made.
        """
        archives = list(wanted)
        states = self._redis.mget([_key(archive) for archive in archives]) if archives else []
        if _FAILED in states:
            raise ArchiveFailed("The archive that this report needs cannot be made: the worker's log says why.")
        return {archive for archive, state in zip(archives, states, strict=True) if state is not None}

    @contextmanager
    def working(self, wanted: WantedArchive) -> Iterator[None]:
        """While the block makes the archive, those who wait know; after it they know whether it was made."""
        key, done = _key(wanted), threading.Event()

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


def _key(wanted: WantedArchive) -> str:
    period = wanted.period
    name = f"{wanted.idsite}:{period.kind.label}:{period.first}:{period.last}"
    return keys.archive_asked(f"{name}:{md5(wanted.segment.encode()).hexdigest()}" if wanted.segment else name)
