"""The helper's own resolver: A and AAAA from one recursive server, over UDP, TCP when cut short.

Rules of this file:

* a lost packet must not make a false control: three tries, and the first good answer of any counts;
* messages are written and read as the measurer does it (:mod:`blockwatch.net.dnsmessage`): only one that
  answers our question (id, name, type) is read, the rest is passed over;
* all within :data:`DEADLINE` seconds and :data:`MAX_ADDRESSES` addresses.
"""

from __future__ import annotations

import msgspec
import trio

from blockwatch import failure as f
from blockwatch.net import dnsmessage
from blockwatch.net.failures import NETWORK, name_failure
from blockwatch.net.seam import Network

DEADLINE = 4.0  # seconds, both types together
TRIES = (0.9, 1.2, 1.9)  # seconds each
MAX_ADDRESSES = 16


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
        found: dict[str, Looked] = {}

        async def ask(kind: str) -> None:
            found[kind] = await self._ask(host, kind)

        with trio.move_on_after(DEADLINE):
            async with trio.open_nursery() as nursery:
                for kind in dnsmessage.QTYPES:
                    nursery.start_soon(ask, kind)
        silent = Looked((), f.TIMEOUT)
        v4, v6 = (found.get(kind, silent) for kind in ("A", "AAAA"))
        addresses = (v4.addresses + v6.addresses)[:MAX_ADDRESSES]
        if addresses:
            return Looked(addresses, None)
        return Looked((), v6.failure if v4.failure == f.NO_ANSWER else v4.failure)

    async def _ask(self, host: str, kind: str) -> Looked:
        """Ask until an answer stands; SERVFAIL and the like are asked again, they may pass."""
        last = Looked((), f.TIMEOUT)
        for seconds in TRIES:
            query = dnsmessage.query(host, kind)
            try:
                with trio.move_on_after(seconds):
                    answer = await self._over_udp(query)
                    if answer.cut:
                        answer = await self._over_tcp(query)
                    last = _read(answer, kind)
                    if last.failure in (None, f.NXDOMAIN, f.NO_ANSWER):
                        return last
                    await trio.sleep(0.2)
            except NETWORK as error:
                last = Looked((), name_failure(error)[0])
                await trio.sleep(0.2)
        return last

    async def _over_udp(self, query: bytes) -> dnsmessage.Answer:
        socket = await self._network.datagrams(self._address, self._port)
        try:
            await socket.send(query)
            while True:
                raw, _ = await socket.receive()
                answer = dnsmessage.read(query, raw)
                if answer is not None:
                    return answer
        finally:
            socket.close()

    async def _over_tcp(self, query: bytes) -> dnsmessage.Answer:
        connection = await self._network.connect(self._address, self._port)
        try:
            await connection.send(len(query).to_bytes(2, "big") + query)
            buffer = b""
            while len(buffer) < 2 or len(buffer) < 2 + int.from_bytes(buffer[:2], "big"):
                data = await connection.receive(65_535)
                if not data:
                    raise ConnectionResetError("the resolver closed the connection")
                buffer += data
            answer = dnsmessage.read(query, buffer[2 : 2 + int.from_bytes(buffer[:2], "big")])
            if answer is None:
                raise ConnectionResetError("the resolver answered something else")
            return answer
        finally:
            connection.close()


def _read(answer: dnsmessage.Answer, kind: str) -> Looked:
    """Addresses of the type asked for, whatever chain of names leads to them."""
    if answer.rcode:
        return Looked((), answer.failure)
    fitting = tuple(a for a in answer.addresses if (":" in a) == (kind == "AAAA"))
    return Looked(fitting[:MAX_ADDRESSES], None if fitting else f.NO_ANSWER)
