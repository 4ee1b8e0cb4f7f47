"""Connections kept over measurements: to an encrypted resolver, to a test helper.

Rules of this file:

* one request at a time on a connection, and a bound on connections;
* the steps that open one are written into the record of the measurement that needed it;
* a kept connection that turns out to be dead before it has said a word is replaced once;
* an end that failed three times in a row is left alone for a while: then no row claims a try;
* an end that says it is busy gets half as many requests at a time, and twice as many again once it
  has not said so for a while; who counts time waits for a place first (:meth:`Kept.place`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from blockwatch.model import Purpose
from blockwatch.net import limits
from blockwatch.net.failures import NETWORK, name_failure
from blockwatch.net.flow import Flow
from blockwatch.net.http import Reply, Request
from blockwatch.net.kit import Kit
from blockwatch.net.record import Record
from blockwatch.net.url import Url, is_literal

_TRIES = 3
_REST_S = 30.0
_CALM_S = 20.0  # without a busy answer
_LEAST = 4  # places that stay, however busy it is


class Kept:
    """The connections to one https or http URL."""

    def __init__(self, kit: Kit, url: Url, connections: int) -> None:
        self.url = url
        self._kit = kit
        self._idle: list[Flow] = []
        self._most = connections
        self._places = trio.CapacityLimiter(connections)
        self._changed = float("-inf")  # when the number of places last changed (trio time)
        self._addresses: list[str] = []
        self._failed = 0  # one after the other
        self._told = float("-inf")  # when it was last known to work or to fail (trio time)
        self._rest_until = 0.0

    @property
    def resting(self) -> bool:
        """Whether it failed so often that it is not tried now."""
        return trio.current_time() < self._rest_until

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for one of the places, and hold it for the length of the block."""
        now = trio.current_time()
        if self._places.total_tokens < self._most and now >= self._changed + _CALM_S:
            self._places.total_tokens = min(self._most, 2 * int(self._places.total_tokens))
            self._changed = now
        async with self._places:
            yield

    def busy(self, since: float) -> None:
        """It said so to a request of the time ``since``: half the places, once for all that were out."""
        if since >= self._changed:
            self._places.total_tokens = max(_LEAST, int(self._places.total_tokens) // 2)
            self._changed = trio.current_time()

    async def request(self, record: Record, request: Request, reply: Reply, *, hop: int = 0) -> bool:
        """Wait for a place and :meth:`send`."""
        async with self.place():
            return await self.send(record, request, reply, hop=hop)

    async def send(self, record: Record, request: Request, reply: Reply, *, hop: int = 0) -> bool:
        """Send ``request`` and fill ``reply``; False: no connection could be made.

        Raises the exceptions of :data:`blockwatch.net.failures.NETWORK` for what happened after it. The
        caller holds a :meth:`place`.
        """
        while self._idle:
            flow = self._idle.pop()
            flow.mark()
            try:
                await self._converse(flow, request, reply)
            except NETWORK as error:
                name_failure(error)
                if isinstance(error, trio.TooSlowError) or reply.raw:
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
        began = trio.current_time()
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
                self._failed, self._told = 0, trio.current_time()
                return flow
            flow.close()
        self._fail(began)
        return None

    def _fail(self, began: float) -> None:
        """Count a failure, but those of one moment once, and none that something worked beside."""
        if began <= self._told:
            return
        self._failed, self._told = self._failed + 1, trio.current_time()
        if self._failed >= _TRIES:
            self._rest_until = self._told + _REST_S

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
                name_failure(error)
            usable = [a for a in found if (":" not in a or self._kit.ipv6)]
            self._addresses = usable[:2] or self._addresses  # what another lookup found meanwhile
        return self._addresses

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()
