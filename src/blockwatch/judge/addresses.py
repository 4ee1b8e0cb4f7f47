"""Which addresses cannot be a web site's, by the IANA special-purpose address registries.

Rules of this file:

* IPv6 that wraps IPv4 (mapped, NAT64, 6to4, Teredo) is judged by what it wraps;
* ``kind`` says why an address cannot be a site's; ``None`` means that it can;
* text that is no address at all is a bogon too: no site lives there; but the mark of a cut address is
  an address that cannot be told any more, and accuses nobody;
* a line of IPv6 alone reaches IPv4 by addresses that end in the IPv4 one, under any prefix of its own.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates), RFC 6052
(NAT64), RFC 8215 (its local-use prefix), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 4291 (mapped).
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

_V4 = tuple(
    (ipaddress.IPv4Network(net), kind)
    for net, kind in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "private"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_RANGES_V4 = tuple((int(net[0]), int(net[-1]), kind) for net, kind in _V4)
_V6 = tuple(
    (ipaddress.IPv6Network(net), kind)
    for net, kind in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("fe80::/10", "link-local"),
        ("fc00::/7", "private"),
        ("ff00::/8", "multicast"),
        ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
        ("2001:2::/48", "benchmarking"),
        ("2001:10::/28", "reserved"),
        ("100::/64", "discard"),
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_TEREDO = ipaddress.IPv6Network("2001::/32")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_CUT = "[scrubbed]"  # the volunteer's own address stood here

SOMEWHERE = frozenset({"private"})  # a machine may answer there (Iran's 10.10.34.35): a redirection


@lru_cache(maxsize=8_192)
def bogon(text: str) -> str | None:
    """Why ``text`` cannot be a site's address (``"loopback"``, ``"private"``, …), or ``None``."""
    if text == _CUT:
        return None
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "malformed"
    if isinstance(address, ipaddress.IPv4Address):
        return _bogon4(address)
    wrapped = _wrapped(address)
    if wrapped is not None:
        return _bogon4(wrapped)
    for net, kind in _V6:
        if address in net:
            return kind
    return None if address in _GLOBAL_V6 else "unallocated"


@lru_cache(maxsize=8_192)
def unreal(text: str) -> str | None:
    """:func:`bogon`, but an address of the local-use NAT64 prefix is judged by the IPv4 address at its end.

    Where another one stands there (a prefix shorter than /96 puts it elsewhere), nothing can be told.
    """
    inside = embedded(text)
    if inside is None or ipaddress.ip_address(text.partition("%")[0]) not in _LOCAL_NAT64:
        return bogon(text)
    return None if inside.endswith(".0.0.0") else bogon(inside)


def embedded(text: str) -> str | None:
    """The IPv4 address with which an IPv6 address ends (RFC 6052, 2.2, of a /96); ``None``: it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return None
    return str(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))


def _bogon4(address: ipaddress.IPv4Address) -> str | None:
    number = int(address)
    for first, last, kind in _RANGES_V4:
        if first <= number <= last:
            return kind
    return None


def _wrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside, where the form has one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    number = int(address)
    if address in _TEREDO:
        return ipaddress.IPv4Address(~number & 0xFFFF_FFFF)
    if address in _NAT64 or (address in _COMPATIBLE and number > 0xFFFF):
        return ipaddress.IPv4Address(number & 0xFFFF_FFFF)
    return None


def is_v6(text: str) -> bool:
    """Whether ``text`` is written as IPv6."""
    return ":" in text


@lru_cache(maxsize=4_096)
def is_address(host: str) -> bool:
    """Whether a host is an address literal (IPv6 with or without brackets)."""
    if ":" not in host and not host.rstrip("]")[-1:].isdigit():
        return False
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
