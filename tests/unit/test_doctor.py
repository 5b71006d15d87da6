"""What `footfall doctor` says about a Redis, by what the Redis says about itself."""

from typing import Any

import pytest

from footfall.cli.doctor import redis_server

GOOD = {"redis_version": "7.0.15", "aof_enabled": 1, "maxmemory": 0, "maxmemory_policy": "noeviction"}


class StubRedis:
    def __init__(self, **different: Any) -> None:
        self._info = GOOD | different

    def info(self) -> dict[str, Any]:
        return self._info


@pytest.mark.parametrize(
    ("different", "state"),
    [
        ({}, "ok"),
        ({"aof_enabled": 0}, "warn"),
        ({"maxmemory_policy": "allkeys-lru"}, "warn"),
        ({"maxmemory_policy": "allkeys-lru", "maxmemory": 1000}, "fail"),
    ],
)
def test_a_redis_that_may_lose_requests_is_named(different: dict[str, Any], state: str) -> None:
    findings = list(redis_server(StubRedis(**different)))  # type: ignore[arg-type]
    worst = max(findings, key=lambda finding: ("ok", "warn", "fail").index(finding.state))
    assert worst.state == state
    assert bool(worst.advice) == (state != "ok")
