"""rtnetlink, as little as the lab needs: veth pairs, links up, addresses, routes, and lists of them.

Rules: every call is one request and waits for the kernel's word; a refusal is an ``OSError`` with
the kernel's errno. Only the network namespace of the calling process is touched. Message layouts:
rtnetlink(7), linux/rtnetlink.h.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
_ADDRESS = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix, flags, scope, index
_ROUTE = struct.Struct("=BBBBBBBBI")  # rtmsg: family, dst, src, tos, table, protocol, scope, type, flags

_REQUEST, _ACK, _DUMP, _CREATE, _EXCLUSIVE = 0x1, 0x4, 0x300, 0x400, 0x200
_ERROR, _DONE = 2, 3
_NEWLINK, _GETLINK, _NEWADDR, _NEWROUTE, _GETROUTE = 16, 18, 20, 24, 26
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_AF_SPEC, _IFLA_NET_NS_FD = 1, 3, 18, 26, 28
_INFO_KIND, _INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_INET6_ADDR_GEN_MODE, _GEN_MODE_NONE = 8, b"\1"
_IFA_ADDRESS, _IFA_LOCAL, _RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 2, 1, 4, 5
_IFF_UP, _IFF_NOARP = 0x1, 0x80
_ONLINK = 4  # RTNH_F_ONLINK: the gateway is on the device whatever the addresses say
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254
_NODAD = 2  # IFA_F_NODAD: no duplicate address detection
TABLE_MAIN, TABLE_LOCAL = 254, 255
_UNICAST, _LOCAL = 1, 2
_PROTOCOL_STATIC = 4
HAS_IPV6 = Path("/proc/net/if_inet6").exists()


@dataclass(frozen=True)
class Link:
    """One network device: index, name, whether it is up."""

    index: int
    name: str
    up: bool


class Netlink:
    """A netlink socket in the current network namespace; a context manager."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._sequence = 0

    def __enter__(self) -> Netlink:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def links(self) -> list[Link]:
        """Return every device of the namespace."""
        found = []
        for kind, body in self._ask(_GETLINK, _DUMP, _LINK.pack(0, 0, 0, 0, 0)):
            if kind != _NEWLINK:
                continue
            _, _, index, flags, _ = _LINK.unpack_from(body)
            name = dict(_attributes(body[_LINK.size :])).get(_IFLA_IFNAME, b"")
            found.append(Link(index, name.rstrip(b"\0").decode(), bool(flags & _IFF_UP)))
        return found

    def add_veth(self, end: tuple[str, bytes], peer: tuple[str, bytes], peer_namespace: int) -> None:
        """Make two devices that are joined, each (name, MAC), the second in another network namespace.

        Both are without ARP and neighbour discovery: whatever leaves one is addressed to its own MAC.
        """
        here, there = (
            _LINK.pack(0, 0, 0, _IFF_NOARP, _IFF_NOARP)
            + _attribute(_IFLA_IFNAME, name.encode() + b"\0")
            + _attribute(_IFLA_ADDRESS, mac)
            for name, mac in (end, peer)
        )
        there += _attribute(_IFLA_NET_NS_FD, struct.pack("=i", peer_namespace))
        info = _attribute(_INFO_KIND, b"veth") + _attribute(_INFO_DATA, _attribute(_VETH_INFO_PEER, there))
        self._order(_NEWLINK, _CREATE | _EXCLUSIVE, here + _attribute(_IFLA_LINKINFO, info))

    def set_up(self, index: int) -> None:
        """Bring a device up. It gives itself no IPv6 address, so it asks for no routers either."""
        if HAS_IPV6:
            silent = _attribute(socket.AF_INET6, _attribute(_INET6_ADDR_GEN_MODE, _GEN_MODE_NONE))
            self._order(_NEWLINK, 0, _LINK.pack(0, 0, index, 0, 0) + _attribute(_IFLA_AF_SPEC, silent))
        self._order(_NEWLINK, 0, _LINK.pack(0, 0, index, _IFF_UP, _IFF_UP))

    def add_address(self, index: int, address: str) -> None:
        """Give a device one address (/32 or /128)."""
        family, raw = packed(address)
        body = _ADDRESS.pack(family, len(raw) * 8, _NODAD if family == socket.AF_INET6 else 0, 0, index)
        self._order(_NEWADDR, _CREATE, body + _attribute(_IFA_LOCAL, raw) + _attribute(_IFA_ADDRESS, raw))

    def add_route(
        self,
        destination: str | int,
        index: int,
        *,
        gateway: str | None = None,
        table: int = TABLE_MAIN,
        local: bool = False,
    ) -> None:
        """Route one address, or everything of a family (``AF_INET``…), to a device.

        ``gateway`` need not be an address anybody has; ``local`` makes the destination an address of
        this machine (AnyIP).
        """
        family, raw = (destination, b"") if isinstance(destination, int) else packed(destination)
        scope = _SCOPE_HOST if local else _SCOPE_LINK
        if family == socket.AF_INET6 or gateway:
            scope = _SCOPE_UNIVERSE
        kind, flags = _LOCAL if local else _UNICAST, _ONLINK if gateway else 0
        body = _ROUTE.pack(family, len(raw) * 8, 0, 0, table, _PROTOCOL_STATIC, scope, kind, flags)
        body += _attribute(_RTA_DST, raw) if raw else b""
        body += _attribute(_RTA_GATEWAY, packed(gateway)[1]) if gateway else b""
        self._order(_NEWROUTE, _CREATE, body + _attribute(_RTA_OIF, struct.pack("=I", index)))

    def route_devices(self) -> set[int]:
        """Return the indexes of all devices any route of any table leads to."""
        devices = set()
        for kind, body in self._ask(_GETROUTE, _DUMP, _ROUTE.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)):
            if kind == _NEWROUTE:
                out = dict(_attributes(body[_ROUTE.size :])).get(_RTA_OIF)
                devices |= {struct.unpack("=I", out)[0]} if out else set()
        return devices

    def _order(self, kind: int, flags: int, body: bytes) -> None:
        for _ in self._ask(kind, flags | _ACK, body):
            pass

    def _ask(self, kind: int, flags: int, body: bytes) -> Iterator[tuple[int, bytes]]:
        self._sequence += 1
        size = _HEADER.size + len(body)
        self._socket.send(_HEADER.pack(size, kind, flags | _REQUEST, self._sequence, 0) + body)
        while True:
            heard = self._socket.recv(1 << 17)
            while heard:
                length, kind, _, sequence, _ = _HEADER.unpack_from(heard)
                body, heard = heard[_HEADER.size : length], heard[(length + 3) & ~3 :]
                if sequence != self._sequence:
                    continue
                if kind == _ERROR:
                    code = struct.unpack_from("=i", body)[0]
                    if code:
                        raise OSError(-code, os.strerror(-code))
                    return
                if kind == _DONE:
                    return
                yield kind, body


def packed(address: str) -> tuple[int, bytes]:
    """Return family and bytes (4 or 16) of an address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.inet_pton(family, address)


def _attribute(kind: int, value: bytes) -> bytes:
    size = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(size, kind) + value + bytes(-size % 4)


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    while len(body) >= _ATTRIBUTE.size:
        size, kind = _ATTRIBUTE.unpack_from(body)
        if size < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, body[_ATTRIBUTE.size : size]
        body = body[(size + 3) & ~3 :]
