"""Every metric of Footfall, declared once: name, kind, labels, help.

/metrics shows exactly these (tracker_api/metrics.py), docs/metrics.md is made from them
(`python tools/metrics_document.py`), and docs/alerts.yml may name no others; tests hold the three together.
"""

from footfall.metrics.metric import Kind, Metric

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ARCHIVE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
_BATCH_SIZES = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0)


def _counter(name: str, help: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, help, labels)


def _gauge(name: str, help: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, help, labels)


def _histogram(name: str, help: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    return Metric(name, Kind.HISTOGRAM, help, labels, buckets)


# Whether the servers answer

REDIS_UP = _gauge("footfall_redis_up", "1 while the endpoint reaches Redis, or what the queue lies in instead, else 0.")
DATABASE_UP = _gauge("footfall_database_up", "1 while the endpoint reaches the database, else 0.")

# Tracking requests on their way

ACCEPTED = _counter(
    "footfall_requests_accepted",
    "Tracking requests that came into the queue, those of spools when they are brought back, replayed dead letters "
    "once more. It is the sum of what waits in shards and of what was recorded, excluded, dead or recovered.",
)
IGNORED = _counter(
    "footfall_requests_ignored", "Requests that were answered and not queued, because rec was not 1 or it was HEAD."
)
REFUSED = _counter("footfall_requests_refused", "Tracking requests that were refused, by reason.", "reason")
DRAINED = _counter(
    "footfall_requests_drained", "Tracking requests that left the queue: recorded, excluded, dead or recovered."
)
RECORDED = _counter("footfall_requests_recorded", "Tracking requests that were recorded in the log tables.")
EXCLUDED = _counter(
    "footfall_requests_excluded",
    "Tracking requests that were left out on purpose, by reason (an excluded address, say).",
    "reason",
)
DEAD = _counter(
    "footfall_requests_dead",
    "Tracking requests that became dead letters: `rejected` because they ask for the impossible, `failed` because "
    "recording them failed.",
    "outcome",
)
DEAD_DROPPED = _counter(
    "footfall_dead_letters_dropped",
    "Rejected requests that were dropped from the dead letters to make room for newer ones (DEAD_LETTER_BYTES).",
)
RECOVERED = _counter(
    "footfall_requests_recovered",
    "Tracking requests that a worker had committed but not counted when it was killed or lost Redis: recorded, "
    "excluded or dead.",
)

# The queue

QUEUE_DEPTH = _gauge(
    "footfall_queue_depth", "Tracking requests that wait in a shard; those of imports begin with `import-`.", "shard"
)
QUEUE_OLDEST = _gauge(
    "footfall_queue_oldest_seconds",
    "Age of the oldest tracking request of a shard; 0 for an empty one, and for imports.",
    "shard",
)
QUEUE_IN_FLIGHT = _gauge("footfall_queue_in_flight", "Tracking requests that workers have in hand, at most.")
QUEUE_BYTES = _gauge("footfall_queue_bytes", "Bytes that the shards of the live lane take, about.")
QUEUE_FULL = _gauge(
    "footfall_queue_full",
    "1 while the queue has no room (QUEUE_MAX_REQUESTS, QUEUE_MAX_BYTES, Redis's memory), else 0.",
)
REDIS_MEMORY = _gauge(
    "footfall_redis_memory_ratio", "Share of its maxmemory that Redis uses, for anything; 0 where it has no limit."
)

# The spool

SPOOL_REQUESTS = _gauge(
    "footfall_spool_requests", "Tracking requests that wait on this machine's disk for room in the queue."
)
SPOOL_BYTES = _gauge("footfall_spool_bytes", "Bytes that the spool of this machine takes.")
SPOOL_OLDEST = _gauge("footfall_spool_oldest_seconds", "Age of the oldest tracking request in this machine's spool.")
SPOOL_READY = _gauge("footfall_spool_ready", "1 while this machine's spool could take requests, else 0.")
SPOOLED = _gauge("footfall_spooled_requests", "Tracking requests that wait in the spools of all machines.")

# Recording

BATCH_REQUESTS = _histogram("footfall_batch_requests", "Tracking requests of a batch.", _BATCH_SIZES)
BATCH_SECONDS = _histogram("footfall_batch_seconds", "Time of a batch, from reading it to its commit.", _SECONDS)
STEP_SECONDS = _histogram(
    "footfall_batch_step_seconds", "Time of a batch by step (footfall/metrics/steps.py).", _SECONDS, "step"
)
WORKERS = _gauge("footfall_workers", "Worker processes that are alive, by state: `busy` or `idle`.", "state")
DEAD_LETTERS = _gauge("footfall_dead_letters", "Tracking requests kept because they could not be recorded.")
DRAINING_STOPPED = _gauge(
    "footfall_draining_stopped",
    "1 while nothing is drained because too many requests failed (DEAD_LETTER_LIMIT), else 0.",
)

# Archiving

ARCHIVE_SECONDS = _histogram(
    "footfall_archive_seconds",
    "Time of making what is wanted of one site and period (all visits, segments), by kind of period.",
    _ARCHIVE_SECONDS,
    "period",
)
ARCHIVES = _counter(
    "footfall_archives",
    "Archives by kind of period and outcome: `made` or `failed`. Each segment is an archive of its own.",
    "period",
    "outcome",
)
INVALIDATIONS = _gauge(
    "footfall_invalidations",
    "Archives that wait to be made again, by kind of period and status: `waiting`, `started` or `failed`.",
    "period",
    "status",
)
INVALIDATION_OLDEST = _gauge(
    "footfall_invalidation_oldest_seconds", "Age of the oldest of them, by kind of period.", "period"
)
ARCHIVING_DUE = _gauge(
    "footfall_archiving_due", "Days of sites that have new log data and that no archiver has taken up yet."
)
ARCHIVING_DUE_OLDEST = _gauge("footfall_archiving_due_oldest_seconds", "How long the oldest of them has waited.")
ARCHIVER_LAST_RUN = _gauge(
    "footfall_archiver_last_run_timestamp_seconds", "When `archive_cli run` last came to its end, as Unix time."
)

METRICS: tuple[Metric, ...] = tuple(value for value in globals().copy().values() if isinstance(value, Metric))
"""All of them, in this order."""
