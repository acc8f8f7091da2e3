"""Which addresses may be connected to where strangers write the configuration (SSRF)."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address


class PrivateAddressError(OSError):
    """The name leads to no address of the public internet."""


def public_address(host: str, port: int) -> str:
    """Returns an address of a host that is connected to as it is: nobody can answer a second
    look-up otherwise. Raises PrivateAddressError where any of its addresses is not public, and
    what `socket.getaddrinfo` raises."""
    found = {str(place[4][0]) for place in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)}
    if not found or not all(map(is_public, found)):
        raise PrivateAddressError("an address that is not public")
    return sorted(found, key=lambda address: (":" in address, address))[0]


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet, and so does what it stands for: IPv6 has
    forms that hold an IPv4 address (mapped, 6to4, Teredo, NAT64)."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(one.is_global and not one.is_multicast for one in (address, *_within(address)))


def _within(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address.packed[:12] in (b"\x00\x64\xff\x9b" + bytes(8), bytes(12)):
        found.append(IPv4Address(address.packed[12:]))
    return [one for one in found if one is not None]
