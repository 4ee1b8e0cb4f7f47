"""The page behind a URL: lookups, one flow an address, one page a hop, redirects as new hops.

Rules of this file:

* every hop is measured like the first: lookup (unless its host was looked up), flows, control;
* one page a hop, over the first connection that works; where the system's addresses and the other
  sources' have nothing in common, one page from each of the two;
* an address that only the control knows, or that came in a late reply, gets a flow of its own;
* a redirect that leads nowhere is a failure of the request that was answered with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

import trio

from blockwatch import failure as f
from blockwatch.net import limits
from blockwatch.net.candidates import Candidates
from blockwatch.net.flow import Flow
from blockwatch.net.http import Reply
from blockwatch.net.question import Question
from blockwatch.net.record import Draft, Record
from blockwatch.net.redirects import location
from blockwatch.net.url import BadUrl, Url, join

_Answer = tuple[Draft, Reply]


class Net(Protocol):
    """What a page needs of the session that it is measured in."""

    record: Record

    async def candidates(self, host: str, hop: int) -> Candidates:
        """Look a name up everywhere."""

    def flow(
        self, address: str, port: int, *, name: str | None = None, hop: int = 0
    ) -> AbstractAsyncContextManager[Flow]:
        """A connection to make, step by step."""

    async def control(self, question: Question) -> tuple[str, ...]:
        """Ask the control, if there is one; the addresses that it found."""

    def late(self, host: str) -> list[str]:
        """Every address that any resolver's reply has given by now."""

    def usable(self, addresses: Sequence[str]) -> list[str]:
        """Those that this line can reach at all, each once."""


@dataclass
class _Group:
    """Addresses of which one shall serve the page."""

    addresses: list[str]
    claimed: bool = False
    answer: _Answer | None = None
    broken: Flow | None = None


@dataclass
class _Extra:
    """What the control adds to a hop, once it is there."""

    answer: _Answer | None = None
    done: trio.Event = field(default_factory=trio.Event)


async def measure_page(net: Net, url: Url) -> None:
    """Measure ``url`` and every page that it redirects to."""
    seen: set[str] = set()
    async with trio.open_nursery() as controls:
        for hop in range(limits.REDIRECTS + 1):
            seen.add(str(url))
            answer = await _hop(net, url, hop, controls)
            ahead = _ahead(answer)
            if answer is None or ahead is None:
                return
            draft = answer[0]
            try:
                url = join(url, ahead)
            except BadUrl as error:
                net.record.rename_failure(draft, f.BAD_REDIRECT, str(error)[:200])
                return
            looped = str(url) in seen
            if looped or hop == limits.REDIRECTS:
                failure = f.unknown("stopped after too many redirects")
                net.record.rename_failure(draft, failure, "loop" if looped else None)
                return


def _ahead(answer: _Answer | None) -> str | None:
    if answer is None or answer[0].fields["failure"] is not None:
        return None
    return location(answer[1].status, answer[1].headers)


async def _hop(net: Net, url: Url, hop: int, controls: trio.Nursery) -> _Answer | None:
    candidates = await net.candidates(url.host, hop)
    groups = [_Group(addresses) for addresses in candidates.groups()]
    extra, visited = _Extra(), trio.Event()
    controls.start_soon(_control, net, url, hop, candidates, groups, extra, visited)
    async with trio.open_nursery() as visits:
        for group in groups:
            for address in group.addresses:
                visits.start_soon(_visit, net, url, address, hop, group)
    for group in groups:
        await _write_skipped(url, group)
    visited.set()
    answer = _first_answer(groups)
    if answer is None:  # nothing came of the lookups: perhaps the control knows where the site is
        await extra.done.wait()
        answer = extra.answer
    return answer


async def _visit(net: Net, url: Url, address: str, hop: int, group: _Group) -> None:
    """Dial and shake hands; the first of the group to get so far fetches the page."""
    async with net.flow(address, url.port, name=url.host, hop=hop) as flow:
        await flow.tcp_connect()
        if url.scheme == "https":
            await flow.tls_handshake(server_name=url.host)
        if flow.broken or flow.trusted is False:
            group.broken = flow
        elif not group.claimed:
            group.claimed = True
            group.answer = await flow.http_get(url)


async def _write_skipped(url: Url, group: _Group) -> None:
    """No connection of the group came as far as a request: write the planned one as skipped."""
    if not group.claimed and group.broken is not None:
        await group.broken.http_get(url)


async def _control(
    net: Net,
    url: Url,
    hop: int,
    candidates: Candidates,
    groups: list[_Group],
    extra: _Extra,
    visited: trio.Event,
) -> None:
    """Ask the control, then visit the addresses that only it or a late reply has given."""
    known = await net.control(Question(url, tuple(candidates.all), hop=hop))
    await visited.wait()
    mentioned = [*known, *net.late(url.host)]
    strangers = [a for a in net.usable(mentioned) if a not in candidates.all]
    agreed = bool(set(mentioned) & set(candidates.all))
    group = _Group(strangers[: limits.ADDRESSES // 2])
    group.claimed = agreed and _first_answer(groups) is not None
    async with trio.open_nursery() as visits:
        for address in group.addresses:
            visits.start_soon(_visit, net, url, address, hop, group)
    if _first_answer(groups) is None:
        await _write_skipped(url, group)
    extra.answer = group.answer
    extra.done.set()


def _first_answer(groups: list[_Group]) -> _Answer | None:
    return next((g.answer for g in groups if g.answer is not None and g.answer[1].status is not None), None)
