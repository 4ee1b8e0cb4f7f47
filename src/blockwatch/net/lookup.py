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
from functools import partial
from typing import Any

import trio

from blockwatch import failure as f
from blockwatch.model import DnsStep, Purpose
from blockwatch.net import dnsmessage, limits
from blockwatch.net.failures import NETWORK, EndOfStream, Garbage, name_failure
from blockwatch.net.flow import Flow
from blockwatch.net.habits import Habits
from blockwatch.net.http import BROWSER_HEADERS, Reply, Request
from blockwatch.net.kit import Kit
from blockwatch.net.record import Draft, Record
from blockwatch.net.resolver import Resolver, parse_resolver
from blockwatch.net.udp import UdpLookups, UdpQuery, read_reply
from blockwatch.net.url import is_literal

_DOH_HEADERS = (
    BROWSER_HEADERS[0],
    ("Accept", "application/dns-message"),
    ("Content-Type", "application/dns-message"),
)
Manner = tuple[int | None, bool, bool]  # of a UDP query: window_us, single, recursive


class Lookups:
    """The lookups of one measurement; listening goes on in ``background`` until :meth:`finish`."""

    def __init__(self, kit: Kit, record: Record, habits: Habits, background: trio.Nursery) -> None:
        self._kit, self._record, self._habits = kit, record, habits
        self._udp = UdpLookups(kit, record, habits, background)

    async def ask(
        self,
        resolver_text: str,
        host: str,
        *,
        purpose: Purpose = Purpose.FIRST,
        round: int = 0,
        hop: int = 0,
        window_us: int | None = None,
        single: bool = False,
        recursive: bool = True,
    ) -> list[str]:
        """The addresses that ``resolver_text`` gives for ``host``; [] on failure (it is recorded).

        Over UDP: ``window_us``: listen exactly so long for more replies, and return after it; ``single``:
        one datagram of each type and no TCP; ``recursive``: desire recursion.
        """
        resolver = parse_resolver(resolver_text)
        why = {"purpose": purpose, "round": round, "hop": hop}
        if resolver.kind == "system":
            return await self._system(host, why)
        if resolver.kind in ("udp", "line"):
            return await self._datagrams(resolver, host, why, (window_us, single, recursive))
        if resolver.kind == "https":
            return await self._https(resolver, host, why)
        return await self._stream(resolver, host, why)

    def finish(self) -> None:
        """The measurement is over: stop listening, but not before each socket had its time."""
        self._udp.finish()

    # getaddrinfo

    async def _system(self, host: str, why: dict[str, Any]) -> list[str]:
        draft = begin_lookup(self._record, "system", host, "ANY", why)

        async def ask(fields: dict[str, Any]) -> None:
            with trio.fail_after(limits.DNS_SYSTEM_S):
                found = await self._kit.network.getaddrinfo(host)
            fields["addresses"] = tuple(found[: limits.DNS_ADDRESSES])
            if not found:
                fields["failure"] = f.NO_ANSWER

        await self._run(draft, ask)
        return list(draft.fields["addresses"])

    # UDP

    async def _datagrams(
        self, resolver: Resolver, host: str, why: dict[str, Any], manner: Manner
    ) -> list[str]:
        address = self._kit.network.nameserver() if resolver.kind == "line" else resolver.host
        if address is None:
            return []
        where = (address, resolver.port or 53)
        found: dict[str, list[str]] = {}
        async with trio.open_nursery() as nursery:
            for qtype in self._qtypes():
                found[qtype] = []
                nursery.start_soon(
                    self._datagram_query, resolver, where, host, qtype, why, manner, found[qtype]
                )
        return [address for addresses in found.values() for address in addresses]

    async def _datagram_query(
        self,
        resolver: Resolver,
        where: tuple[str, int],
        host: str,
        qtype: str,
        why: dict[str, Any],
        manner: Manner,
        found: list[str],
    ) -> None:
        begin = partial(begin_lookup, self._record, resolver.text, host, qtype)
        query = UdpQuery(resolver.text, where, host, qtype, *manner)
        drafts = await self._udp.ask(query, lambda attempt: begin(why | {"round": why["round"] + attempt}))
        for draft in drafts:
            for reply in draft.fields["replies"]:  # two differing replies: both are candidates
                found += [other for other in reply.addresses if other not in found]
        if any(draft.fields["error"] == "TC" for draft in drafts) and not query.single:
            text = "line" if resolver.kind == "line" else resolver.text.replace("udp://", "tcp://", 1)
            tcp = Resolver(text, "tcp", *where)
            found += await self._stream(tcp, host, why)

    # TCP and TLS (RFC 7766, RFC 7858)

    async def _stream(self, resolver: Resolver, host: str, why: dict[str, Any]) -> list[str]:
        addresses = [resolver.host] if is_literal(resolver.host) else await self._resolve_host(resolver, why)
        found: list[str] = []
        dials = self._record if resolver.text != "line" else self._unwritten()
        for address in addresses[:1]:
            flow = Flow(self._kit, dials, address, resolver.port, purpose=Purpose.RESOLVER, hop=why["hop"])
            try:
                await flow.tcp_connect()
                if resolver.kind == "tls":
                    await flow.tls_handshake(server_name=resolver.host, alpn=("dot",))
                for qtype in self._qtypes():
                    found += await self._framed_query(flow, resolver, host, qtype, why)
            finally:
                flow.close()
        return found

    def _unwritten(self) -> Record:
        """A record that nobody reads, for a connection whose address is not to be known."""
        return Record(self._kit.network.monotonic_us, self._kit.origin_us)

    async def _framed_query(
        self, flow: Flow, resolver: Resolver, host: str, qtype: str, why: dict[str, Any]
    ) -> list[str]:
        draft = begin_lookup(self._record, resolver.text, host, qtype, why)
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
            fill(fields, asked, message, self._record.now() - start)

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
        draft = begin_lookup(self._record, resolver.text, host, qtype, why)
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
            fill(fields, asked, bytes(reply.body), self._record.now() - start)

        await self._run(draft, ask)
        if draft.fields["skipped"]:
            draft.fields["us"] = 0
        return list(draft.fields["addresses"])

    # common

    def _qtypes(self) -> tuple[str, ...]:
        return ("A", "AAAA") if self._kit.ipv6 else ("A",)

    async def _run(self, draft: Draft, ask: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        try:
            await ask(draft.fields)
        except NETWORK as error:
            draft.fields["failure"], draft.fields["error"] = name_failure(error)
        self._record.end(draft)


async def _exactly(flow: Flow, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = await flow.stream.receive(length - len(data))
        if not piece:
            raise EndOfStream
        data += piece
    return data


def begin_lookup(record: Record, resolver: str, host: str, qtype: str, why: dict[str, Any]) -> Draft:
    """Start a lookup's step."""
    return record.begin(
        DnsStep,
        **why,
        resolver=resolver,
        name=host,
        qtype=qtype,
        addresses=(),
        replies=(),
        rcode=None,
        query=b"",
        error=None,
        skipped=False,
    )


def fill(fields: dict[str, Any], asked: bytes, message: bytes, us: int) -> None:
    """Write the one reply of a stream into its step."""
    reply, answer = read_reply(asked, message, us)
    fields |= {"query": asked, "replies": (reply,)}
    if answer is None:
        raise Garbage(f.DNS_MISBEHAVING, "no reply fits the query")
    fields |= {"addresses": answer.addresses, "rcode": answer.rcode, "failure": answer.failure}
