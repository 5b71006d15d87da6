"""Addresses of clients: packed, and masked before they are stored."""

from socket import AF_INET, AF_INET6, inet_pton

UNKNOWN_ADDRESS = bytes(4)

_MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address written as IPv6
_KEPT_IPV6_BYTES = (16, 8, 6, 3, 0)  # by the number of bytes that are masked of IPv4


def pack(text: str) -> bytes:
    """The 4 or 16 bytes of an address; 0.0.0.0 for what is none."""
    try:
        return inet_pton(AF_INET6 if ":" in text else AF_INET, text.strip())
    except (OSError, ValueError):
        return UNKNOWN_ADDRESS


def unmapped(address: bytes) -> bytes:
    """The address, as IPv4 when it is one that was written as IPv6."""
    return address[12:] if len(address) == 16 and address.startswith(_MAPPED) else address


def mask(address: bytes, masked_bytes: int) -> bytes:
    """The address with its end zeroed, as Matomo does it.

    Args:
        masked_bytes: how many bytes of IPv4, 0 to 4. Of IPv6 the first 64, 48, 24 or 0 bits stay.
    """
    length = len(address)
    if length == 16 and not address.startswith(_MAPPED):
        kept = _KEPT_IPV6_BYTES[min(masked_bytes, 4)]
    else:
        kept = length - min(masked_bytes, 4)
    return address[:kept] + bytes(length - kept)
