"""The one narrow seam: the network and the clock as arguments.

Rules of this file:

* everything above speaks to a :class:`Network`; nothing else opens a socket or reads a clock;
* durations come from trio's clock, so that a test's virtual clock drives every time-out;
* no name is resolved but by :meth:`Network.getaddrinfo`; no proxy, no pool, no second try;
* errors are the operating system's own (:class:`OSError`); FIN is ``b""``.
"""

from __future__ import annotations

import ipaddress
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import trio
from trio import socket

RESOLVE_THREADS = 64
_TTL_OPTIONS = {  # family -> (level, option to ask for, type of the control message)
    socket.AF_INET: (socket.IPPROTO_IP, getattr(socket, "IP_RECVTTL", None), getattr(socket, "IP_TTL", None)),
    socket.AF_INET6: (
        socket.IPPROTO_IPV6,
        getattr(socket, "IPV6_RECVHOPLIMIT", None),
        getattr(socket, "IPV6_HOPLIMIT", None),
    ),
}
if sys.platform == "linux":
    _TTL_OPTIONS[socket.AF_INET] = (socket.IPPROTO_IP, 12, 2)  # not in every Python's socket module


class Connection(Protocol):
    """A TCP connection."""

    async def send(self, data: bytes) -> None:
        """Send all of ``data``."""

    async def receive(self, limit: int) -> bytes:
        """Return at most ``limit`` bytes; ``b""`` is FIN."""

    def close(self) -> None:
        """Close; never raises."""


class Datagrams(Protocol):
    """A UDP socket connected to one peer."""

    async def send(self, data: bytes) -> None:
        """Send one datagram."""

    async def receive(self) -> tuple[bytes, int | None]:
        """Return one datagram and its IP TTL (or hop limit) as received, where the system tells."""

    def close(self) -> None:
        """Close; never raises."""


class Network(Protocol):
    """What the measurer knows of the world."""

    def monotonic_us(self) -> int:
        """Microseconds of a clock that never jumps."""

    def utc_us(self) -> int:
        """Microseconds since the epoch, as the machine believes."""

    async def connect(self, address: str, port: int) -> Connection:
        """Open a TCP connection to a literal address."""

    async def datagrams(self, address: str, port: int) -> Datagrams:
        """Open a UDP socket connected to a literal address."""

    async def getaddrinfo(self, name: str) -> list[str]:
        """Ask the system resolver; IPv4 and IPv6 addresses in its order."""

    def nameserver(self) -> str | None:
        """Address of the system's first name server."""

    def may_dial(self, address: str) -> bool:
        """Whether a connection to ``address`` may leave: never to this machine or to many."""

    def source(self, version: int) -> str | None:
        """Address of ours that the default route of IP version 4 or 6 would use; None: no route."""


_STUBS = frozenset({"127.0.0.53", "127.0.0.54"})  # systemd-resolved(8)
_BEHIND_STUB = Path("/run/systemd/resolve/resolv.conf")  # what it asks itself


def _first_nameserver(resolv_conf: Path) -> str | None:
    """The first ``nameserver`` of such a file that needs no interface named with it; None: there is none."""
    try:
        lines = resolv_conf.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    told = (line.split() for line in lines)
    return next((w[1] for w in told if len(w) >= 2 and w[0] == "nameserver" and "%" not in w[1]), None)


class TcpConnection:
    """A :class:`Connection` over a trio socket.

    When the peer has reset the connection, what it said before is still in the receive queue: a
    failed send is held back until that has been read, so that an answer followed by RST is not lost.
    """

    def __init__(self, sock: socket.SocketType) -> None:
        self._sock = sock
        self._broken: OSError | None = None

    async def send(self, data: bytes) -> None:
        """Send all of ``data``; a reset shows at the next :meth:`receive`."""
        left = memoryview(data)
        try:
            while left:
                left = left[await self._sock.send(left) :]
        except (ConnectionResetError, BrokenPipeError) as error:
            if self._broken is not None:
                raise
            self._broken = error

    async def receive(self, limit: int) -> bytes:
        """Return at most ``limit`` bytes; ``b""`` is FIN."""
        data = await self._sock.recv(limit)
        if not data and self._broken is not None:
            raise self._broken
        return data

    def close(self) -> None:
        """Close; never raises."""
        self._sock.close()


class UdpDatagrams:
    """A :class:`Datagrams` over a trio socket."""

    def __init__(self, sock: socket.SocketType, ttl_type: int | None) -> None:
        self._sock, self._ttl_type = sock, ttl_type

    async def send(self, data: bytes) -> None:
        """Send one datagram."""
        await self._sock.send(data)

    async def receive(self) -> tuple[bytes, int | None]:
        """Return one datagram and its IP TTL."""
        if not hasattr(self._sock, "recvmsg"):  # Windows
            return await self._sock.recv(65_535), None
        data, ancillary, _, _ = await self._sock.recvmsg(65_535, 64)
        for _, kind, value in ancillary:
            if kind == self._ttl_type and len(value) >= 4:
                return data, int.from_bytes(value[:4], sys.byteorder)
        return data, None

    def close(self) -> None:
        """Close; never raises."""
        self._sock.close()


class RealNetwork:
    """The operating system's network; ``interface`` binds every socket of ours to one device."""

    def __init__(
        self,
        *,
        interface: str | None = None,
        resolv_conf: Path = Path("/etc/resolv.conf"),
        behind_stub: Path = _BEHIND_STUB,
    ) -> None:
        self._interface = interface
        self._resolv_conf, self._behind_stub = resolv_conf, behind_stub
        self._threads = trio.CapacityLimiter(RESOLVE_THREADS)

    def monotonic_us(self) -> int:
        """Microseconds of trio's clock."""
        return int(trio.current_time() * 1_000_000)

    def utc_us(self) -> int:
        """Microseconds since the epoch."""
        return time.time_ns() // 1_000

    async def connect(self, address: str, port: int) -> Connection:
        """Open a TCP connection to a literal address."""
        sock = self._socket(address, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await sock.connect((address, port))
        except BaseException:
            sock.close()
            raise
        return TcpConnection(sock)

    async def datagrams(self, address: str, port: int) -> Datagrams:
        """Open a UDP socket connected to a literal address."""
        sock = self._socket(address, socket.SOCK_DGRAM)
        level, ask, kind = _TTL_OPTIONS[sock.family]
        try:
            if ask is not None:
                sock.setsockopt(level, ask, 1)
            await sock.connect((address, port))
        except BaseException:
            sock.close()
            raise
        return UdpDatagrams(sock, kind)

    async def getaddrinfo(self, name: str) -> list[str]:
        """Ask the system resolver in a thread, which is left behind when we stop waiting."""
        ask: Callable[[], list[str]] = lambda: _system_lookup(name)  # noqa: E731
        return await trio.to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self._threads)

    def nameserver(self) -> str | None:
        """Return the first ``nameserver`` of resolv.conf; None where there is no such file.

        Where that is systemd-resolved on this machine, the one that it asks: it only passes on and remembers.
        """
        named = _first_nameserver(self._resolv_conf)
        return (_first_nameserver(self._behind_stub) or named) if named in _STUBS else named

    def may_dial(self, address: str) -> bool:
        """Say no to this machine itself and to groups of machines."""
        return dialable(address)

    def source(self, version: int) -> str | None:
        """Ask the routing table through an unsent datagram socket."""
        import socket as plain

        family, far = (plain.AF_INET, "8.8.8.8") if version == 4 else (plain.AF_INET6, "2001:4860:4860::8888")
        try:
            with plain.socket(family, plain.SOCK_DGRAM) as sock:
                if self._interface is not None:
                    sock.setsockopt(plain.SOL_SOCKET, plain.SO_BINDTODEVICE, self._interface.encode())
                sock.connect((far, 53))
                return str(sock.getsockname()[0])
        except OSError:
            return None

    def _socket(self, address: str, kind: int) -> socket.SocketType:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        if self._interface is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode())
        return sock


def dialable(address: str) -> bool:
    """False for loopback, unspecified, multicast, broadcast and link-local addresses."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    if ip.version == 4 and (ip in _THIS_NETWORK or str(ip) == "255.255.255.255"):
        return False
    return not (ip.is_loopback or ip.is_unspecified or ip.is_multicast or ip.is_link_local)


_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")


def _system_lookup(name: str) -> list[str]:
    import socket as plain

    found = plain.getaddrinfo(name.encode("ascii"), None, type=plain.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
