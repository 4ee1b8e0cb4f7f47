"""Measuring again at the end of a run, and waiting out what lingers at an address.

Rules of this file:

* re-tests of different names at one address are spaced, as a block may stay behind;
* where one is suspected, all that failed at the address go one after the other, those first that did not
  come as far as to send a name; who may be the victim of another waits until a control name has passed
  there, or :data:`CALM_S` after a name broke there; everything else goes on;
* an address that was waited for in vain once (its server turned us away, perhaps) is not waited for again;
* all addresses are waited for at once, and what is waited in vain is :data:`VAIN_S` in all at most;
* no slot is held while waiting; what is sent while waiting stands in the re-test's own record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

import msgspec
import trio

from blockwatch.followup import FlowRequest
from blockwatch.model import HttpStep, Observation, Purpose, TcpStep, TlsStep
from blockwatch.net.record import Record
from blockwatch.net.session import Session
from blockwatch.runner.good import failing_addresses, spaced
from blockwatch.runner.plan import PlannedTask

SPACING_S = 30.0  # between re-tests of different names at one address
CALM_S = 180.0  # after a name broke, a block no longer lingers; techniques on record: 30 to 180 s
VAIN_S = 120.0  # of waits after which nothing had calmed down: then nobody waits any more
LANE_S = 300.0  # then the rest of those that share an address go on without waiting
_GAPS_S = (5.0, 5.0, 10.0, 10.0, 15.0)  # between tries, the last one for all further ones


@dataclass(frozen=True, kw_only=True)
class Wait:
    """What must pass before a task is measured again, and for how many seconds that is tried."""

    requests: Sequence[FlowRequest] = ()
    longest_s: float = VAIN_S


NO_WAIT = Wait()
Measure = Callable[[PlannedTask, float, Wait], Awaitable[None]]


class Again:
    """What is to be measured again, and how."""

    def __init__(self) -> None:
        self.tasks: list[PlannedTask] = []
        self.connected: set[str] = set()  # every "address:port" that took a connection in this run
        self.answered: set[str] = set()  # and that answered more
        self._restless: set[str] = set()  # addresses at which the last control name sent did not pass
        self._vain: dict[str, float] = {}  # seconds waited in vain, by the first address waited for
        self._broke: dict[str, float] = {}  # when a name broke at an address for the last time
        self._spoke: set[PlannedTask] = set()  # those that came as far as to send a name, and failed
        self._addresses: dict[PlannedTask, frozenset[str]] = {}
        self._lingering: dict[PlannedTask, Sequence[FlowRequest]] = {}

    def saw(self, observations: Sequence[Observation]) -> None:
        """Learn who took a connection, who answered on one, and who did not calm down in all the time."""
        for step in observations:
            if not isinstance(step, TcpStep | TlsStep | HttpStep) or step.skipped:
                continue
            if step.purpose is Purpose.RESIDUE:
                (self._restless.discard if step.failure is None else self._restless.add)(step.address)
            elif step.failure is not None and not isinstance(step, TcpStep):
                self._broke[step.address] = trio.current_time()
            if step.failure is None:
                places = self.connected if isinstance(step, TcpStep) else self.answered
                places.add(f"{step.address}:{step.port}")
        self._saw_waiting([step for step in observations if step.purpose is Purpose.RESIDUE])

    def _saw_waiting(self, steps: Sequence[Observation]) -> None:
        places = sorted({step.address for step in steps if isinstance(step, TcpStep)} & self._restless)
        if places:
            waited = max(step.t + step.us for step in steps) - min(step.t for step in steps)
            self._vain[places[0]] = self._vain.get(places[0], 0.0) + waited / 1e6

    def add(
        self, planned: PlannedTask, observations: Sequence[Observation], lingering: Sequence[FlowRequest]
    ) -> None:
        """Measure ``planned`` again; ``lingering``: what must pass before, if anything."""
        self.tasks.append(planned)
        self._addresses[planned] = failing_addresses(observations)
        if any(isinstance(x, TlsStep | HttpStep) and x.failure and not x.skipped for x in observations):
            self._spoke.add(planned)
        if lingering:
            self._lingering[planned] = lingering

    async def carry_out(self, measure: Measure) -> None:
        """Call ``measure(task, seconds to sleep before, what must pass before)`` for every task."""
        held = {r.address: r for requests in self._lingering.values() for r in requests}
        places = {t: self._addresses[t] | {r.address for r in self._lingering.get(t, ())} for t in self.tasks}
        for task in self.tasks:  # who shares the address waits for it, too
            shared = tuple(held[address] for address in sorted(places[task] & held.keys()))
            self._lingering[task] = self._lingering.get(task) or shared
        plain = [task for task in self.tasks if not places[task] & held.keys()]
        async with trio.open_nursery() as nursery:
            for planned, wait in spaced(plain, self._addresses, SPACING_S):
                nursery.start_soon(measure, planned, wait, NO_WAIT)
            for lane in lanes([task for task in self.tasks if places[task] & held.keys()], places):
                nursery.start_soon(self._one_by_one, lane, measure)

    async def _one_by_one(self, lane: Sequence[PlannedTask], measure: Measure) -> None:
        patience = trio.current_time() + LANE_S
        lane = sorted(lane, key=lambda planned: planned in self._spoke)
        held = {request.address for planned in lane for request in self._lingering[planned]}
        for at, planned in enumerate(lane):
            if trio.current_time() > patience:
                async with trio.open_nursery() as nursery:
                    for late, wait in spaced(lane[at:], self._addresses, SPACING_S):
                        nursery.start_soon(measure, late, wait, NO_WAIT)
                return
            await measure(planned, 0.0, self._worth_waiting(planned, held))

    def _worth_waiting(self, planned: PlannedTask, held: Collection[str]) -> Wait:
        """What ``planned`` waits for, in a lane that waits for the addresses ``held``."""
        left = VAIN_S - sum(self._vain.get(address, 0.0) for address in held)
        wanted = tuple(x for x in self._lingering[planned] if x.address not in self._restless)
        broke = max((self._broke.get(x.address, trio.current_time()) for x in wanted), default=0.0)
        longest = min(left, broke + CALM_S - trio.current_time())
        return Wait(requests=wanted, longest_s=longest) if wanted and left > 0 else NO_WAIT


def lanes(
    tasks: Sequence[PlannedTask], addresses: dict[PlannedTask, frozenset[str]]
) -> list[list[PlannedTask]]:
    """The tasks, those together that share an address, directly or by way of others; order is kept."""
    found: list[tuple[set[str], list[PlannedTask]]] = []
    for task in tasks:
        places, members = set(addresses[task]), [task]
        apart = []
        for others, before in found:
            if others & places:
                places |= others
                members = before + members
            else:
                apart.append((others, before))
        found = [*apart, (places, members)]
    return [members for _, members in found]


async def calm(
    session: Session,
    record: Record,
    wait: Wait,
    hopeless: Callable[[], Awaitable[bool]],
) -> None:
    """Send what must pass until it does, or the wait is too long, or nothing works on the line."""
    began, number, waiting = trio.current_time(), 0, list(wait.requests)
    while True:
        await session.follow_up([msgspec.structs.replace(request, round=number) for request in waiting])
        held = _held(record.snapshot(), number)
        waiting = [request for request in waiting if request.address in held]
        gap = _GAPS_S[min(number, len(_GAPS_S) - 1)]
        if not waiting or trio.current_time() + gap - began > wait.longest_s or await hopeless():
            return
        await trio.sleep(gap)
        number += 1


def _held(observations: Sequence[Observation], number: int) -> Collection[str]:
    """Addresses at which a step of this try failed."""
    return {
        step.address
        for step in observations
        if step.purpose is Purpose.RESIDUE and step.round == number and step.failure is not None
        if hasattr(step, "address")
    }
