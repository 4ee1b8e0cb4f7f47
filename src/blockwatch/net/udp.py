"""Lookups over UDP: a socket a query, and every reply that comes.

Rules of this file:

* a repeat is a query of its own, on a socket of its own, while the earlier one goes on listening;
* the first reply that fits is the answer; all that come are kept, forged, late or broken;
* after the first reply the socket stays open while the measurement lasts, a second at least, or
  exactly as long as a follow-up asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import trio

from blockwatch import failure as f
from blockwatch.model import DnsReply
from blockwatch.net import dnsmessage, limits
from blockwatch.net.failures import NETWORK, name_failure
from blockwatch.net.habits import Habits
from blockwatch.net.kit import Kit
from blockwatch.net.record import Draft, Record
from blockwatch.net.seam import Datagrams


@dataclass(frozen=True)
class UdpQuery:
    """What to ask whom; ``window_us`` None: listen while the measurement lasts."""

    resolver: str
    where: tuple[str, int]
    host: str
    qtype: str
    window_us: int | None
    single: bool = False  # send one datagram, whatever comes back
    recursive: bool = True


class UdpLookups:
    """The UDP lookups of one measurement; they listen in ``background`` until :meth:`finish`."""

    def __init__(self, kit: Kit, record: Record, habits: Habits, background: trio.Nursery) -> None:
        self._kit, self._record, self._habits = kit, record, habits
        self._background = background
        self._listening: dict[trio.CancelScope, float] = {}  # scope -> earliest end (trio time)
        self._finishing = False

    def finish(self) -> None:
        """The measurement is over: stop listening, but not before each socket had its time."""
        self._finishing = True
        for scope, earliest in self._listening.items():
            scope.deadline = min(scope.deadline, earliest)

    async def ask(self, query: UdpQuery, begin: Callable[[int], Draft]) -> list[Draft]:
        """Ask, up to three times; ``begin(attempt)`` starts a step. The steps, settled or given up."""
        settled = trio.Event()
        once = query.single or self._habits.silent(query.resolver)
        attempts = 1 if once else limits.DNS_ATTEMPTS
        exact = query.window_us is not None
        window = (query.window_us or 0) / 1e6 if exact else attempts * limits.DNS_SPACING_S
        self._habits.asked(query.resolver)
        drafts: list[Draft] = []
        async with trio.open_nursery() as waiting:
            for attempt in range(attempts):
                drafts.append(begin(attempt))
                asked = dnsmessage.query(query.host, query.qtype, recursive=query.recursive)
                listener = _Listener(drafts[-1], self._record, settled, asked)
                left = window if exact else window - attempt * limits.DNS_SPACING_S
                nursery = waiting if exact else self._background
                nursery.start_soon(self._listen, listener, query.where, left, exact)
                with trio.move_on_after(limits.DNS_SPACING_S):
                    await settled.wait()
                listener.give_up()
                if settled.is_set():
                    self._habits.answered(query.resolver)
                    break
        return drafts

    async def _listen(self, listener: _Listener, where: tuple[str, int], window: float, exact: bool) -> None:
        """Send one query and keep what comes back until the window closes."""
        with trio.move_on_after(window) as scope:
            sent_at = trio.current_time()
            self._listening[scope] = scope.deadline
            try:
                socket = await self._kit.network.datagrams(*where)
            except NETWORK as error:
                self._listening.pop(scope, None)
                listener.fail(error)
                return
            try:
                await self._send(listener, socket)
                while len(listener.replies) < limits.DNS_REPLIES:
                    await self._receive(listener, socket)
                    if not exact and listener.replies:
                        self._stay(scope, sent_at + listener.first_us / 1e6 + limits.DNS_LINGER_S)
            finally:
                socket.close()
                self._listening.pop(scope, None)
        listener.give_up()

    def _stay(self, scope: trio.CancelScope, earliest: float) -> None:
        """After a reply: listen on while the measurement lasts, and a second at least."""
        self._listening[scope] = earliest
        scope.deadline = earliest if self._finishing else trio.current_time() + limits.MEASUREMENT_S

    async def _send(self, listener: _Listener, socket: Datagrams) -> None:
        try:
            await socket.send(listener.asked)
        except NETWORK as error:
            listener.fail(error)

    async def _receive(self, listener: _Listener, socket: Datagrams) -> None:
        try:
            message, ip_ttl = await socket.receive()
        except NETWORK as error:  # an ICMP error; a reply may still come
            listener.fail(error)
            await trio.sleep(0.05)
        else:
            listener.hear(message, ip_ttl)


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
        reply, answer = read_reply(self.asked, message, us, ip_ttl)
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
        named = name_failure(error)
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


def read_reply(
    asked: bytes, message: bytes, us: int, ip_ttl: int | None = None
) -> tuple[DnsReply, dnsmessage.Answer | None]:
    """A message as it is kept, and the answer it holds if it fits the query."""
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
