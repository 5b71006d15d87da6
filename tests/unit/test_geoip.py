"""Places of addresses, from a small .mmdb file made here."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from footfall.clock import FixedClock
from footfall.errors import ConfigurationError
from footfall.tracking.addresses import pack
from footfall.tracking.geoip import GeoDatabase
from footfall.tracking.location import Location
from footfall.tracking.locations import Locator, said

BERLIN = {
    "country": {"iso_code": "DE"},
    "subdivisions": [{"iso_code": "BE", "names": {"en": "Land Berlin"}}],
    "city": {"names": {"de": "Berlin", "en": "Berlin"}},
    "location": {"latitude": 52.5200066, "longitude": 13.404954},
}
IN_BERLIN = Location("de", "BE", "Berlin", 52.520007, 13.404954)


def write(path: Path, networks: dict[str, dict[str, Any]], ip_version: int = 6) -> Path:
    writer = MMDBWriter(ip_version=ip_version, ipv4_compatible=ip_version == 6, float_type="f64")
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    fresh = path.with_suffix(".new")
    writer.to_db_file(str(fresh))
    fresh.rename(path)
    return path


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 8, 20, tzinfo=UTC))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(
        tmp_path / "places.mmdb",
        {
            "192.0.2.0/24": BERLIN,
            "2001:db8::/32": {"country": {"iso_code": "NZ"}},
            "198.51.100.0/24": {"registered_country": {"iso_code": "FR"}, "subdivisions": [{"names": {"en": "X"}}]},
            "203.0.113.0/24": {"traits": {"is_anycast": True}},
        },
    )


def test_an_address_of_a_city_is_located_whole(path: Path, clock: FixedClock) -> None:
    assert GeoDatabase(str(path), clock).find(pack("192.0.2.9")) == IN_BERLIN


def test_an_ipv6_address_is_located(path: Path, clock: FixedClock) -> None:
    assert GeoDatabase(str(path), clock).find(pack("2001:db8::9")) == Location("nz")


def test_a_record_without_a_country_of_its_own_has_the_registered_one(path: Path, clock: FixedClock) -> None:
    assert GeoDatabase(str(path), clock).find(pack("198.51.100.9")) == Location("fr")


@pytest.mark.parametrize("address", ["203.0.113.1", "10.0.0.1", "::1"])
def test_an_address_without_a_country_is_not_located(path: Path, clock: FixedClock, address: str) -> None:
    assert GeoDatabase(str(path), clock).find(pack(address)) is None


def test_an_ipv6_address_is_not_located_by_a_file_of_ipv4_addresses(tmp_path: Path, clock: FixedClock) -> None:
    path = write(tmp_path / "four.mmdb", {"192.0.2.0/24": BERLIN}, ip_version=4)
    database = GeoDatabase(str(path), clock)
    assert database.find(pack("2001:db8::9")) is None
    assert database.find(pack("192.0.2.9")) == IN_BERLIN


def test_a_replaced_file_is_read_within_seconds(path: Path, clock: FixedClock) -> None:
    database = GeoDatabase(str(path), clock)
    assert database.find(pack("192.0.2.9")) == IN_BERLIN
    write(path, {"192.0.2.0/24": {"country": {"iso_code": "AT"}}})
    clock.moment += timedelta(seconds=11)
    assert database.find(pack("192.0.2.9")) == Location("at")


def test_a_replacement_that_cannot_be_read_leaves_the_former_file_in_use(
    path: Path, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    database = GeoDatabase(str(path), clock)
    broken = path.with_suffix(".broken")
    broken.write_bytes(b"not a database")
    broken.rename(path)
    clock.moment += timedelta(seconds=11)
    with caplog.at_level(logging.WARNING):
        assert database.find(pack("192.0.2.9")) == IN_BERLIN
    assert "the former file stays in use" in caplog.text


@pytest.mark.parametrize("content", [None, b"not a database"])
def test_a_file_that_cannot_be_read_is_an_error_that_names_the_setting(
    tmp_path: Path, clock: FixedClock, content: bytes | None
) -> None:
    path = tmp_path / "wrong.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="GEOIP_DATABASE names"):
        GeoDatabase(str(path), clock)


def test_the_language_suggests_a_country_where_the_file_knows_none(path: Path, clock: FixedClock) -> None:
    locator = Locator(GeoDatabase(str(path), clock))
    assert locator.locate(pack("10.0.0.1"), "jp") == Location("jp")
    assert locator.locate(pack("192.0.2.9"), "jp") == IN_BERLIN
    assert Locator(None).locate(pack("192.0.2.9"), "jp") == Location("jp")


def test_each_parameter_says_its_part_of_the_location() -> None:
    assert said({}, 1) == {}
    assert said({"city": "Potsdam", "region": "BB"}, 1) == {"city": "Potsdam", "region": "BB"}
    assert said({"country": "NZ", "lat": "-36.8484614", "long": "174.76"}, 1) == {
        "country": "nz",
        "latitude": -36.848461,
        "longitude": 174.76,
    }


def test_a_country_that_does_not_exist_and_coordinates_that_are_none_say_nothing() -> None:
    assert said({"country": "zz", "lat": "95", "long": "abc", "region": " ", "city": ""}, 1) == {}
    assert said({"lat": "nan", "long": "inf", "country": "deu"}, 1) == {}
