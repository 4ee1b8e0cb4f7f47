"""The helper's own resolver: A and AAAA from one recursive server, over UDP, TCP when cut short.

Rules of this file:

* a lost packet must not make a false control: three tries, and the first good answer of any counts;
* only a message that answers our question (id, name, type) is read; the rest is passed over;
* all within :data:`DEADLINE` seconds and :data:`MAX_ADDRESSES` addresses.
"""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import msgspec
import trio

from blockwatch import failure as f
from blockwatch.net.failures import NETWORK
from blockwatch.net.failures import name as name_failure
from blockwatch.net.seam import Network

DEADLINE = 4.0  # seconds, both types together
TRIES = (0.9, 1.2, 1.9)  # seconds each
MAX_ADDRESSES = 16

_RCODES = {
    dns.rcode.NXDOMAIN: f.NXDOMAIN,
    dns.rcode.REFUSED: f.DNS_REFUSED,
    dns.rcode.SERVFAIL: f.SERVFAIL,
}


class Looked(msgspec.Struct, frozen=True):
    """What a name resolves to."""

    addresses: tuple[str, ...]  # IPv4 first, canonical
    failure: str | None  # OONI's string; null: there are addresses


class Resolver:
    """A stub that asks one server, given as literal address and port."""

    def __init__(self, network: Network, address: str, port: int = 53) -> None:
        self._network, self._address, self._port = network, address, port

    async def lookup(self, host: str) -> Looked:
        """Resolve ``host`` (A-labels)."""
        try:
            name = dns.name.from_text(host)
        except (dns.exception.DNSException, UnicodeError):
            return Looked((), f.NXDOMAIN)
        found: dict[dns.rdatatype.RdataType, Looked] = {}

        async def ask(kind: dns.rdatatype.RdataType) -> None:
            found[kind] = await self._ask(name, kind)

        with trio.move_on_after(DEADLINE):
            async with trio.open_nursery() as nursery:
                for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
                    nursery.start_soon(ask, kind)
        silent = Looked((), f.TIMEOUT)
        v4, v6 = (found.get(kind, silent) for kind in (dns.rdatatype.A, dns.rdatatype.AAAA))
        addresses = (v4.addresses + v6.addresses)[:MAX_ADDRESSES]
        if addresses:
            return Looked(addresses, None)
        return Looked((), v6.failure if v4.failure == f.NO_ANSWER else v4.failure)

    async def _ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> Looked:
        """Ask until an answer stands; SERVFAIL and the like are asked again, they may pass."""
        last = Looked((), f.TIMEOUT)
        for seconds in TRIES:
            query = dns.message.make_query(name, kind, use_edns=0, payload=1232)
            try:
                with trio.move_on_after(seconds):
                    answer = await self._over_udp(query)
                    if answer.flags & dns.flags.TC:
                        answer = await self._over_tcp(query)
                    last = _read(answer, kind)
                    if last.failure in (None, f.NXDOMAIN, f.NO_ANSWER):
                        return last
                    await trio.sleep(0.2)
            except NETWORK as error:
                named = name_failure(error)
                if named is None:
                    raise
                last = Looked((), named[0])
                await trio.sleep(0.2)
        return last

    async def _over_udp(self, query: dns.message.Message) -> dns.message.Message:
        socket = await self._network.datagrams(self._address, self._port)
        try:
            await socket.send(query.to_wire())
            while True:
                raw, _ = await socket.receive()
                answer = _parse(raw)
                if answer is not None and query.is_response(answer):
                    return answer
        finally:
            socket.close()

    async def _over_tcp(self, query: dns.message.Message) -> dns.message.Message:
        connection = await self._network.connect(self._address, self._port)
        try:
            wire = query.to_wire()
            await connection.send(len(wire).to_bytes(2, "big") + wire)
            buffer = b""
            while len(buffer) < 2 or len(buffer) < 2 + int.from_bytes(buffer[:2], "big"):
                data = await connection.receive(65_535)
                if not data:
                    raise ConnectionResetError("the resolver closed the connection")
                buffer += data
            answer = _parse(buffer[2 : 2 + int.from_bytes(buffer[:2], "big")])
            if answer is None or not query.is_response(answer):
                raise ConnectionResetError("the resolver answered something else")
            return answer
        finally:
            connection.close()


def _parse(raw: bytes) -> dns.message.Message | None:
    try:
        return dns.message.from_wire(raw, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None


def _read(answer: dns.message.Message, kind: dns.rdatatype.RdataType) -> Looked:
    """Addresses of an answer, whatever chain of names leads to them."""
    rcode = answer.rcode()
    if rcode != dns.rcode.NOERROR:
        return Looked((), _RCODES.get(rcode, f.DNS_MISBEHAVING))
    addresses = tuple(
        dict.fromkeys(
            record.address
            for rrset in answer.answer
            if rrset.rdtype == kind and rrset.rdclass == dns.rdataclass.IN
            for record in rrset
        )
    )
    return Looked(addresses[:MAX_ADDRESSES], None if addresses else f.NO_ANSWER)
