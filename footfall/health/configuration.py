"""Settings that are missing, that cannot be understood, or that make no sense, alone or together."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from footfall import log
from footfall.archiving.freshness import OnDemandRules
from footfall.errors import ConfigurationError
from footfall.health.finding import Check, Finding, State, ok, problem, warning
from footfall.health.installation import Installation
from footfall.journal.journal import Journal
from footfall.settings import ENV_FILE, Settings

_SHORTEST_KEY = 16
_SEGMENT_BYTES = 8 * 1024**2
_ANYBODY_BITS = 8  # a network this large or larger is not one's own
_POSITIVE = (
    *("max_body_bytes", "max_bulk_requests", "max_headers", "max_header_bytes", "max_request_seconds"),
    *("max_connections", "max_memory_bytes", "queue_push_seconds", "queue_shards", "queue_batch_size"),
    *("queue_batch_bytes", "queue_lease_seconds", "queue_drain_seconds", "queue_sweep_seconds", "queue_max_requests"),
    *("queue_max_bytes", "visit_standard_length"),
)


@dataclass(frozen=True)
class Rule:
    """A combination of settings that makes no sense.

    Args:
        is_broken: whether it is the case.
        text: what is the case, with `{name}` for the value of a setting.
        advice: what to do.
    """

    state: State
    is_broken: Callable[[Settings], bool]
    text: str
    advice: str


RULES = (
    Rule(
        State.PROBLEM,
        lambda s: s.max_body_bytes > s.max_memory_bytes,
        "MAX_BODY_BYTES ({max_body_bytes}) is more than MAX_MEMORY_BYTES ({max_memory_bytes}): no such body is taken",
        "lower the one or raise the other.",
    ),
    Rule(
        State.WARNING,
        lambda s: s.max_memory_bytes < 4 * s.max_body_bytes,
        "MAX_MEMORY_BYTES ({max_memory_bytes}) has room for fewer than four bodies of MAX_BODY_BYTES",
        "raise MAX_MEMORY_BYTES: beyond it clients get 503.",
    ),
    Rule(
        State.WARNING,
        lambda s: s.queue_batch_size > s.queue_max_requests,
        "QUEUE_BATCH_SIZE ({queue_batch_size}) is more than QUEUE_MAX_REQUESTS ({queue_max_requests})",
        "raise QUEUE_MAX_REQUESTS.",
    ),
    Rule(
        State.WARNING,
        lambda s: 0 < s.queue_lease_seconds < 5,
        "QUEUE_LEASE_SECONDS is {queue_lease_seconds}: a slow batch outlives its lease and is done twice over",
        "set it to 10 or more.",
    ),
    Rule(
        State.WARNING,
        lambda s: s.queue_sweep_seconds > 60,
        "QUEUE_SWEEP_SECONDS is {queue_sweep_seconds}: what a lost job leaves behind waits that long",
        "set it to 5 or so.",
    ),
    Rule(
        State.WARNING,
        lambda s: s.queue_push_seconds >= s.max_request_seconds,
        "QUEUE_PUSH_SECONDS ({queue_push_seconds}) is not below MAX_REQUEST_SECONDS ({max_request_seconds})",
        "lower QUEUE_PUSH_SECONDS: clients wait that long when Redis is frozen.",
    ),
    Rule(
        State.WARNING,
        lambda s: s.workers > s.queue_shards > 0,
        "WORKERS ({workers}) is more than QUEUE_SHARDS ({queue_shards}): the others have nothing to do",
        "raise QUEUE_SHARDS, or lower WORKERS.",
    ),
    Rule(
        State.WARNING,
        lambda s: not s.spool_directory,
        "SPOOL_DIRECTORY is empty: without Redis every request is answered 503",
        "set it to a directory on the endpoint's disk.",
    ),
    Rule(
        State.WARNING,
        lambda s: bool(s.spool_directory) and s.spool_bytes < 4 * _SEGMENT_BYTES,
        "SPOOL_BYTES is {spool_bytes}: an outage of Redis of seconds fills it",
        "set it to what the disk has to spare.",
    ),
    Rule(
        State.WARNING,
        lambda s: bool(s.spool_directory) and s.spool_fsync == "no",
        "SPOOL_FSYNC is no: a crash of the machine loses what was spooled before it",
        "set it to everysec.",
    ),
    Rule(
        State.WARNING,
        lambda s: not s.dead_letter_limit,
        "DEAD_LETTER_LIMIT is 0: a broken version turns all traffic into dead letters before anybody looks",
        "set it to 1000 or so.",
    ),
    Rule(
        State.WARNING,
        lambda s: not s.brute_force_attempts,
        "BRUTE_FORCE_ATTEMPTS is 0: anybody may guess tokens and passwords for ever",
        "set it to 20 or so.",
    ),
    Rule(
        State.WARNING,
        lambda s: s.anonymize_ip_bytes > 4,
        "ANONYMIZE_IP_BYTES is {anonymize_ip_bytes}: an address has four bytes to mask, of IPv6 in steps",
        "set it to 0 to 4.",
    ),
    Rule(
        State.WARNING,
        lambda s: s.tracker_cache_seconds > 3600,
        "TRACKER_CACHE_SECONDS is {tracker_cache_seconds}: what Matomo changes is seen after that long",
        "set it to 60 or so.",
    ),
    Rule(
        State.WARNING,
        lambda s: bool(s.log_to_database) and not s.log_database_days,
        "LOG_TO_DATABASE is on and LOG_DATABASE_DAYS is 0: these tables grow for ever",
        "set LOG_DATABASE_DAYS, and run `archive_cli purge` every day.",
    ),
    Rule(
        State.WARNING,
        lambda s: s.today_archive_seconds > 86_400,
        "TODAY_ARCHIVE_SECONDS is {today_archive_seconds}: reports of today are more than a day behind",
        "set it to 900 or so.",
    ),
)


def secret_key(installation: Installation) -> Finding:
    """Whether tokens can be checked, and the salt cannot be guessed."""
    key = installation.settings.secret_key
    if not key:
        return problem(
            "SECRET_KEY is not set: no token can be checked",
            "set it to 32 random characters (`openssl rand -hex 16`), on a Matomo's database to the `salt` of its "
            "config.ini.php.",
        )
    if len(key) < _SHORTEST_KEY or len(set(key)) < 6:
        return warning(
            "SECRET_KEY can be guessed: whoever reads the table of tokens can try which token fits",
            f"use {_SHORTEST_KEY} random characters or more (`openssl rand -hex 16`), and make all tokens anew.",
        )
    return ok("SECRET_KEY is set")


def words(installation: Installation) -> list[Finding]:
    """Settings that take certain words alone."""
    settings = installation.settings
    tries: list[Callable[[], object]] = [
        lambda: installation.spool,
        lambda: OnDemandRules(settings.archive_on_demand, 0, 0),
        lambda: Journal(settings),
        lambda: log.formatter(settings.log_format),
        settings.checked_metrics_token,
        lambda: _check_level(settings.log_level),
    ]
    found = []
    for attempt in tries:
        try:
            attempt()
        except ConfigurationError as error:
            found.append(problem(str(error), "correct it: processes do not start with it, or fail later."))
    return found or [ok("all settings that take certain words have one of them")]


def _check_level(level: str) -> None:
    if not isinstance(logging.getLevelName(level.upper()), int):
        raise ConfigurationError(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {level!r}.")


def sense(installation: Installation) -> list[Finding]:
    """Settings that make no sense, alone or together."""
    settings = installation.settings
    found = [
        problem(f"{name.upper()} is 0", "set it to a number above 0; docs/settings.md has the default.")
        for name in _POSITIVE
        if getattr(settings, name) == 0
    ]
    values = vars(settings)
    found += [
        Finding(rule.state, rule.text.format_map(values), rule.advice) for rule in RULES if rule.is_broken(settings)
    ]
    return found or [ok("the settings make sense together")]


def proxies(installation: Installation) -> Finding:
    """Whether only one's own balancers may say what a client's address is."""
    text = installation.settings.trusted_proxies
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            network = ip_network(part, strict=False)
        except ValueError:
            return problem(
                f"TRUSTED_PROXIES has {part!r}, which is no address and no network: the endpoint does not start",
                "write addresses or networks with commas between (10.0.0.0/8, 192.0.2.1).",
            )
        if network.prefixlen < _ANYBODY_BITS:
            return warning(
                f"TRUSTED_PROXIES has {part}: anybody can claim any address with X-Forwarded-For",
                "name your balancers and nothing else.",
            )
    return ok(f"X-Forwarded-For is believed from {text or 'nobody'} (TRUSTED_PROXIES)")


def env_file(_: Installation) -> Finding:
    """Whether the file with the secrets can be read by its owner alone."""
    path = Path(os.environ.get("FOOTFALL_ENV", ENV_FILE))
    if not path.is_file():
        return ok("all settings come from the environment")
    if path.stat().st_mode & 0o077:
        return warning(f"{path} holds secrets and can be read by other users", f"`chmod 600 {path}`.")
    return ok(f"settings come from the environment and from {path}, which its owner alone can read")


CHECKS = (
    Check("settings.secret-key", secret_key),
    Check("settings.words", words),
    Check("settings.sense", sense),
    Check("settings.trusted-proxies", proxies),
    Check("settings.env-file", env_file),
)
