"""What a probe holds in its hands: lookups, flows, pages, all of them recorded.

Rules of this file:

* a probe cannot reach the network past its session, so it cannot bypass the record;
* all resolvers are asked at once; one that is slow is not waited for long, but is recorded;
* two connections at most to one (address, name); IPv6 addresses only where IPv6 leads somewhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from blockwatch.followup import ControlRequest, FlowRequest, FollowUp, LookupRequest
from blockwatch.model import DnsStep, Purpose
from blockwatch.net import limits
from blockwatch.net.candidates import Candidates
from blockwatch.net.flow import ALPN, Flow
from blockwatch.net.habits import Habits
from blockwatch.net.kit import Kit
from blockwatch.net.lookup import Lookups
from blockwatch.net.page import measure_page
from blockwatch.net.question import Control, Question
from blockwatch.net.record import Record
from blockwatch.net.url import is_literal, parse_endpoint, parse_url


@dataclass(frozen=True)
class Task:
    """One thing to measure: a URL or an endpoint of a target, taken apart."""

    target: str
    url: str  # as written in the targets file
    scheme: str  # "http", "https", "tcp" or "tls"
    host: str  # A-labels, or a literal address
    port: int
    role: str = "target"

    @property
    def tls(self) -> bool:
        """Whether a TLS handshake is part of it."""
        return self.scheme in ("https", "tls")

    @property
    def is_page(self) -> bool:
        """Whether there is a page to fetch."""
        return self.scheme in ("http", "https")


def make_task(target: str, url: str, role: str = "target") -> Task:
    """Take a URL or an endpoint apart; raises :class:`~blockwatch.net.url.BadUrl`."""
    if url.startswith(("tcp:", "tls:")):
        scheme, host, port = parse_endpoint(url)
        return Task(target, url, scheme, host, port, role)
    parsed = parse_url(url)
    return Task(target, url, parsed.scheme, parsed.host, parsed.port, role)


class Session:
    """The network as one measurement may use it."""

    def __init__(
        self,
        kit: Kit,
        record: Record,
        background: trio.Nursery,
        *,
        task: Task,
        habits: Habits,
        resolvers: Sequence[str] = ("system",),
        control: Control | None = None,
        slots: trio.Semaphore | None = None,
    ) -> None:
        self.task = task
        self.record = record
        self._kit, self._background, self._habits = kit, background, habits
        self._lookups = Lookups(kit, record, habits, background)
        self._resolvers = tuple(resolvers)
        self._control = control
        self._slots = slots or trio.Semaphore(1_000)  # of the whole run, for follow-ups
        self._known: dict[str, Candidates] = {}

    @property
    def resolvers(self) -> tuple[str, ...]:
        """Every resolver that this run asks, the system's first."""
        return self._resolvers

    async def lookup(self, host: str, *, hop: int = 0) -> list[str]:
        """Ask every resolver; the addresses, the system's first, at most eight of them."""
        return (await self.candidates(host, hop)).all

    @asynccontextmanager
    async def flow(
        self,
        address: str,
        port: int,
        *,
        name: str | None = None,
        purpose: Purpose = Purpose.FIRST,
        round: int = 0,
        hop: int = 0,
    ) -> AsyncIterator[Flow]:
        """A connection to make, step by step; ``name`` is what will be said on it, for pacing."""
        async with self._kit.gates.hold(address, name or self.task.host):
            flow = Flow(self._kit, self.record, address, port, purpose=purpose, round=round, hop=hop)
            try:
                yield flow
            finally:
                flow.close()

    async def page(self, url: str) -> None:
        """Measure the page behind ``url``, redirects and control included."""
        await measure_page(self, parse_url(url))

    async def control(self, question: Question) -> tuple[str, ...]:
        """Ask the control, if the run has one; the addresses that it found."""
        if self._control is None:
            return ()
        return await self._control.ask(self.record, question) or ()

    async def follow_up(self, requests: Sequence[FollowUp]) -> None:
        """Carry out what the evidence so far has called for; each starts after its own wait."""
        async with trio.open_nursery() as nursery:
            for request in requests:
                await trio.sleep(request.wait_us / 1e6)
                nursery.start_soon(self._follow_up, request)

    def finish(self) -> None:
        """The measurement is over; sockets that listen close when they have had their time."""
        self._lookups.finish()

    # for pages

    async def candidates(self, host: str, hop: int) -> Candidates:
        """Look a name up everywhere, once a measurement."""
        if host not in self._known:
            if is_literal(host):
                self._known[host] = Candidates(system=[host])
            else:
                self._known[host] = await self._look_up(host, hop)
        return self._known[host]

    def late(self, host: str) -> list[str]:
        """Every address that any resolver's reply has given for ``host`` by now."""
        found: dict[str, None] = {}
        for draft in self.record.drafts(DnsStep):
            if draft.fields["name"] == host and draft.fields["purpose"] is Purpose.FIRST:
                for reply in draft.fields["replies"]:
                    found |= dict.fromkeys(reply.addresses)
        return list(found)

    def usable(self, addresses: Sequence[str]) -> list[str]:
        """Those that this line can reach at all, each once."""
        return [a for a in dict.fromkeys(addresses) if ":" not in a or self._kit.ipv6]

    async def _look_up(self, host: str, hop: int) -> Candidates:
        answers: dict[str, list[str]] = {}
        heard = trio.Event()  # somebody gave an address
        done = trio.Event()
        pending = {r for r in self._resolvers if not self._habits.silent(r)}

        async def ask(resolver: str) -> None:
            answers[resolver] = await self._lookups.ask(resolver, host, hop=hop)
            pending.discard(resolver)
            if answers[resolver]:
                heard.set()
            if not pending:
                heard.set()
                done.set()

        for resolver in self._resolvers:
            self._background.start_soon(ask, resolver)
        await heard.wait()
        with trio.move_on_after(limits.DNS_PATIENCE_S):
            await done.wait()
        others = [a for r in self._resolvers if r != "system" for a in answers.get(r, [])]
        return Candidates(self.usable(answers.get("system", [])), self.usable(others))

    async def _follow_up(self, request: FollowUp) -> None:
        async with self._slots:
            await self._carry_out(request)

    async def _carry_out(self, request: FollowUp) -> None:
        if isinstance(request, LookupRequest):
            await self._lookups.ask(
                request.resolver,
                request.name,
                purpose=request.purpose,
                round=request.round,
                hop=request.hop,
                window_us=request.window_us,
                single=request.single,
                recursive=request.recursive,
            )
        elif isinstance(request, ControlRequest):
            url, why = parse_url(request.url), (request.purpose, request.round, request.hop)
            await self.control(Question(url, request.addresses, *why))
        else:
            await self._follow_flow(request)

    async def _follow_flow(self, request: FlowRequest) -> None:
        url = parse_url(request.url) if request.url else None
        name = request.server_name or request.host or (url.host if url else "")
        async with self.flow(
            request.address,
            request.port,
            name=name,
            purpose=request.purpose,
            round=request.round,
            hop=request.hop,
        ) as flow:
            await flow.tcp_connect()
            if request.tls:
                alpn = ("http/1.1",) if request.plain else ALPN
                await flow.tls_handshake(server_name=request.server_name, alpn=alpn)
            if url is not None:
                await flow.http_get(url, host=request.host, insecure=request.insecure)
