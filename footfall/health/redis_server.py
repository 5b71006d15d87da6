"""Redis: whether it keeps what it acknowledged, and lets us do what we do."""

import redis
from rq import Queue
from rq.registry import FailedJobRegistry

from footfall.health.finding import Check, Finding, Need, ok, problem, warning
from footfall.health.installation import Installation
from footfall.queue.redis import keys

_MIB = 1024**2
_OLDEST = (6, 0)
_FULL_SHARE = 0.7
_QUEUE_SHARE = 0.8  # of maxmemory, from which on requests go to the spool (footfall/queue/capacity.py)
_MACHINE_SHARE = 0.5
_SCRIPT = "return 1"


def server(installation: Installation) -> Finding:
    """Whether it can be reached, and is one that we know."""
    info = installation.info
    text = f"Redis {info.get('redis_version')}"
    if info.get("redis_mode") == "cluster" or int(info.get("cluster_enabled", 0)):
        return problem(f"{text} is a cluster", "use a single server, with replicas if you like.")
    release = tuple(int(part) for part in str(info.get("redis_version", "0")).split(".")[:2] if part.isdigit())
    if release < _OLDEST:
        return problem(f"{text} is too old", f"use Redis {'.'.join(map(str, _OLDEST))} or newer.")
    if int(info.get("loading", 0)):
        return warning(f"{text} is loading its data", "wait until it has.")
    return ok(text)


def role(installation: Installation) -> Finding:
    """Whether it takes writes."""
    if installation.info.get("role", "master") != "master":
        return problem(
            "this Redis is a replica: it takes no requests, or loses them", "point REDIS_URL at the primary."
        )
    return ok(f"this Redis is the primary, with {installation.info.get('connected_slaves', 0)} replicas")


def persistence(installation: Installation) -> Finding:
    """Whether accepted requests survive a crash."""
    info = installation.info
    advice = "set appendonly yes and appendfsync everysec (or always)."
    fsync, save = _setting(installation, "appendfsync"), _setting(installation, "save")
    if info.get("aof_enabled"):
        if fsync == "no":
            return warning("appendfsync is no: a crash of the machine loses many seconds of accepted requests", advice)
        return ok(f"the append-only file is on (appendfsync {fsync or 'unknown: CONFIG GET is not allowed to us'})")
    if save:
        return warning(
            f"the append-only file is off: a crash loses what was accepted since the last snapshot (save {save})",
            advice,
        )
    if save is None:
        return warning("the append-only file is off: a crash loses what was accepted since the last snapshot", advice)
    return problem("nothing is written to the disk: accepted requests are lost when Redis ends", advice)


def last_writes(installation: Installation) -> Finding:
    """Whether its last attempts to write to the disk succeeded: after a failed snapshot it may refuse all writes."""
    info = installation.info
    names = ("rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status")
    failed = [name for name in names if info.get(name, "ok") != "ok"]
    if failed:
        return problem(f"Redis could not write to its disk ({', '.join(failed)})", "look at its log and its disk.")
    return ok("Redis's last writes to its disk succeeded")


def eviction(installation: Installation) -> Finding:
    """Whether it drops accepted requests when its memory is full."""
    info = installation.info
    policy = info.get("maxmemory_policy", "unknown")
    evicted = int(info.get("evicted_keys", 0))
    if policy == "noeviction":
        if evicted:
            return warning(
                f"{evicted} keys were dropped since Redis started, under another maxmemory-policy",
                "look at maxmemory; what was dropped is lost.",
            )
        return ok("maxmemory-policy is noeviction")
    advice = "set maxmemory-policy noeviction."
    if not info.get("maxmemory"):
        text = f"maxmemory-policy is {policy}: with a maxmemory, Redis would drop accepted requests when it is full"
        return warning(text, advice)
    lost = f"; {evicted} keys were dropped since it started" if evicted else ""
    return problem(f"maxmemory-policy is {policy}: Redis drops accepted requests when it is full{lost}", advice)


def memory(installation: Installation) -> list[Finding]:
    """Whether there is room for what the queue may hold."""
    info, settings = installation.info, installation.settings
    most, used = int(info.get("maxmemory") or 0), int(info.get("used_memory") or 0)
    limit = settings.queue_max_bytes + settings.queue_import_max_bytes
    if not most:
        machine = int(info.get("total_system_memory") or 0)
        if machine and limit > _MACHINE_SHARE * machine:
            return [
                warning(
                    f"the queue may take {limit / _MIB:,.0f} MiB (QUEUE_MAX_BYTES, QUEUE_IMPORT_MAX_BYTES) of the "
                    f"{machine / _MIB:,.0f} MiB of Redis's machine, and Redis has no maxmemory",
                    "set maxmemory, or lower these.",
                )
            ]
        return [ok(f"Redis uses {used / _MIB:,.0f} MiB and has no maxmemory")]
    found = []
    if settings.queue_max_bytes > _QUEUE_SHARE * most:
        found.append(
            warning(
                f"QUEUE_MAX_BYTES is {settings.queue_max_bytes / _MIB:,.0f} MiB, and maxmemory {most / _MIB:,.0f} MiB: "
                f"requests go to the spool before, at {_QUEUE_SHARE:.0%} of maxmemory",
                "raise maxmemory, or lower QUEUE_MAX_BYTES.",
            )
        )
    if used > _FULL_SHARE * most:
        found.append(
            warning(
                f"Redis uses {used / most:.0%} of its maxmemory: at {_QUEUE_SHARE:.0%} requests go to the spool",
                "look what takes it (`queue_workers status`, other users of this Redis), or raise maxmemory.",
            )
        )
    return found or [ok(f"Redis uses {used / _MIB:,.0f} of {most / _MIB:,.0f} MiB (maxmemory)")]


def commands(installation: Installation) -> Finding:
    """Whether our user may do what endpoints and workers do."""
    client, denied = installation.redis, []
    tries = {
        "SCRIPT LOAD and EVALSHA": lambda: client.evalsha(str(client.script_load(_SCRIPT)), 0),
        "MEMORY USAGE": lambda: client.memory_usage(keys.requests("doctor")),
        "SCAN": lambda: client.scan(match=keys.PREFIX + "doctor", count=1),
        "PUBLISH": lambda: client.publish("rq:pubsub:doctor", ""),
    }
    for name, attempt in tries.items():
        try:
            attempt()
        except redis.exceptions.NoPermissionError:
            denied.append(name)
    if denied:
        return problem(
            f"Redis does not allow us {', '.join(denied)}",
            "SECURITY.md has the line for its ACL that allows what is needed.",
        )
    return ok("Redis allows us the commands that we use")


def jobs(installation: Installation) -> Finding:
    """Jobs that RQ gave up."""
    client = installation.redis
    registries = [
        FailedJobRegistry(queue=Queue(name, connection=client), connection=client) for name in keys.JOB_QUEUES
    ]
    failed = sum(registry.get_job_count(cleanup=False) for registry in registries)
    if failed:
        text = f"{failed} jobs of RQ failed lately; the sweep asks again for what they left"
        return warning(text, "the log of the workers says why.")
    return ok("no job of RQ failed lately")


def _setting(installation: Installation, name: str) -> str | None:
    """A setting of Redis; None when we may not read it."""
    try:
        return str(installation.redis.config_get(name).get(name, ""))
    except (redis.exceptions.NoPermissionError, redis.ResponseError):
        return None


CHECKS = (
    Check("redis.server", server, Need.REDIS),
    Check("redis.role", role, Need.REDIS),
    Check("redis.persistence", persistence, Need.REDIS),
    Check("redis.last-writes", last_writes, Need.REDIS),
    Check("redis.eviction", eviction, Need.REDIS),
    Check("redis.memory", memory, Need.REDIS),
    Check("redis.commands", commands, Need.REDIS),
    Check("redis.jobs", jobs, Need.REDIS),
)
