"""Connections kept over measurements: to an encrypted resolver, to a test helper.

Rules of this file:

* one request at a time on a connection, and a bound on connections;
* the steps that open one are written into the record of the measurement that needed it;
* a kept connection that turns out to be dead before it has said a word is replaced once;
* an end that failed three times in a row is left alone for a while: then no row claims a try.
"""

from __future__ import annotations

import trio

from blockwatch.model import Purpose
from blockwatch.net import limits
from blockwatch.net.failures import NETWORK, name
from blockwatch.net.flow import Flow
from blockwatch.net.http import Reply, Request
from blockwatch.net.kit import Kit
from blockwatch.net.record import Record
from blockwatch.net.url import Url, is_literal

_TRIES = 3
_REST_S = 30.0


class Kept:
    """The connections to one https or http URL."""

    def __init__(self, kit: Kit, url: Url, connections: int) -> None:
        self.url = url
        self._kit = kit
        self._idle: list[Flow] = []
        self._places = trio.Semaphore(connections)
        self._addresses: list[str] = []
        self._failed = 0
        self._rest_until = 0.0

    @property
    def resting(self) -> bool:
        """Whether it failed so often that it is not tried now."""
        return trio.current_time() < self._rest_until

    async def request(self, record: Record, request: Request, reply: Reply, *, hop: int = 0) -> bool:
        """Send ``request`` and fill ``reply``; False: no connection could be made.

        Raises the exceptions of :data:`blockwatch.net.failures.NETWORK` for what happened after it.
        """
        async with self._places:
            while self._idle:
                flow = self._idle.pop()
                flow.mark()
                try:
                    await self._converse(flow, request, reply)
                except NETWORK as error:
                    if isinstance(error, trio.TooSlowError) or reply.raw or name(error) is None:
                        raise
                else:
                    return True
            fresh = await self._open(record, hop)
            if fresh is None:
                return False
            fresh.mark()
            await self._converse(fresh, request, reply)
            return True

    async def _converse(self, flow: Flow, request: Request, reply: Reply) -> None:
        try:
            await flow.converse(request, reply)
        except BaseException:
            flow.close()
            raise
        if reply.reusable:
            self._idle.append(flow)
        else:
            flow.close()

    async def _open(self, record: Record, hop: int) -> Flow | None:
        for address in await self._resolve():
            flow = Flow(self._kit, record, address, self.url.port, purpose=Purpose.RESOLVER, hop=hop)
            try:
                await flow.tcp_connect()
                if self.url.scheme == "https":
                    await flow.tls_handshake(server_name=self.url.host)
            except BaseException:
                flow.close()
                raise
            if not flow.broken and flow.trusted is not False:
                self._failed = 0
                return flow
            flow.close()
        self._failed += 1
        if self._failed >= _TRIES:
            self._rest_until = trio.current_time() + _REST_S
        return None

    async def _resolve(self) -> list[str]:
        """At most two addresses of the host, by the system resolver, once a run."""
        if is_literal(self.url.host):
            return [self.url.host]
        if not self._addresses:
            found: list[str] = []
            try:
                with trio.fail_after(limits.DNS_SYSTEM_S):
                    found = await self._kit.network.getaddrinfo(self.url.host)
            except NETWORK as error:
                if name(error) is None:
                    raise
            usable = [a for a in found if (":" not in a or self._kit.ipv6)]
            self._addresses = usable[:2]
        return self._addresses

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()
