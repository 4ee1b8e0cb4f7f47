"""The network as a SOCKS5 proxy gives it (RFC 1928, RFC 1929): connections only, names resolved there.

Rules of this file: what the proxy says of the far side becomes the errno that it means; what is wrong
with the proxy itself is a :class:`ProxyDown`, which is nobody's failure but the proxy's.
"""

from __future__ import annotations

import errno
import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import trio

from blockwatch.errors import UsageError
from blockwatch.net import limits
from blockwatch.net.failures import NETWORK, Garbage, name_failure
from blockwatch.net.seam import Connection, Datagrams, Network
from blockwatch.net.url import BadUrl, is_literal, normal_host

_ERRNO = {3: errno.ENETUNREACH, 4: errno.EHOSTUNREACH, 5: errno.ECONNREFUSED, 6: errno.EHOSTUNREACH}
_NO_AUTH, _PASSWORD = 0, 2


class ProxyDown(Exception):
    """The proxy itself does not work; ``failure`` and ``error`` as of a step."""

    def __init__(self, failure: str, error: str | None) -> None:
        super().__init__(failure)
        self.failure, self.error = failure, error


@dataclass(frozen=True)
class Proxy:
    """Where a proxy is; user and password are never written."""

    host: str
    port: int
    user: str = ""
    password: str = ""

    @property
    def shown(self) -> str:
        """Its URL without credentials."""
        return f"socks5://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def parse_proxy(text: str) -> Proxy:
    """Read ``socks5://[USER:PASSWORD@]HOST:PORT``; raises :class:`UsageError` that holds no credentials."""
    _, secret, place = text.rpartition("@")
    try:
        parts = urlsplit(text)
        if parts.scheme not in ("socks5", "socks5h") or not parts.port:
            raise BadUrl("not socks5://HOST:PORT")
        if parts.path not in ("", "/") or parts.query or parts.fragment:  # or a password cut at its / ? #
            raise BadUrl("more than socks5://HOST:PORT")
        host = normal_host(parts.hostname or "")
        return Proxy(host, parts.port, unquote(parts.username or ""), unquote(parts.password or ""))
    except (BadUrl, ValueError) as error:
        why = "not socks5://USER:PASSWORD@HOST:PORT" if secret else str(error)
        remedy = "write socks5://HOST:PORT"
        raise UsageError(f"not a proxy: {why}", where=place[:100], remedy=remedy) from None


class SocksNetwork:
    """A :class:`~blockwatch.net.seam.Network` behind ``proxy``."""

    def __init__(self, lower: Network, proxy: Proxy) -> None:
        self._lower, self._proxy = lower, proxy
        self.monotonic_us, self.utc_us = lower.monotonic_us, lower.utc_us

    async def connect(self, address: str, port: int) -> Connection:
        """Connect through the proxy; ``address`` may be a name."""
        try:
            with trio.fail_after(limits.PROXY_S):
                connection = await self._dial()
        except NETWORK as error:
            raise _down(error) from error
        try:
            try:
                with trio.fail_after(limits.PROXY_S):
                    await self._greet(connection)
                await connection.send(b"\x05\x01\x00" + _target(address) + port.to_bytes(2, "big"))
                head = await _exactly(connection, 4)
            except NETWORK as error:
                raise _down(error) from error
            if head[1]:
                raise _refusal(head[1])
            length = {1: 4, 4: 16}.get(head[3]) or (await _exactly(connection, 1))[0]
            await _exactly(connection, length + 2)
        except BaseException:
            connection.close()
            raise
        return connection

    async def datagrams(self, address: str, port: int) -> Datagrams:
        """Not through a proxy."""
        raise NotImplementedError("no UDP through a proxy")

    async def getaddrinfo(self, name: str) -> list[str]:
        """Names are the proxy's business."""
        raise NotImplementedError("no lookups through a proxy")

    def nameserver(self) -> str | None:
        """None is known."""
        return None

    def may_dial(self, address: str) -> bool:
        """Names may be dialled; addresses by the same rule as without a proxy."""
        return not is_literal(address) or self._lower.may_dial(address)

    def source(self, version: int) -> str | None:
        """Not ours to know."""
        return None

    async def _dial(self) -> Connection:
        host = self._proxy.host
        addresses = [host] if is_literal(host) else await self._lower.getaddrinfo(host)
        if not addresses:
            raise OSError(errno.EHOSTUNREACH, "no address")
        return await self._lower.connect(addresses[0], self._proxy.port)

    async def _greet(self, connection: Connection) -> None:
        proxy = self._proxy
        methods = bytes([_NO_AUTH, _PASSWORD]) if proxy.user else bytes([_NO_AUTH])
        await connection.send(b"\x05" + bytes([len(methods)]) + methods)
        version, method = await _exactly(connection, 2)
        if version != 5 or method not in methods:
            raise Garbage(
                "unknown_failure: the proxy speaks no SOCKS5 that we may use", f"{version}/{method}"
            )
        if method == _PASSWORD:
            user, password = proxy.user.encode()[:255], proxy.password.encode()[:255]
            packed = bytes([1, len(user)]) + user + bytes([len(password)]) + password
            await connection.send(packed)
            if (await _exactly(connection, 2))[1]:
                raise Garbage("unknown_failure: the proxy refuses the password", "RFC 1929")


def _target(address: str) -> bytes:
    if is_literal(address):
        ip = ipaddress.ip_address(address)
        return (b"\x01" if ip.version == 4 else b"\x04") + ip.packed
    encoded = address.encode("ascii")
    return b"\x03" + bytes([len(encoded)]) + encoded


def _refusal(code: int) -> Exception:
    if code in _ERRNO:
        return OSError(_ERRNO[code], os.strerror(_ERRNO[code]))
    return Garbage(f"unknown_failure: SOCKS reply {code}", f"SOCKS {code}")


def _down(error: BaseException) -> ProxyDown:
    return ProxyDown(*name_failure(error))


async def _exactly(connection: Connection, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = await connection.receive(length - len(data))
        if not piece:
            raise Garbage("eof_error", "the proxy closed the connection")
        data += piece
    return data
