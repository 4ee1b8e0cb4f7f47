"""What the helper may never contact on behalf of a stranger.

Rules of this file:

* an address is judged in its only canonical form; octal, decimal, hexadecimal, short or scoped
  forms are no addresses here, and a name that looks like one is no name (:func:`is_odd_number`);
* the address judged is the address connected to: names are resolved first, and every redirect anew;
* the helper's own public addresses are refused as well: to whoever asks, they are its own network;
* an IPv6 address that stands for an IPv4 one (mapped, 6to4, Teredo, NAT64) is refused or judged as that;
* the policy is an argument of the server's constructor, for tests; no command-line option relaxes it.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), RFC 5771 (multicast);
168.63.129.16 is the metadata and DNS address of one cloud, the others use link-local ones.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared between carrier and customer
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's metadata
        "169.254.0.0/16",  # link-local, and metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_REFUSED_PORTS = frozenset({0, 25, 465, 587})  # none, and mail: a helper is no relay


def parse(text: str) -> Address | None:
    """Read a literal address in canonical notation, without brackets or scope; else ``None``."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if "%" in text else address


def is_odd_number(host: str) -> bool:
    """Whether ``host`` is what lenient parsers take for an IPv4 address, without being a canonical one.

    By the rule of the WHATWG URL standard: its last label is a number, decimal or hexadecimal.
    """
    if parse(host) is not None:
        return False
    last = host.rstrip(".").rpartition(".")[2].lower()
    return last.isdigit() or (last.startswith("0x") and all(c in "0123456789abcdef" for c in last[2:]))


class Destinations:
    """Where the helper may connect to; ``allow_private`` is for servers of a test on this machine.

    ``own``: addresses of the helper's, refused; more of them by :meth:`refuse`.
    """

    def __init__(self, *, allow_private: bool = False, own: Iterable[str] = ()) -> None:
        self._allow_private = allow_private
        self._own, self._named = _plain(own), frozenset[Address]()

    def refuse(self, addresses: Iterable[str]) -> None:
        """Refuse these addresses, too, instead of those given the last time."""
        self._named = _plain(addresses)

    def allows(self, address: str, port: int | None = None) -> bool:
        """Whether a connection to this literal address (and port) may be made."""
        parsed = parse(address)
        if parsed is None or (port is not None and (port in _REFUSED_PORTS or not 0 < port < 65_536)):
            return False
        if _unmapped(parsed) in self._own or _unmapped(parsed) in self._named:
            return False
        return self._allow_private or is_public(parsed)


def _plain(addresses: Iterable[str]) -> frozenset[Address]:
    return frozenset(_unmapped(parsed) for address in addresses if (parsed := parse(address)) is not None)


def _unmapped(address: Address) -> Address:
    """An IPv4 address in IPv6 notation as what it stands for."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_public(address: Address) -> bool:
    """Whether an address is a unicast one of the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return address in _GLOBAL_V6 and not any(address in net for net in _REFUSED_V6)
        address = address.ipv4_mapped
    return not any(address in net for net in _REFUSED_V4)
