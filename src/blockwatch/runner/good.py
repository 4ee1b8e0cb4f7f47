"""Names and addresses that this run has seen working, and which targets share an address.

Rules of this file:

* only what proves itself counts: a chain valid for the name, or a cleartext page that agrees with the
  control's in more than its status, since a block page may come with 200 too;
* those of control targets come first, then one name of every owner; no port crowds out another;
* a name whose page did not come in time over the chain it proved may be interfered with later than that: it
  serves only where a port has no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import trio

from blockwatch.followup import KnownGood
from blockwatch.model import ControlStep, HttpStep, Observation, Purpose, TcpStep, TlsStep
from blockwatch.net import limits
from blockwatch.net.url import is_literal, parse_url
from blockwatch.runner.plan import PlannedTask

_KEPT = 12  # names of one port
_OF_ONE_OWNER = 2  # of these
_SIZE_PERCENT = 30  # two sizes of one page without a title differ by so much at most
_PATIENCE_S = 5.0
_LONGEST_WAIT_S = 120.0


class GoodNames:
    """What is known to work, the most trustworthy first."""

    def __init__(self) -> None:
        self._controls: list[KnownGood] = []
        self._others: list[KnownGood] = []
        self._doubtful: list[KnownGood] = []
        self._any = trio.Event()
        self.pending = 0  # measurements that may yet prove something

    @property
    def names(self) -> tuple[KnownGood, ...]:
        """Those of control targets first, then one of each owner; at most 12 of each port."""
        known = self._controls + [good for good in self._others if good not in self._controls]
        served = {good.port for good in known}
        known += [good for good in self._doubtful if good.port not in served]
        turns: Counter[tuple[str, int]] = Counter()
        ports: Counter[int] = Counter()
        ordered = []
        for good in known:
            key = (_owner(good.host), good.port)
            ordered.append((turns[key], good))
            turns[key] += 1
        ordered.sort(key=lambda pair: pair[0])  # stable: controls stay first
        names = []
        for _, good in ordered:
            ports[good.port] += 1
            if ports[good.port] <= _KEPT:
                names.append(good)
        return tuple(names)

    async def wait(self) -> None:
        """Wait a little for the first one."""
        with trio.move_on_after(_PATIENCE_S):
            await self._any.wait()

    def learn(self, role: str, observations: Sequence[Observation]) -> None:
        """Take what a measurement has proved."""
        whole = self._controls if role == "control" else self._others
        pageless = _without_page(observations)
        for good in _proved(observations):
            kept = self._doubtful if good in pageless else whole
            same_port = [other for other in kept if other.port == good.port]
            same_owner = [other for other in same_port if _owner(other.host) == _owner(good.host)]
            if good not in kept and len(same_port) < _KEPT and len(same_owner) < _OF_ONE_OWNER:
                kept.append(good)
                self._any.set()


def _owner(host: str) -> str:
    """The last two labels: erring to one owner only makes the choice smaller."""
    return ".".join(host.split(".")[-2:])


def _proved(observations: Sequence[Observation]) -> list[KnownGood]:
    controls = [step for step in observations if isinstance(step, ControlStep) and step.failure is None]
    found = []
    for step in observations:
        if step.skipped or step.failure is not None or step.purpose is not Purpose.FIRST:
            continue
        if isinstance(step, TlsStep) and step.trust is None and step.server_name is not None:
            found.append(KnownGood(host=step.server_name, address=step.address, port=step.port, tls=True))
        elif isinstance(step, HttpStep) and any(_one_page(step, control) for control in controls):
            url = parse_url(step.url)
            if url.scheme == "http" and not is_literal(url.host):
                found.append(KnownGood(host=url.host, address=step.address, port=step.port, tls=False))
    return found


def _without_page(observations: Sequence[Observation]) -> list[KnownGood]:
    """Names at places where TLS was well and the page did not come, or not as a whole within its time."""
    return [
        KnownGood(host=parse_url(step.url).host, address=step.address, port=step.port, tls=True)
        for step in observations
        if isinstance(step, HttpStep) and not step.skipped
        if step.failure is not None or step.us >= limits.HTTP_TOTAL_S * 1_000_000
        if step.purpose is Purpose.FIRST and step.url.startswith("https:")
    ]


def _one_page(step: HttpStep, control: ControlStep) -> bool:
    """Whether both got the same page: by title, or by size where there is none."""
    if step.url != control.url or not step.status == control.status == 200:
        return False
    if step.title or control.title:
        return step.title == control.title
    ours, theirs = step.body_length or 0, control.body_length or 0
    return 0 < max(ours, theirs) * (100 - _SIZE_PERCENT) <= min(ours, theirs) * 100


def failing_addresses(observations: Sequence[Observation]) -> frozenset[str]:
    """Addresses of the site itself at which a plain step failed: there a block may linger."""
    return frozenset(
        step.address
        for step in observations
        if isinstance(step, TcpStep | TlsStep | HttpStep)
        and step.purpose is Purpose.FIRST
        and step.failure is not None
    )


def spaced(
    tasks: Sequence[PlannedTask], addresses: Mapping[PlannedTask, frozenset[str]], spacing_s: float
) -> list[tuple[PlannedTask, float]]:
    """``(task, seconds to wait)``: tasks that fail at one address are ``spacing_s`` apart."""
    last: dict[str, float] = {}
    waits = []
    for task in tasks:
        own = addresses.get(task, frozenset())
        wait = min(_LONGEST_WAIT_S, max((last[a] + spacing_s for a in own if a in last), default=0.0))
        last |= dict.fromkeys(own, wait)
        waits.append((task, wait))
    return waits
