"""The client's address behind proxies."""

import pytest

from footfall.errors import ConfigurationError
from tracker_api.addresses import TrustedProxies

PROXIES = TrustedProxies("10.0.0.0/8, 2001:db8:1::/48,127.0.0.1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["192.0.2.9"], "198.51.100.7"),  # not from a trusted proxy: not believed
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.9"], "192.0.2.9"),
        ("10.0.0.1", ["203.0.113.1, 192.0.2.9, 10.1.1.1"], "192.0.2.9"),  # the client wrote the first one itself
        ("10.0.0.1", ["203.0.113.1", "192.0.2.9", "10.1.1.1"], "192.0.2.9"),  # several headers are one list
        ("10.0.0.1", ["192.0.2.9, unknown, , ;drop"], "192.0.2.9"),
        ("10.0.0.1", ["not an address"], "10.0.0.1"),
        ("10.0.0.1", ["10.3.0.1, 10.2.0.1"], "10.3.0.1"),
        ("10.0.0.1", ["192.0.2.9:4711"], "192.0.2.9"),
        ("2001:db8:1::5", ["[2001:db8:2::9]:4711"], "2001:db8:2::9"),
        ("10.0.0.1", ["2001:DB8:2::9"], "2001:db8:2::9"),
        ("::ffff:10.0.0.1", ["::ffff:192.0.2.9"], "192.0.2.9"),
        ("", ["192.0.2.9"], ""),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_trusted_proxy(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert PROXIES.client(peer, forwarded) == client


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert TrustedProxies("").client("10.0.0.1", ["192.0.2.9"]) == "10.0.0.1"


def test_a_setting_that_is_no_network_is_an_error_that_names_it() -> None:
    with pytest.raises(ConfigurationError, match=r"TRUSTED_PROXIES.*10\.0\.0\.300"):
        TrustedProxies("10.0.0.1,10.0.0.300")
