"""Addresses: packed, and masked before they are stored."""

import ipaddress

import pytest

from footfall.tracking.addresses import mask, pack


def shown(packed: bytes) -> str:
    return str(ipaddress.ip_address(packed))


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("192.0.2.171", ["192.0.2.171", "192.0.2.0", "192.0.0.0", "192.0.0.0", "0.0.0.0"]),
        (
            "2001:db8:85a3:8d3:1319:8a2e:370:7348",
            ["2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3:8d3::", "2001:db8:85a3::", "2001:d00::", "::"],
        ),
        (
            "::ffff:192.0.2.171",
            ["::ffff:192.0.2.171", "::ffff:192.0.2.0", "::ffff:192.0.0.0", "::ffff:192.0.0.0", "::ffff:0.0.0.0"],
        ),
    ],
)
def test_an_address_is_masked_as_matomo_does_it(address: str, masked: list[str]) -> None:
    assert [mask(pack(address), count) for count in range(5)] == [pack(text) for text in masked]


def test_more_bytes_than_an_address_has_mask_all_of_it() -> None:
    assert shown(mask(pack("192.0.2.171"), 9)) == "0.0.0.0"
    assert shown(mask(pack("2001:db8::1"), 9)) == "::"


@pytest.mark.parametrize(
    "text", ["", "unknown", "192.0.2", "192.0.2.256", "2001:db8::g", "1\x002", "\udcff:", "٣.1.1.1"]
)
def test_what_is_no_address_is_stored_as_none(text: str) -> None:
    assert shown(pack(text)) == "0.0.0.0"
