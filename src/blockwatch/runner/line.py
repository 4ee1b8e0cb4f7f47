"""The volunteer's own line: is it up, is it behind a portal, is the clock right?

Rules of this file:

* a check of the line is never a finding about a site;
* several hosts are asked over plain HTTP; that all of them fail does not mean a portal, and one that
  is diverted does not either: only two that are led to the same place do;
* while a run hears anything at all the line is up, and no packet is spent to learn it;
* each check ends within :data:`CHECK_S` seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from statistics import median

import trio

from blockwatch import failure as f
from blockwatch.model import ControlStep, DnsStep, HttpStep, Observation, TcpStep, TlsStep
from blockwatch.net.failures import NETWORK, name_failure
from blockwatch.net.flow import Flow
from blockwatch.net.http import Reply
from blockwatch.net.kit import Kit
from blockwatch.net.record import Record
from blockwatch.net.url import BadUrl, is_literal, join, parse_url
from blockwatch.run import LineCheck
from blockwatch.runner.known import KNOWN, Known

CHECK_S = 3.0
CLOCK_US = 60_000_000  # farther off than this, time stamps and certificates cannot be trusted
_SPEAKS = frozenset({f.REFUSED, f.RESET, f.EOF})  # somebody at the other end


class Line:
    """The checks of one run."""

    def __init__(self, kit: Kit, known: Sequence[Known] = KNOWN) -> None:
        self._kit, self._known = kit, known
        self._heard = 0  # answers of any kind since the last check
        self._offsets: list[int] = []  # microseconds, ours minus theirs
        self.checks: list[LineCheck] = []

    @property
    def clock_offset_us(self) -> int | None:
        """Ours minus theirs, the median of what servers said; None: nobody said."""
        return round(median(self._offsets)) if self._offsets else None

    def note(self, observations: Sequence[Observation]) -> None:
        """Take a measurement as evidence that the line is up."""
        self._heard += sum(1 for step in observations if _heard_back(step))

    def note_date(self, ours_us: int, date: str) -> None:
        """Take a Date header; it has whole seconds, so half a second is added."""
        try:
            theirs = parsedate_to_datetime(date).timestamp()
        except (ValueError, TypeError, OverflowError):
            return
        self._offsets.append(ours_us - int(theirs * 1_000_000) - 500_000)

    @property
    def bad(self) -> bool:
        """Whether the last check found it down or behind a portal."""
        return any(check.ok is False and check.kind != "clock" for check in self.checks[-3:])

    async def check(self, when: str, *, ask: bool = False) -> bool | None:
        """Check now and add to :attr:`checks`; whether the line is up. ``ask``: whatever was heard."""
        at = self._kit.network.monotonic_us() - self._kit.origin_us
        answers: dict[str, Reply] = {}
        heard = [self._heard]
        if ask or when == "before" or not self._heard:
            with trio.move_on_after(CHECK_S):
                async with trio.open_nursery() as nursery:
                    for known in self._known:
                        nursery.start_soon(self._ask, known, answers, heard)
            self.checks.append(self._portal(when, at, answers))
        up = bool(heard[0])
        detail = "something answered" if up else f"nothing answered within {CHECK_S:.0f} seconds"
        self.checks.append(LineCheck(kind="connectivity", when=when, t=at, ok=up, detail=detail))
        self.checks.append(self._clock(when, at))
        self._heard = 0
        return up

    async def _ask(self, known: Known, answers: dict[str, Reply], heard: list[int]) -> None:
        url = parse_url(known.url)
        record = Record(self._kit.network.monotonic_us, self._kit.origin_us)
        for address in await self._resolve(url.host, heard):
            flow = Flow(self._kit, record, address, url.port)
            try:
                await flow.tcp_connect()
                _, reply = await flow.http_get(url)
            finally:
                flow.close()
                heard[0] += sum(1 for step in record.snapshot() if _heard_back(step))
            if reply.status is not None:
                answers[known.url] = reply
                date = reply.header("date")
                if date is not None and self._is_right(known, reply):
                    self.note_date(self._kit.network.utc_us(), date)

    async def _resolve(self, host: str, heard: list[int]) -> list[str]:
        if is_literal(host):
            return [host]
        try:
            found = await self._kit.network.getaddrinfo(host)
        except NETWORK as error:
            failure, _ = name_failure(error)
            heard[0] += failure in (f.NXDOMAIN, f.NO_ANSWER)
            return []
        heard[0] += 1
        return [address for address in found if ":" not in address or self._kit.ipv6][:1]

    def _is_right(self, known: Known, reply: Reply) -> bool:
        if known.leads_to:
            return reply.status in range(300, 400) and _leads_to(known, reply) in known.leads_to
        return reply.status == known.status and bytes(reply.body).startswith(known.begins)

    def _portal(self, when: str, at: int, answers: dict[str, Reply]) -> LineCheck:
        right, places = 0, []
        for known in self._known:
            reply = answers.get(known.url)
            if reply is None:
                continue
            if self._is_right(known, reply):
                right += 1
            elif reply.status == 511:  # RFC 6585: network authentication required
                places.append("511")
            elif reply.status in range(300, 400):
                places.append(_leads_to(known, reply))
            elif reply.status == 200:
                places.append(str(bytes(reply.body[:512])))
        if right:
            ok, detail = True, "a page known beforehand came as it must"
        elif len(places) >= 2 and len(set(places)) == 1:
            ok, detail = False, f"{len(places)} unrelated pages were diverted to the same place"
        else:
            ok, detail = None, "no page known beforehand came"
        return LineCheck(kind="portal", when=when, t=at, ok=ok, detail=detail)

    def _clock(self, when: str, at: int) -> LineCheck:
        offset = self.clock_offset_us
        if offset is None:
            return LineCheck(kind="clock", when=when, t=at, ok=None, detail="no server told the time")
        ok = abs(offset) <= CLOCK_US
        detail = f"{len(self._offsets)} servers' clocks differ from ours by {round(offset / 1e6)} s"
        return LineCheck(kind="clock", when=when, t=at, ok=ok, detail=detail, offset_us=offset)


def _leads_to(known: Known, reply: Reply) -> str:
    try:
        return join(parse_url(known.url), reply.header("location") or "").host
    except BadUrl:
        return ""


def _heard_back(step: Observation) -> bool:
    """Whether anybody at all spoke to us in this step."""
    if step.skipped:
        return False
    if isinstance(step, DnsStep):
        return bool(step.replies or step.addresses) or step.failure in (f.NXDOMAIN, f.NO_ANSWER)
    if isinstance(step, TcpStep):
        return step.failure is None or step.failure in _SPEAKS
    if isinstance(step, TlsStep | HttpStep):
        return step.received > 0 or step.failure in _SPEAKS
    return isinstance(step, ControlStep) and step.failure is None
