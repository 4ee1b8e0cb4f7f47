"""TLS over a connection we hold: handshake unverified, chain kept, verified afterwards.

Rules of this file:

* the handshake never verifies, so a forged certificate is a fact to look at and not an exception;
* the chain is kept as sent, leaf first, also when the handshake failed after it;
* what is not TLS is kept as it came, and an alert keeps its number;
* roots are certifi's and those of one named file, never the system's: a state root may be in it.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import trio

from blockwatch import failure as f
from blockwatch.net import limits
from blockwatch.net.failures import EndOfStream, Garbage, alert_failure

T = TypeVar("T")
_KEPT_FOR_ALERTS = 65_536


class Bytes(Protocol):
    """A stream of bytes: a metered TCP connection, or TLS over one."""

    async def send(self, data: bytes) -> None:
        """Send all of ``data``."""

    async def receive(self, limit: int) -> bytes:
        """Return at most ``limit`` bytes; ``b""`` is the end."""


def client_context(alpn: tuple[str, ...]) -> ssl.SSLContext:
    """A context that accepts every certificate and offers ``alpn``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class TlsStream:
    """One TLS client connection over ``lower``; ``server_name`` None sends no SNI."""

    def __init__(self, lower: Bytes, context: ssl.SSLContext, server_name: str | None) -> None:
        self._lower = lower
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._first = bytearray()  # what came during the handshake
        self._handshaking = True
        self.ended = False

    async def handshake(self) -> None:
        """Shake hands; raises what :mod:`blockwatch.net.failures` names."""
        try:
            await self._drive(self._tls.do_handshake)
        except ssl.SSLError:
            await self._flush_quietly()
            if self._is_plaintext():
                await self._read_plaintext()
                raise Garbage(f.FAILED_HANDSHAKE, "not TLS") from None
            alert = self.alert
            if alert is not None:
                raise Garbage(alert_failure(alert), f"alert {alert}") from None
            raise
        except EndOfStream:
            if self._is_plaintext():
                raise Garbage(f.FAILED_HANDSHAKE, "not TLS") from None
            raise
        finally:
            self._handshaking = False

    async def send(self, data: bytes) -> None:
        """Send all of ``data`` encrypted."""
        await self._drive(lambda: self._tls.write(data))

    async def receive(self, limit: int) -> bytes:
        """Return at most ``limit`` bytes; ``b""`` is close_notify or FIN."""
        try:
            return await self._drive(lambda: self._tls.read(limit))
        except (ssl.SSLZeroReturnError, EndOfStream):
            self.ended = True
            return b""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """DER certificates as the server sent them, leaf first; empty when none came."""
        inner = self._tls
        if hasattr(inner, "get_unverified_chain"):  # public from Python 3.13
            sent = inner.get_unverified_chain() or []
        else:
            raw: Any = inner._sslobj  # type: ignore[attr-defined]
            sent = [c.public_bytes(ssl._ssl.ENCODING_DER) for c in raw.get_unverified_chain() or []]  # type: ignore[attr-defined]
        return tuple(bytes(der) for der in sent[: limits.TLS_CHAIN])

    @property
    def version(self) -> str | None:
        """Negotiated version, as OpenSSL writes it."""
        return self._tls.version()

    @property
    def cipher(self) -> str | None:
        """Negotiated cipher suite."""
        chosen = self._tls.cipher()
        return chosen[0] if chosen else None

    @property
    def alpn(self) -> str | None:
        """Protocol the server chose."""
        return self._tls.selected_alpn_protocol()

    @property
    def alert(self) -> int | None:
        """The first alert that came in the clear during the handshake."""
        data = self._first
        at = 0
        while at + 7 <= len(data):
            kind, length = data[at], int.from_bytes(data[at + 3 : at + 5], "big")
            if kind not in range(20, 24) or data[at + 1] != 3:
                return None
            if kind == 21 and length == 2:
                return data[at + 6]
            at += 5 + length
        return None

    @property
    def plaintext(self) -> bytes:
        """What came instead of TLS; empty when what came was TLS."""
        return bytes(self._first[: limits.TLS_PLAINTEXT]) if self._is_plaintext() else b""

    def _is_plaintext(self) -> bool:
        first = self._first
        return bool(first) and (first[0] not in range(20, 24) or (len(first) > 1 and first[1] != 3))

    async def _read_plaintext(self) -> None:
        """Take the rest of a short plaintext answer, which may come in several segments."""
        with contextlib.suppress(OSError), trio.move_on_after(limits.TLS_PLAINTEXT_S):
            while len(self._first) < limits.TLS_PLAINTEXT:
                data = await self._lower.receive(limits.TLS_PLAINTEXT)
                if not data:
                    return
                self._first += data

    async def _drive(self, action: Callable[[], T]) -> T:
        """Carry bytes between OpenSSL and the connection until ``action`` is through."""
        while True:
            try:
                done = action()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
            else:
                await self._flush()
                return done

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._lower.send(self._outgoing.read())

    async def _flush_quietly(self) -> None:
        """Send the alert that OpenSSL left for the peer; that it may be gone is no news."""
        with contextlib.suppress(OSError):
            await self._flush()

    async def _feed(self) -> None:
        data = await self._lower.receive(65_536)
        if not data:
            raise EndOfStream
        if self._handshaking and len(self._first) < _KEPT_FOR_ALERTS:
            self._first += data
        self._incoming.write(data)
