"""Lookups: one resolver asked for one name, every reply kept.

Rules of this file:

* each query is one :class:`~blockwatch.model.DnsStep`; a repeat over UDP is a step of its own;
* a UDP socket stays open after the first reply, in the background, and what comes later is kept:
  a forged reply comes first and the true one after it;
* AAAA is asked only where there is an IPv6 route;
* the address of the line's own resolver is never written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from blockwatch import failure as f
from blockwatch.model import DnsReply, DnsStep, Purpose
from blockwatch.net import dnsmessage, limits
from blockwatch.net.failures import NETWORK, EndOfStream, Garbage, name
from blockwatch.net.flow import Flow
from blockwatch.net.http import BROWSER_HEADERS, Reply, Request
from blockwatch.net.kept import Kept
from blockwatch.net.kit import Kit
from blockwatch.net.record import Draft, Record
from blockwatch.net.resolver import Resolver, parse_resolver
from blockwatch.net.url import is_literal, parse_url

_DOH_HEADERS = (
    BROWSER_HEADERS[0],
    ("Accept", "application/dns-message"),
    ("Content-Type", "application/dns-message"),
)
_SILENT_AFTER = 10


class Habits:
    """What a run has learned of its resolvers: the kept connections, and who never answers."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._kept: dict[str, Kept] = {}
        self._asked: dict[str, int] = {}
        self._answered: set[str] = set()

    def kept(self, resolver: Resolver) -> Kept:
        """The connections to a DoH resolver."""
        if resolver.text not in self._kept:
            self._kept[resolver.text] = Kept(self._kit, parse_url(resolver.text))
        return self._kept[resolver.text]

    def asked(self, resolver: str) -> None:
        """One more question."""
        self._asked[resolver] = self._asked.get(resolver, 0) + 1

    def answered(self, resolver: str) -> None:
        """It lives."""
        self._answered.add(resolver)

    def silent(self, resolver: str) -> bool:
        """Asked often and never heard: ask once, and do not wait."""
        return resolver not in self._answered and self._asked.get(resolver, 0) >= _SILENT_AFTER

    def close(self) -> None:
        """Close the kept connections."""
        for kept in self._kept.values():
            kept.close()


class Lookups:
    """The lookups of one measurement; listening goes on in ``background`` until :meth:`finish`."""

    def __init__(self, kit: Kit, record: Record, habits: Habits, background: trio.Nursery) -> None:
        self._kit, self._record, self._habits = kit, record, habits
        self._background = background
        self._listening: dict[trio.CancelScope, float] = {}  # scope -> earliest end (trio time)
        self._finishing = False

    async def ask(
        self,
        resolver_text: str,
        host: str,
        *,
        purpose: Purpose = Purpose.FIRST,
        round: int = 0,
        hop: int = 0,
        window_us: int | None = None,
    ) -> list[str]:
        """The addresses that ``resolver_text`` gives for ``host``; [] on failure (it is recorded).

        ``window_us``: listen exactly so long for more replies over UDP, and return after it.
        """
        resolver = parse_resolver(resolver_text)
        why = {"purpose": purpose, "round": round, "hop": hop}
        if resolver.kind == "system":
            return await self._system(host, why)
        if resolver.kind in ("udp", "line"):
            return await self._udp(resolver, host, why, window_us)
        if resolver.kind == "https":
            return await self._https(resolver, host, why)
        return await self._stream(resolver, host, why)

    def finish(self) -> None:
        """The measurement is over: stop listening, but not before each socket had its time."""
        self._finishing = True
        for scope, earliest in self._listening.items():
            scope.deadline = min(scope.deadline, earliest)

    # getaddrinfo

    async def _system(self, host: str, why: dict[str, Any]) -> list[str]:
        draft = self._begin("system", host, "ANY", why)

        async def ask(fields: dict[str, Any]) -> None:
            with trio.fail_after(limits.DNS_SYSTEM_S):
                found = await self._kit.network.getaddrinfo(host)
            fields["addresses"] = tuple(found[: limits.DNS_ADDRESSES])
            if not found:
                fields["failure"] = f.NO_ANSWER

        await self._run(draft, ask)
        return list(draft.fields["addresses"])

    # UDP

    async def _udp(
        self, resolver: Resolver, host: str, why: dict[str, Any], window_us: int | None
    ) -> list[str]:
        address = self._kit.network.nameserver() if resolver.kind == "line" else resolver.host
        if address is None:
            return []
        found: dict[str, list[str]] = {}
        async with trio.open_nursery() as nursery:
            for qtype in self._qtypes():
                found[qtype] = []
                nursery.start_soon(
                    self._udp_query, resolver, address, host, qtype, why, window_us, found[qtype]
                )
        return [address for addresses in found.values() for address in addresses]

    async def _udp_query(
        self,
        resolver: Resolver,
        address: str,
        host: str,
        qtype: str,
        why: dict[str, Any],
        window_us: int | None,
        found: list[str],
    ) -> None:
        settled = trio.Event()
        attempts = 1 if self._habits.silent(resolver.text) else limits.DNS_ATTEMPTS
        window = window_us / 1e6 if window_us is not None else attempts * limits.DNS_SPACING_S
        self._habits.asked(resolver.text)
        drafts: list[Draft] = []
        async with trio.open_nursery() as waiting:
            nursery = self._background if window_us is None else waiting
            for attempt in range(attempts):
                draft = self._begin(resolver.text, host, qtype, why | {"round": why["round"] + attempt})
                drafts.append(draft)
                listener = _Listener(draft, self._record, settled, dnsmessage.query(host, qtype))
                left = window if window_us is not None else window - attempt * limits.DNS_SPACING_S
                nursery.start_soon(
                    self._listen, listener, address, resolver.port or 53, left, window_us is not None
                )
                with trio.move_on_after(limits.DNS_SPACING_S):
                    await settled.wait()
                listener.give_up()
                if settled.is_set():
                    self._habits.answered(resolver.text)
                    break
        for draft in drafts:
            for reply in draft.fields["replies"]:  # two differing replies: both are candidates
                found += [other for other in reply.addresses if other not in found]
            if draft.fields["error"] == "TC":
                found += await self._stream(Resolver(f"tcp://{address}:53", "tcp", address, 53), host, why)

    async def _listen(self, listener: _Listener, address: str, port: int, window: float, exact: bool) -> None:
        """Send one query and keep what comes back until the window closes."""
        with trio.move_on_after(window) as scope:
            sent_at = trio.current_time()
            self._listening[scope] = scope.deadline
            try:
                socket = await self._kit.network.datagrams(address, port)
            except NETWORK as error:
                self._listening.pop(scope, None)
                listener.fail(error)
                return
            try:
                await self._send(listener, socket)
                while len(listener.replies) < limits.DNS_REPLIES:
                    await self._receive(listener, socket)
                    if not exact and listener.draft.fields["replies"]:
                        self._stay(scope, sent_at + listener.first_us / 1e6 + limits.DNS_LINGER_S)
            finally:
                socket.close()
                self._listening.pop(scope, None)
        listener.give_up()

    def _stay(self, scope: trio.CancelScope, earliest: float) -> None:
        """After a reply: listen on while the measurement lasts, and a second at least."""
        if scope in self._listening:
            self._listening[scope] = earliest
            scope.deadline = earliest if self._finishing else trio.current_time() + limits.MEASUREMENT_S

    async def _send(self, listener: _Listener, socket: Any) -> None:
        try:
            await socket.send(listener.asked)
        except NETWORK as error:
            listener.fail(error)

    async def _receive(self, listener: _Listener, socket: Any) -> None:
        try:
            message, ip_ttl = await socket.receive()
        except NETWORK as error:  # an ICMP error; a reply may still come
            listener.fail(error)
            await trio.sleep(0.05)
        else:
            listener.hear(message, ip_ttl)

    # TCP and TLS (RFC 7766, RFC 7858)

    async def _stream(self, resolver: Resolver, host: str, why: dict[str, Any]) -> list[str]:
        addresses = [resolver.host] if is_literal(resolver.host) else await self._resolve_host(resolver, why)
        found: list[str] = []
        for address in addresses[:1]:
            flow = Flow(
                self._kit, self._record, address, resolver.port, purpose=Purpose.RESOLVER, hop=why["hop"]
            )
            try:
                await flow.tcp_connect()
                if resolver.kind == "tls":
                    await flow.tls_handshake(server_name=resolver.host, alpn=("dot",))
                for qtype in self._qtypes():
                    found += await self._framed_query(flow, resolver, host, qtype, why)
            finally:
                flow.close()
        return found

    async def _framed_query(
        self, flow: Flow, resolver: Resolver, host: str, qtype: str, why: dict[str, Any]
    ) -> list[str]:
        draft = self._begin(resolver.text, host, qtype, why)
        if flow.broken or flow.trusted is False:
            self._record.skip(draft)
            return []
        asked = dnsmessage.query(host, qtype)

        async def ask(fields: dict[str, Any]) -> None:
            start = self._record.now()
            with trio.fail_after(limits.DNS_STREAM_S):
                await flow.stream.send(len(asked).to_bytes(2, "big") + asked)
                head = await _exactly(flow, 2)
                message = await _exactly(flow, int.from_bytes(head, "big"))
            _fill(fields, asked, message, self._record.now() - start)

        await self._run(draft, ask)
        return list(draft.fields["addresses"])

    async def _resolve_host(self, resolver: Resolver, why: dict[str, Any]) -> list[str]:
        found = await self._system(resolver.host, why | {"purpose": Purpose.RESOLVER})
        return [address for address in found if ":" not in address or self._kit.ipv6]

    # HTTPS (RFC 8484)

    async def _https(self, resolver: Resolver, host: str, why: dict[str, Any]) -> list[str]:
        found: list[str] = []
        for qtype in self._qtypes():
            found += await self._https_query(resolver, host, qtype, why)
        return found

    async def _https_query(self, resolver: Resolver, host: str, qtype: str, why: dict[str, Any]) -> list[str]:
        kept = self._habits.kept(resolver)
        asked = dnsmessage.query(host, qtype, identity=0)  # RFC 8484, section 4.1
        request = Request(
            kept.url, method="POST", headers=_DOH_HEADERS, body=asked, head_s=limits.DNS_STREAM_S
        )
        draft = self._begin(resolver.text, host, qtype, why)
        if kept.resting:
            self._record.skip(draft)
            return []

        async def ask(fields: dict[str, Any]) -> None:
            reply = Reply()
            start = self._record.now()
            if not await kept.request(self._record, request, reply, hop=why["hop"]):
                fields["skipped"] = True
                return
            if reply.status != 200:
                raise Garbage(f.DNS_MISBEHAVING, f"HTTP {reply.status}")
            _fill(fields, asked, bytes(reply.body), self._record.now() - start)

        await self._run(draft, ask)
        if draft.fields["skipped"]:
            draft.fields["us"] = 0
        return list(draft.fields["addresses"])

    # common

    def _qtypes(self) -> tuple[str, ...]:
        return ("A", "AAAA") if self._kit.ipv6 else ("A",)

    def _begin(self, resolver: str, host: str, qtype: str, why: dict[str, Any]) -> Draft:
        return self._record.begin(
            DnsStep,
            **why,
            resolver=resolver,
            name=host,
            qtype=qtype,
            addresses=(),
            replies=(),
            rcode=None,
            query=b"",
            skipped=False,
        )

    async def _run(self, draft: Draft, ask: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        try:
            await ask(draft.fields)
        except NETWORK as error:
            named = name(error)
            if named is None:
                raise
            draft.fields["failure"], draft.fields["error"] = named
        self._record.end(draft)


class _Listener:
    """One UDP query and what came back."""

    def __init__(self, draft: Draft, record: Record, settled: trio.Event, asked: bytes) -> None:
        self.draft, self.asked = draft, asked
        self._record, self._settled = record, settled
        self.replies: list[DnsReply] = []
        self.first_us = 0
        self._fits = False
        draft.fields["query"] = asked

    def hear(self, message: bytes, ip_ttl: int | None) -> None:
        """Keep a reply; the first that fits is the step's answer."""
        fields = self.draft.fields
        us = self._record.now() - fields["t"]
        reply, answer = _reply(self.asked, message, us, ip_ttl)
        self.first_us = self.first_us if self.replies else us
        self.replies.append(reply)
        fields["replies"] = tuple(self.replies)
        if answer is None or self._fits:
            return
        self._fits = True
        fields |= {"addresses": answer.addresses, "rcode": answer.rcode}
        truncated = answer.cut and not answer.addresses
        fields |= {"failure": answer.failure, "error": "TC" if truncated else None, "us": us}
        self.draft.ready = True
        self._settled.set()

    def fail(self, error: BaseException) -> None:
        """Note what went wrong, unless an answer is there."""
        named = name(error)
        if named is None:
            raise error
        if not self._fits:
            self.draft.fields["failure"], self.draft.fields["error"] = named

    def give_up(self) -> None:
        """Nothing that fits so far: say so (a late reply may still correct it)."""
        if self._fits:
            return
        fields = self.draft.fields
        if self.replies:
            fields["failure"], fields["error"] = f.DNS_MISBEHAVING, "no reply fits the query"
        elif fields["failure"] is None:
            fields["failure"] = f.TIMEOUT
        fields["us"] = self._record.now() - fields["t"]
        self.draft.ready = True


async def _exactly(flow: Flow, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = await flow.stream.receive(length - len(data))
        if not piece:
            raise EndOfStream
        data += piece
    return data


def _reply(
    asked: bytes, message: bytes, us: int, ip_ttl: int | None = None
) -> tuple[DnsReply, dnsmessage.Answer | None]:
    raw = message[: limits.DNS_RAW]
    answer = dnsmessage.read(asked, message)
    if answer is None:
        return DnsReply(us=us, rcode=None, ip_ttl=ip_ttl, raw=raw), None
    reply = DnsReply(
        us=us,
        rcode=answer.rcode,
        addresses=answer.addresses,
        names=answer.names,
        ttl=answer.ttl,
        ip_ttl=ip_ttl,
        raw=raw,
    )
    return reply, answer


def _fill(fields: dict[str, Any], asked: bytes, message: bytes, us: int) -> None:
    """Write the one reply of a stream into its step."""
    reply, answer = _reply(asked, message, us)
    fields |= {"query": asked, "replies": (reply,)}
    if answer is None:
        raise Garbage(f.DNS_MISBEHAVING, "no reply fits the query")
    fields |= {"addresses": answer.addresses, "rcode": answer.rcode, "failure": answer.failure}
