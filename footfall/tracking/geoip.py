"""Where an address is, from a database file in MaxMind's format (GeoIP2, GeoLite2, DB-IP: `.mmdb`)."""

import ipaddress
import logging
from pathlib import Path
from typing import Any

import maxminddb
from cachetools import LRUCache

from footfall.clock import Clock
from footfall.errors import ConfigurationError
from footfall.tracking.location import Location

_log = logging.getLogger(__name__)
_CHECK_SECONDS = 10.0  # how soon a replaced file is noticed
_CACHED_ADDRESSES = 50_000
_MISSING = object()

_Version = tuple[int, int, int]


class GeoDatabase:
    """One `.mmdb` file, opened again when it is replaced.

    The file is mapped into memory: replace it by renaming the new one over it, as geoipupdate does.

    Args:
        path: the file, of countries or of cities.

    Raises:
        ConfigurationError: the file cannot be read. A replacement that cannot be read is logged, and the former file
            stays in use.
    """

    def __init__(self, path: str, clock: Clock) -> None:
        self._path = Path(path)
        self._clock = clock
        self._found: LRUCache[bytes, Location | None] = LRUCache(_CACHED_ADDRESSES)
        try:
            self._version = self._stat()
            self._reader = maxminddb.open_database(self._path)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise ConfigurationError(
                f"GEOIP_DATABASE names {path}, which cannot be read as a .mmdb file: {error}"
            ) from error
        self._checked_at = clock.monotonic()

    def find(self, address: bytes) -> Location | None:
        """Where a packed address (4 or 16 bytes) is; None when the file does not know its country."""
        if self._clock.monotonic() - self._checked_at >= _CHECK_SECONDS:
            self._reopen_if_replaced()
        found = self._found.get(address, _MISSING)
        if found is _MISSING:
            found = self._found[address] = self._look_up(address)
        return found  # type: ignore[return-value]

    def _look_up(self, address: bytes) -> Location | None:
        try:
            record = self._reader.get(ipaddress.ip_address(address))
        except (ValueError, maxminddb.InvalidDatabaseError):
            return None  # an IPv6 address in a file of IPv4 addresses, or a damaged part of the file
        return location_of(record) if isinstance(record, dict) else None

    def _stat(self) -> _Version:
        status = self._path.stat()
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _reopen_if_replaced(self) -> None:
        self._checked_at = self._clock.monotonic()
        try:
            version = self._stat()
            if version == self._version:
                return
            reader = maxminddb.open_database(self._path)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            _log.warning("%s cannot be read, the former file stays in use: %s", self._path, error)
            return
        self._reader.close()
        self._reader, self._version = reader, version
        self._found.clear()
        _log.info("%s was replaced and is in use", self._path)


def location_of(record: dict[str, Any]) -> Location | None:
    """The location that a record of the file says; None without a country."""
    country = _part(record, "country").get("iso_code") or _part(record, "registered_country").get("iso_code")
    if not isinstance(country, str):
        return None
    subdivisions, position = record.get("subdivisions"), _part(record, "location")
    region = subdivisions[0].get("iso_code") if isinstance(subdivisions, list) and subdivisions else None
    city = _part(_part(record, "city"), "names").get("en")
    return Location(
        country.lower()[:3],
        region=region if isinstance(region, str) and len(region) <= 3 else None,
        city=city[:255] if isinstance(city, str) else None,
        latitude=_coordinate(position.get("latitude")),
        longitude=_coordinate(position.get("longitude")),
    )


def _part(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _coordinate(value: object) -> float | None:
    return round(float(value), 6) if isinstance(value, (int, float)) else None
