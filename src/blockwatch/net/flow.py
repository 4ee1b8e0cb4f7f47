"""One connection, step by step: dial, shake hands, request.

Rules of this file:

* each step writes exactly one observation; after a failure the later ones write themselves as
  skipped, so that a caller needs no ``if`` and no ``try``;
* only what :data:`blockwatch.net.failures.NETWORK` names becomes a failure; all else is our fault
  and propagates;
* a request is not sent over a chain that is not valid for its name, unless that was asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from blockwatch import content
from blockwatch.model import Exchange, HttpStep, Purpose, TcpStep, TlsStep
from blockwatch.net import limits
from blockwatch.net.failures import NETWORK, name_failure
from blockwatch.net.http import H2, Reply, Request, exchange
from blockwatch.net.kit import Kit
from blockwatch.net.meter import Meter
from blockwatch.net.record import Draft, Record
from blockwatch.net.tls import TlsStream
from blockwatch.net.url import Url, is_literal, parse_url

ALPN = ("h2", "http/1.1")


class Flow:
    """A connection to one ``address:port`` and the record of its steps."""

    def __init__(
        self,
        kit: Kit,
        record: Record,
        address: str,
        port: int,
        *,
        purpose: Purpose = Purpose.FIRST,
        round: int = 0,
        hop: int = 0,
    ) -> None:
        self._kit, self._record = kit, record
        self.address, self.port = address, port
        self._purpose, self._round, self._hop = purpose, round, hop
        self._number = record.next_flow()
        self._meter: Meter | None = None
        self._tls: TlsStream | None = None
        self._h2: H2 | None = None
        self.broken = False
        self.trusted: bool | None = None  # of the chain; None: no handshake made

    async def tcp_connect(self) -> None:
        """Dial."""

        async def dial(fields: dict[str, Any]) -> None:
            with trio.fail_after(limits.TCP_S):
                connection = await self._kit.network.connect(self.address, self.port)
            self._meter = Meter(connection, self._kit.network.monotonic_us)

        if not self._kit.network.may_dial(self.address):
            self.broken = True  # a loopback answer: the step is planned, and must not be made
        await self._step(TcpStep, {}, dial)

    async def tls_handshake(self, *, server_name: str | None, alpn: tuple[str, ...] = ALPN) -> None:
        """Shake hands; ``server_name`` is sent as SNI (not if it is an address) and verified."""
        sni = None if server_name is None or is_literal(server_name) else server_name

        async def shake(fields: dict[str, Any]) -> None:
            meter = self._open_meter()
            meter.mark()
            stream = TlsStream(meter, self._kit.context(alpn), sni)
            try:
                with trio.fail_after(limits.TLS_S):
                    await stream.handshake()
            finally:
                fields |= _handshake_fields(stream, meter)
                trust, detail = self._kit.trust.check(fields["chain"], server_name)
                fields["trust"], fields["trust_detail"] = trust, detail
            self._tls = stream
            self.trusted = trust is None

        await self._step(TlsStep, {"server_name": sni}, shake)

    async def http_get(
        self, url: str | Url, *, host: str | None = None, insecure: bool = False
    ) -> tuple[Draft, Reply]:
        """GET ``url``; ``host`` replaces the Host header; see :meth:`http`."""
        parsed = parse_url(url) if isinstance(url, str) else url
        return await self.http(Request(parsed, host=host or ""), insecure=insecure)

    async def http(self, request: Request, *, insecure: bool = False) -> tuple[Draft, Reply]:
        """Send ``request``; the step as recorded, and what came back (maybe nothing)."""
        reply = Reply()
        if self.trusted is False and not insecure:
            self.broken = True

        async def ask(fields: dict[str, Any]) -> None:
            meter = self._open_meter()
            meter.mark()
            started = self._kit.network.utc_us()
            try:
                await self.converse(request, reply)
            finally:
                fields |= _response_fields(reply, meter)
                draft.exchange = Exchange(
                    url=str(request.url),
                    address=self.address,
                    started=started,
                    request=request.raw() if meter.sent else b"",
                    response=bytes(reply.raw),
                    protocol=self.protocol or "http/1.1",
                )

        draft = self._begin(
            HttpStep,
            {
                "method": request.method,
                "url": str(request.url),
                "host": request.authority,
                "request_headers": request.all_headers(),
            },
        )
        await self._finish(draft, ask)
        return draft, reply

    async def converse(self, request: Request, reply: Reply) -> None:
        """Send a request without recording a step: resolvers and helpers, whose steps say it all."""
        if self.protocol == "h2" and self._h2 is None:
            self._h2 = H2()
        await exchange(self._tls or self._open_meter(), request, reply, protocol=self.protocol, h2=self._h2)

    @property
    def stream(self) -> TlsStream | Meter:
        """The open stream, for protocols that are not HTTP."""
        return self._tls or self._open_meter()

    def mark(self) -> None:
        """Start counting anew."""
        self._open_meter().mark()

    @property
    def protocol(self) -> str | None:
        """What ALPN chose."""
        return self._tls.alpn if self._tls else None

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._meter is not None:
            self._meter.close()

    def _open_meter(self) -> Meter:
        if self._meter is None:
            raise RuntimeError("a flow is dialled before it is used")
        return self._meter

    def _begin(self, kind: type[Any], fields: dict[str, Any]) -> Draft:
        return self._record.begin(
            kind,
            purpose=self._purpose,
            round=self._round,
            hop=self._hop,
            address=self.address,
            port=self.port,
            flow=self._number,
            **fields,
        )

    async def _step(
        self, kind: type[Any], fields: dict[str, Any], action: Callable[[dict[str, Any]], Awaitable[None]]
    ) -> None:
        await self._finish(self._begin(kind, fields), action)

    async def _finish(self, draft: Draft, action: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        if self.broken:
            self._record.skip(draft)
            return
        try:
            await action(draft.fields)
        except NETWORK as error:
            draft.fields["failure"], draft.fields["error"] = name_failure(error)
            self.broken = True
        self._record.end(draft)


def _handshake_fields(stream: TlsStream, meter: Meter) -> dict[str, Any]:
    return {
        "version": stream.version if stream.cipher else None,
        "cipher": stream.cipher,
        "alpn": stream.alpn,
        "chain": stream.chain,
        "alert": stream.alert,
        "plaintext": stream.plaintext,
        "sent": meter.sent,
        "received": meter.received,
        "first_byte_us": meter.first_byte_us,
    }


def _response_fields(reply: Reply, meter: Meter) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "version": reply.version,
        "status": reply.status,
        "headers": reply.headers,
        "sent": meter.sent,
        "received": meter.received,
        "first_byte_us": meter.first_byte_us,
        "progress": meter.progress,
        "truncated": reply.truncated,
    }
    if reply.status is None:
        return fields
    body, cut = content.decode_body(reply.headers, bytes(reply.body), limits.HTTP_BODY)
    fields |= {"body_length": len(body), "truncated": reply.truncated or cut}
    kind = (reply.header("content-type") or "").lower()
    if body and (not kind or "html" in kind):
        fields["title"] = content.title_of(content.text_of(reply.headers, body))
    return fields
