"""Connecting on behalf of a request: TCP, then TLS with the certificate verified, each tried twice.

Rules of this file:

* the policy is asked before every connection, with the very address that is connected to;
* a connect or handshake that failed is tried once more, so that loss does not make a false control;
  a certificate that does not verify is an answer, and final;
* an endpoint has :data:`TOTAL` seconds; whoever gets a stream closes it.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import certifi
import trio
from trio import socket

from blockwatch import failure as f
from blockwatch.errors import ConfigError
from blockwatch.helper.destinations import Destinations
from blockwatch.net.failures import NETWORK, name_failure
from blockwatch.net.seam import Connection, Network, RealNetwork
from blockwatch.net.tls import TlsStream

TCP = 5.0  # seconds, one try
TLS = 10.0  # seconds, one try
TOTAL = 15.0  # seconds, both tries of both
PAUSE = 0.2  # seconds between tries
_BIND_ADDRESS_NO_PORT = 24  # Linux: choose the port at connect, when the peer is known

_NAME_CODES = frozenset({62, 63, 64})  # X509_V_ERR_*_MISMATCH
_AUTHORITY_CODES = frozenset({2, 18, 19, 20, 21, 27, 33})  # X509_V_ERR_*: issuer missing, self-signed


class SourceNetwork(RealNetwork):
    """The real network, seen from one address of ours where the machine has several."""

    def __init__(self, source: str | None) -> None:
        """Raises :class:`ConfigError` where ``source`` is no address of this machine."""
        super().__init__()
        self._source = source
        if source is not None:
            try:
                self._socket(source, socket.SOCK_DGRAM).close()
            except OSError as error:
                raise ConfigError(
                    f"cannot measure from this address: {error.strerror or error}",
                    where=source,
                    remedy="Give an address of this machine to --source, or leave it out.",
                ) from None

    def _socket(self, address: str, kind: int) -> socket.SocketType:
        source = self._source
        if source is None or (":" in source) != (":" in address):
            return super()._socket(address, kind)
        import socket as plain

        sock = plain.socket(plain.AF_INET6 if ":" in address else plain.AF_INET, kind)
        try:
            if kind == plain.SOCK_STREAM and hasattr(plain, "IPPROTO_IP") and ":" not in address:
                sock.setsockopt(plain.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
            sock.setblocking(False)
            return socket.from_stdlib_socket(sock)
        except BaseException:
            sock.close()
            raise


@dataclass(kw_only=True)
class Stream:
    """A connection to read and write, and the TCP connection beneath it."""

    stream: Connection | TlsStream
    lower: Connection

    def close(self) -> None:
        """Close; never raises."""
        self.lower.close()


@dataclass(kw_only=True)
class Dialed:
    """What became of one endpoint. Failures are OONI's exact strings."""

    address: str
    port: int
    tls: bool  # whether a handshake was due
    tcp_failure: str | None = f.TIMEOUT
    tls_failure: str | None = f.TIMEOUT  # means something only if ``tls`` and ``tcp_failure`` is null
    stream: Stream | None = None

    @property
    def failure(self) -> str | None:
        """The first failure of the two."""
        return self.tcp_failure or (self.tls_failure if self.tls else None)


def verifying_context(ca_file: Path | None) -> ssl.SSLContext:
    """A client context that trusts the Mozilla roots of certifi and those of ``ca_file``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())
    if ca_file is not None:
        try:
            context.load_verify_locations(str(ca_file))
        except OSError as error:  # ssl.SSLError is one
            raise ConfigError(
                f"cannot read certificates: {error.strerror or error}",
                where=str(ca_file),
                remedy="Give a file of PEM certificates.",
            ) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def certificate_failure(error: ssl.SSLCertVerificationError) -> str:
    """OONI's string for OpenSSL's verification code."""
    if error.verify_code in _NAME_CODES:
        return f.INVALID_HOSTNAME
    return f.UNKNOWN_AUTHORITY if error.verify_code in _AUTHORITY_CODES else f.INVALID_CERTIFICATE


class Dialer:
    """Makes connections that the policy allows."""

    def __init__(self, network: Network, context: ssl.SSLContext, destinations: Destinations) -> None:
        self._network, self._context, self._destinations = network, context, destinations

    async def dial(self, address: str, port: int, server_name: str | None) -> Dialed:
        """Connect, and with a ``server_name`` shake hands; the caller closes the stream."""
        if not self._destinations.allows(address, port):
            raise PermissionError("the policy forbids this destination")
        dialed = Dialed(address=address, port=port, tls=server_name is not None)
        with trio.move_on_after(TOTAL):
            for last in (False, True):
                settled = await self._try(dialed, server_name)
                if settled or last:
                    break
                await trio.sleep(PAUSE)
        return dialed

    async def _try(self, dialed: Dialed, server_name: str | None) -> bool:
        """Try once, noting the outcome; says whether it stands."""
        lower: Connection | None = None
        try:
            with trio.fail_after(TCP):
                lower = await self._network.connect(dialed.address, dialed.port)
            dialed.tcp_failure = None
            stream: Connection | TlsStream = lower
            if server_name is not None:
                stream = TlsStream(lower, self._context, server_name)
                with trio.fail_after(TLS):
                    await stream.handshake()
                dialed.tls_failure = None
            dialed.stream, lower = Stream(stream=stream, lower=lower), None
            return True
        except ssl.SSLCertVerificationError as error:
            dialed.tls_failure = certificate_failure(error)
            return True
        except NETWORK as error:
            failure, _ = name_failure(error)
            if lower is None:
                dialed.tcp_failure = failure
            else:
                dialed.tls_failure = failure
            return False
        finally:
            if lower is not None:
                lower.close()
