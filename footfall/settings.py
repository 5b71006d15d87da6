"""Every setting of Footfall: one row each, read from the environment.

A value is looked for in the process environment first, then in the file that `FOOTFALL_ENV` names (default
`.local/env` below the working directory, written by `make services`), then the default applies.
`docs/settings.md` lists the same rows; `tests/unit/test_settings.py` holds the two together.
"""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from dotenv import dotenv_values

from footfall.errors import ConfigurationError

ENV_FILE = ".local/env"


def _row(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Settings:
    """The settings of one process; the environment variable of each is its name in capitals."""

    # Where things are
    database_url: str = _row(
        "mysql://root@127.0.0.1:3306/footfall",
        "MySQL or MariaDB: `mysql://user:password@host:port/database`, or `…/database?unix_socket=PATH`.",
    )
    redis_url: str = _row("redis://127.0.0.1:6379/0", "Redis: `redis://host:port/db` or `unix://PATH?db=0`.")
    table_prefix: str = _row("", "Prefix of all table names, as in Matomo's configuration (`matomo_`, say).")
    secret_key: str = _row(
        "", "The salt that tokens are hashed with; on an existing Matomo database, the `salt` of its configuration."
    )
    log_level: str = _row("INFO", "Least severe log line shown: DEBUG, INFO, WARNING or ERROR.")
    log_format: str = _row("text", "How log lines are written: `text` for people, `logfmt` or `json` for programs.")

    # What Footfall writes down about itself in the database
    log_to_database: str = _row(
        "",
        "What goes into the `logger_*` tables, comma-separated: `errors` (log lines of WARNING and above), `messages` "
        "(all log lines), `exceptions`, `api_calls`.",
    )
    log_database_days: int = _row(30, "Days after which `archive_cli purge` removes that; 0: it stays.")
    sql_profiling: str = _row(
        "off", "Which statements are timed in `log_profiling`: `on`, `off`, or a share such as `0.1` (every tenth)."
    )

    # The tracking endpoint
    trusted_proxies: str = _row(
        "", "Addresses or networks, comma-separated, whose `X-Forwarded-For` names the client (`10.0.0.0/8`, say)."
    )
    max_body_bytes: int = _row(4_194_304, "Largest request body in bytes; a larger one is refused with 413.")
    max_bulk_requests: int = _row(10_000, "Most tracking requests in one bulk body; more are refused with 413.")
    max_headers: int = _row(100, "Most headers of one HTTP request; more are refused with 431.")
    max_header_bytes: int = _row(32_768, "Most bytes of address line and headers together; more are refused with 431.")
    max_request_seconds: int = _row(30, "Longest that a client may take to send one request; then it is disconnected.")
    max_connections: int = _row(4096, "Most connections that one endpoint process keeps open; further ones get 503.")
    max_memory_bytes: int = _row(
        134_217_728, "Most bytes of bodies and waiting requests that one endpoint process holds; beyond: 503."
    )
    metrics_token: str = _row(
        "",
        "A token of 16 characters or more that Prometheus may read `/metrics` with, and nothing else; empty: only a "
        "superuser's.",
    )
    brute_force_attempts: int = _row(
        20, "Wrong tokens and passwords within an hour after which an address is refused (API, status); 0: never."
    )

    # The spool of the endpoint
    spool_directory: str = _row(
        ".local/spool", "Directory on the endpoint's disk for requests that Redis cannot take; empty: none, but 503."
    )
    spool_bytes: int = _row(1_073_741_824, "Most bytes that the spool takes on the disk.")
    spool_fsync: str = _row(
        "everysec", "When spooled requests reach the disk itself: `always` (before the answer), `everysec` or `no`."
    )
    queue_push_seconds: int = _row(2, "How long the endpoint waits for Redis before it spools.")

    # The queue
    queue_backend: str = _row("redis", "Where the queue lies: `redis`, `files` (one machine) or `mysql`.")
    queue_directory: str = _row(".local/queue", "Directory of the queue, for `QUEUE_BACKEND=files`.")
    queue_fsync: str = _row(
        "always", "When requests in files reach the disk itself: `always` (before the answer) or `no`."
    )
    queue_shards: int = _row(16, "Parts of the queue that requests are spread over by visitor.")
    queue_batch_size: int = _row(1000, "Most requests that one transaction records.")
    queue_batch_bytes: int = _row(
        16_777_216, "Most bytes of requests that one transaction records; a larger request is recorded alone."
    )
    queue_lease_seconds: int = _row(30, "How long a worker holds a shard without renewing its lease.")
    queue_drain_seconds: int = _row(10, "How long one job drains its shard before the others have a turn.")
    queue_sweep_seconds: int = _row(5, "How often shards that nobody drains are looked for.")
    queue_max_requests: int = _row(1_000_000, "Requests in the live lane from which on further ones go to the spool.")
    queue_max_bytes: int = _row(1_073_741_824, "Bytes in the live lane from which on further requests go to the spool.")
    queue_import_max_requests: int = _row(200_000, "Requests in the import lane from which on imports wait.")
    queue_import_max_bytes: int = _row(268_435_456, "Bytes in the import lane from which on imports wait.")
    dead_letter_limit: int = _row(
        1000, "Requests within an hour that may fail to be recorded before draining stops; 0: it never stops."
    )
    dead_letter_bytes: int = _row(
        268_435_456, "Most bytes of rejected requests kept as dead letters; the oldest make way; 0: no limit."
    )
    workers: int = _row(0, "Drain workers that `queue_workers run` starts; 0 means one per processor.")

    # Recording
    tracker_cache_seconds: int = _row(60, "How long a worker keeps a site, its goals and options before rereading.")
    visit_standard_length: int = _row(1800, "Seconds without an action after which the next one is a new visit.")
    anonymize_ip_bytes: int = _row(2, "Bytes of a client's address to mask before anything is stored (0 to 4).")
    anonymized_ip_for_enrichment: int = _row(
        0, "1: location, provider and fingerprint are made from the masked address; 0: from the whole one, not stored."
    )
    geoip_database: str = _row(
        "", "Path of a `.mmdb` file (GeoIP2, GeoLite2 or DB-IP; countries or cities) that addresses are located with."
    )
    provider_lookup_milliseconds: int = _row(
        0, "Longest that a batch waits for the names of new addresses (reverse DNS); 0 looks up no providers."
    )
    do_not_track: int = _row(0, "1: requests with the header `DNT: 1` or `Sec-GPC: 1` are not recorded.")
    user_agent_cache_size: int = _row(50_000, "User agents whose detected device a worker keeps in memory.")
    device_days: int = _row(
        90, "Days without use after which `archive_cli purge` forgets the device of a user agent; 0: it never does."
    )
    action_cache_size: int = _row(200_000, "Actions whose id a worker keeps in memory.")

    # Requests that are kept after they were recorded, for `footfall export` and `footfall replay`
    kept_requests_directory: str = _row(
        "", "Directory of the worker's machine that recorded requests are kept in; empty: none are."
    )
    kept_requests_bytes: int = _row(1_073_741_824, "Most bytes of requests that are kept there; the oldest make way.")
    kept_requests_hours: int = _row(168, "How long they are kept; 0: as long as there is room.")

    # Archiving and reports
    archive_time_limit_seconds: int = _row(
        20, "How long a report request waits for an archive that is being made before it says so."
    )
    archive_on_demand: str = _row(
        "small",
        "Periods archived when a report asks for them: `none`, `range` (ranges only), `small` (ranges, and any period "
        "with few visits) or `all`.",
    )
    archive_on_demand_visits: int = _row(10_000, "Most visits of a period that `ARCHIVE_ON_DEMAND=small` archives.")
    rearchive_months: int = _row(
        6, "Months before this one for which a new stored segment is archived, and `archive_cli rearchive` by default."
    )
    today_archive_seconds: int = _row(
        900, "Age in seconds at which an archive that new data came for is made again, by runs and on demand."
    )

    def checked_metrics_token(self) -> str:
        """METRICS_TOKEN, or ConfigurationError when it could be guessed."""
        if self.metrics_token and len(self.metrics_token) < 16:
            raise ConfigurationError("METRICS_TOKEN must have 16 characters or more: `openssl rand -hex 16` makes one.")
        return self.metrics_token

    def require_secret_key(self) -> str:
        """The secret key, or ConfigurationError when none is set."""
        if not self.secret_key:
            raise ConfigurationError(
                "SECRET_KEY is not set: set it to the salt that tokens are hashed with "
                "(`make services` writes one to .local/env)."
            )
        return self.secret_key


def setting_names() -> list[str]:
    """The environment variables that are read, in the order of the class."""
    return [f.name.upper() for f in fields(Settings)]


def read(environment: Mapping[str, str | None]) -> Settings:
    """Settings from the given variables.

    Raises:
        ConfigurationError: a value is not a number where one is needed, or is out of range.
    """
    types = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for row in fields(Settings):
        text = environment.get(row.name.upper())
        if text is None:
            continue
        if types[row.name] is int:
            try:
                values[row.name] = int(text)
            except ValueError:
                raise ConfigurationError(f"{row.name.upper()} must be a whole number, not {text!r}.") from None
            if values[row.name] < 0:
                raise ConfigurationError(f"{row.name.upper()} must not be negative, but is {text}.")
        else:
            values[row.name] = text
        assert row.default is not MISSING
    return Settings(**values)


@cache
def load() -> Settings:
    """The settings of this process, read once from the environment and the env file."""
    path = Path(os.environ.get("FOOTFALL_ENV", ENV_FILE))
    from_file = dotenv_values(path) if path.is_file() else {}
    return read({**from_file, **os.environ})
