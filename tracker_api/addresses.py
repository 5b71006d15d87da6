"""The address of the client, where proxies stand in between."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from footfall.errors import ConfigurationError

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network


class TrustedProxies:
    """The proxies whose `X-Forwarded-For` is believed.

    Args:
        text: TRUSTED_PROXIES, addresses and networks separated by commas.

    Raises:
        ConfigurationError: one of them is neither.
    """

    def __init__(self, text: str) -> None:
        self._networks = [_network(part.strip()) for part in text.split(",") if part.strip()]
        self._trusts_peer = lru_cache(maxsize=4096)(self._trusts_text)

    def client(self, peer: str, forwarded: Iterable[str]) -> str:
        """The client's address.

        From the right, where the proxies nearest to us wrote, the first address that is not a trusted proxy; what is
        not an address is passed over.

        Args:
            peer: the address at the other end of the connection.
            forwarded: the values of all `X-Forwarded-For` headers, in order.
        """
        if not self._networks or not self._trusts_peer(peer):
            return peer
        nearest = peer
        for hop in reversed(",".join(forwarded).split(",")):
            address = _address(hop)
            if address is None:
                continue
            nearest = str(address)
            if not self._trusts(address):
                break
        return nearest

    def client_of(self, scope: Mapping[str, Any]) -> str:
        """The client's address of an ASGI scope; empty when the server does not know it."""
        peer, _ = scope.get("client") or ("", 0)
        return self.client(
            peer, (value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for")
        )

    def _trusts_text(self, text: str) -> bool:
        address = _address(text)
        return address is not None and self._trusts(address)

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def _network(text: str) -> _Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ConfigurationError(
            f"TRUSTED_PROXIES must be addresses or networks separated by commas, and {text!r} is neither."
        ) from None


def _address(text: str) -> _Address | None:
    """The address of one hop, which may carry a port: `192.0.2.1:80`, `[2001:db8::1]:80`."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address
