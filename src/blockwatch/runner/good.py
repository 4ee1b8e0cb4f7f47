"""Names and addresses that this run has seen working, and which targets share an address.

Rules of this file: only what proves itself counts: a chain valid for the name, or a cleartext page
with status 200 that the control saw too; those of control targets come first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import trio

from blockwatch.followup import KnownGood
from blockwatch.model import ControlStep, HttpStep, Observation, Purpose, TcpStep, TlsStep
from blockwatch.net.url import is_literal, parse_url
from blockwatch.runner.plan import PlannedTask

_KEPT = 24
_PATIENCE_S = 5.0
_LONGEST_WAIT_S = 120.0


class GoodNames:
    """What is known to work, the most trustworthy first."""

    def __init__(self) -> None:
        self._controls: list[KnownGood] = []
        self._others: list[KnownGood] = []
        self._any = trio.Event()
        self.pending = 0  # measurements that may yet prove something

    @property
    def names(self) -> tuple[KnownGood, ...]:
        """Those of control targets first, at most 24 in all."""
        return tuple((self._controls + self._others)[:_KEPT])

    async def wait(self) -> None:
        """Wait a little for the first one."""
        with trio.move_on_after(_PATIENCE_S):
            await self._any.wait()

    def learn(self, role: str, observations: Sequence[Observation]) -> None:
        """Take what a measurement has proved."""
        kept = self._controls if role == "control" else self._others
        for good in _proved(observations):
            if len(kept) < _KEPT and good not in kept:
                kept.append(good)
                self._any.set()


def _proved(observations: Sequence[Observation]) -> list[KnownGood]:
    seen_by_control = {s.url for s in observations if isinstance(s, ControlStep) and s.status == 200}
    found = []
    for step in observations:
        if step.skipped or step.failure is not None or step.purpose is not Purpose.FIRST:
            continue
        if isinstance(step, TlsStep) and step.trust is None and step.server_name is not None:
            found.append(KnownGood(host=step.server_name, address=step.address, port=step.port, tls=True))
        elif isinstance(step, HttpStep) and step.status == 200 and step.url in seen_by_control:
            url = parse_url(step.url)
            if url.scheme == "http" and not is_literal(url.host):
                found.append(KnownGood(host=url.host, address=step.address, port=step.port, tls=False))
    return found


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
