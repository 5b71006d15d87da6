"""Browser, system and device of a user agent, detected once, kept and shared.

Detection costs about 0.2 ms for a user agent that was not seen before (bench/devices.py), as much as the rest of a
request. A result is kept in the worker's memory; an agent that comes in a second batch is also written to the table
`footfall_device`, where every worker and every process started later finds it. Agents that come once, such as a
botnet's that sends another one with each request, are never written: they cost their detection, which bounds what a
batch of them can cost to a fraction of a second, and change nothing for others. Results are the same from wherever
they come, so that recording a batch again gives the same rows.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from importlib.metadata import version
from typing import NamedTuple

import msgspec
from cachetools import LRUCache
from device_detector.parser.device.base import BRAND_TO_ABBREV

from footfall.clock import Clock
from footfall.database import Database
from footfall.tracking.detection import hints
from footfall.tracking.detection.detector import Detection
from footfall.tracking.detection.detector import detect as detect_agent

_DETECTOR = f"device_detector {version('device_detector')} 2"  # a change of our rules needs another number
_USED_DAYS = timedelta(days=7)  # how exactly the date of a row's last use is kept
_USER_AGENT_CHARACTERS = 500  # the reference looks at no more
_HINTS_CHARACTERS = 4_000  # several times what browsers send; longer ones are not read

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
_UNKNOWN = "UNK"
_BOT = "BOT"  # stands for the system of a bot that is recorded all the same


class Agent(NamedTuple):
    """What a device is detected from: the user agent, and the client hints as the parameter `uadata` has them."""

    user_agent: str
    hints: str = ""

    @classmethod
    def of(cls, user_agent: str, uadata: str = "") -> "Agent":
        """The agent of a request, without what cannot matter."""
        return cls(user_agent.strip()[:_USER_AGENT_CHARACTERS], uadata if len(uadata) <= _HINTS_CHARACTERS else "")


class Device(msgspec.Struct, array_like=True, frozen=True):
    """What is stored of an agent: the config_* columns of a visit."""

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


def detect(agent: Agent) -> Device:
    """The device of an agent, without any cache."""
    return _stored(detect_agent(agent.user_agent, hints.parse(agent.hints)))


def _stored(found: Detection) -> Device:
    """A detection in the form of the columns (conformance: devices)."""
    system, client, hardware = found.system, found.client, found.hardware
    return Device(
        browser_name=(client.short or client.name or _UNKNOWN)[:40],
        browser_version=_minor(client.version)[:20],
        browser_engine=client.engine[:10],
        client_type=_CLIENT_TYPES.get(client.kind),
        os=_BOT if found.is_bot else system.short or _UNKNOWN,
        os_version=_minor(system.version)[:100] if system.name else _UNKNOWN,
        device_type=_DEVICE_TYPES.get(hardware.kind),
        brand=BRAND_TO_ABBREV.get(hardware.brand.lower(), ""),
        model=(hardware.model or (f"generic {hardware.kind}" if hardware.kind else ""))[:100],
        is_bot=found.is_bot,
    )


def _minor(version_text: str) -> str:
    """A version's first two parts: `126.0` of `126.0.0.0`."""
    return ".".join(version_text.split(".")[:2])


class Devices:
    """Finds the devices of a batch's agents, kept in memory and shared through the database."""

    def __init__(self, database: Database, clock: Clock, size: int) -> None:
        self._database = database
        self._clock = clock
        self._kept: LRUCache[Agent, Device] = LRUCache(max(size, 1))
        self._seen_once: LRUCache[Agent, Device] = LRUCache(max(size, 1))

    def of(self, agents: Collection[Agent]) -> dict[Agent, Device]:
        """The device of each agent: from memory, from other processes, or detected now."""
        kept = self._kept
        devices = {agent: kept[agent] for agent in agents if agent in kept}
        self._share({agent: device for agent, device in devices.items() if agent in self._seen_once})
        unknown = [agent for agent in agents if agent not in devices]
        if unknown:
            found = self._shared(unknown)
            for agent in unknown:
                if agent not in found:
                    found[agent] = self._seen_once[agent] = detect(agent)
            kept.update(found)
            devices |= found
        return devices

    def _shared(self, agents: Iterable[Agent]) -> dict[Agent, Device]:
        by_hash = {_hash(agent): agent for agent in agents}
        rows = self._database.query(
            f"SELECT hash, device, date_used FROM {self._database.table('footfall_device')} "
            f"WHERE hash IN ({', '.join(['%s'] * len(by_hash))})",
            tuple(by_hash),
        )
        today = self._clock.now().date()
        self._use(sorted(bytes(key) for key, _, used in rows if used is None or today - used >= _USED_DAYS))
        return {by_hash[bytes(key)]: msgspec.msgpack.decode(bytes(value), type=Device) for key, value, _ in rows}

    def _use(self, hashes: Sequence[bytes]) -> None:
        """Note that these rows are used, which keeps them from being purged (device_purge.py)."""
        if hashes:
            self._database.execute(
                f"UPDATE {self._database.table('footfall_device')} SET date_used = %s "
                f"WHERE hash IN ({', '.join(['%s'] * len(hashes))})",
                (self._clock.now().date(), *hashes),
            )

    def _share(self, devices: dict[Agent, Device]) -> None:
        if not devices:
            return
        now = self._clock.now().replace(tzinfo=None, microsecond=0)
        rows = sorted(
            (_hash(agent), msgspec.msgpack.encode(device), now, now.date()) for agent, device in devices.items()
        )
        self._database.execute(
            f"INSERT IGNORE INTO {self._database.table('footfall_device')} "
            "(hash, device, ts_detected, date_used) VALUES " + ", ".join(["(%s, %s, %s, %s)"] * len(rows)),
            [value for row in rows for value in row],
        )
        for agent in devices:
            del self._seen_once[agent]


def _hash(agent: Agent) -> bytes:
    text = f"{agent.user_agent}\0{agent.hints}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16, key=_DETECTOR.encode()).digest()
