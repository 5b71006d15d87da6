"""Browser, system and device of a user agent, detected once and kept.

Detection costs about 12 ms for a user agent that was not seen before (MEASUREMENTS.md), a hundred times the rest of a
request. So a result is kept in the worker's memory and in the table `footfall_device`, where every worker and every
process started later finds it.
"""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from importlib.metadata import version
from typing import Any

import msgspec
from cachetools import LRUCache
from device_detector import DeviceDetector

from footfall.clock import Clock
from footfall.database import Database

_DETECTOR = f"device_detector {version('device_detector')} 1"  # a change of rules below needs another number

# Matomo's numbers (conformance: devices).
_DEVICE_TYPES = {
    "desktop": 0,
    "smartphone": 1,
    "tablet": 2,
    "feature phone": 3,
    "console": 4,
    "tv": 5,
    "car browser": 6,
    "smart display": 7,
    "camera": 8,
    "portable media player": 9,
    "phablet": 10,
    "smart speaker": 11,
    "wearable": 12,
    "peripheral": 13,
}
_CLIENT_TYPES = {"browser": 1, "library": 2, "feed reader": 3, "mediaplayer": 4, "mobile app": 5, "pim": 6}


class Device(msgspec.Struct, array_like=True, frozen=True):
    """What is stored of a user agent: the config_* columns of a visit."""

    browser_name: str
    browser_version: str
    browser_engine: str
    client_type: int | None
    os: str
    os_version: str
    device_type: int | None
    brand: str
    model: str
    is_bot: bool


def detect(user_agent: str) -> Device:
    """The device of a user agent, without any cache."""
    found = DeviceDetector(user_agent, check_cache=False).parse()
    engine = found.engine()
    kind = str(found.device_type() or "")
    model = found.device_model() or (f"generic {kind}" if kind else "")
    return Device(
        browser_name=_short(found, "client") or "UNK",
        browser_version=_minor(found.client_version()),
        browser_engine=str(engine.get("default", "") if isinstance(engine, dict) else engine or ""),
        client_type=_CLIENT_TYPES.get(str(found.client_type() or "")),
        os=_short(found, "os") or "UNK",
        os_version=_minor(found.os_version()),
        device_type=_DEVICE_TYPES.get(kind),
        brand=str(found.device_brand() or ""),
        model=str(model)[:100],
        is_bot=bool(found.is_bot()),
    )


def _short(found: Any, part: str) -> str:
    return str(found.all_details.get(part, {}).get("short_name") or "")


def _minor(version_text: str | None) -> str:
    """A version's first two parts: `126.0` of `126.0.0.0`."""
    return ".".join(str(version_text or "").split(".")[:2])[:20]


class Devices:
    """Finds the devices of a batch's user agents, cached in memory and in the database."""

    def __init__(self, database: Database, clock: Clock, size: int) -> None:
        self._database = database
        self._clock = clock
        self._kept: LRUCache[str, Device] = LRUCache(max(size, 1))

    def of(self, user_agents: Collection[str]) -> dict[str, Device]:
        """The device of each user agent; the ones nobody has seen are detected and shared."""
        devices = {ua: self._kept[ua] for ua in user_agents if ua in self._kept}
        unknown = [ua for ua in user_agents if ua not in devices]
        if unknown:
            shared = self._shared(unknown)
            detected = {ua: detect(ua) for ua in unknown if ua not in shared}
            self._share(detected)
            devices |= shared | detected
            self._kept.update(shared | detected)
        return devices

    def _shared(self, user_agents: Iterable[str]) -> dict[str, Device]:
        by_hash = {_hash(ua): ua for ua in user_agents}
        rows = self._database.query(
            f"SELECT hash, device FROM {self._database.table('footfall_device')} "
            f"WHERE hash IN ({', '.join(['%s'] * len(by_hash))})",
            tuple(by_hash),
        )
        return {by_hash[bytes(key)]: msgspec.msgpack.decode(bytes(value), type=Device) for key, value in rows}

    def _share(self, detected: dict[str, Device]) -> None:
        if not detected:
            return
        now: datetime = self._clock.now().replace(tzinfo=None, microsecond=0)
        rows = [(_hash(ua), msgspec.msgpack.encode(device), now) for ua, device in sorted(detected.items())]
        self._database.execute(
            f"INSERT IGNORE INTO {self._database.table('footfall_device')} (hash, device, ts_detected) VALUES "
            + ", ".join(["(%s, %s, %s)"] * len(rows)),
            [value for row in rows for value in row],
        )


def _hash(user_agent: str) -> bytes:
    return hashlib.blake2b(user_agent.encode("utf-8", "surrogatepass"), digest_size=16, key=_DETECTOR.encode()).digest()
