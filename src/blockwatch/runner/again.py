"""Measuring again at the end of a run, and waiting out what lingers at an address.

Rules of this file:

* re-tests of different names at one address are spaced, as a block may stay behind;
* where one is suspected, all that failed at the address go one after the other; who may be the victim
  of another waits until a control name has passed there, or :data:`CALM_S`; everything else goes on;
* an address that was waited for in vain once (its server turned us away, perhaps) is not waited for again;
* no slot is held while waiting; what is sent while waiting stands in the re-test's own record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec
import trio

from blockwatch.followup import FlowRequest
from blockwatch.model import HttpStep, Observation, Purpose, TcpStep, TlsStep
from blockwatch.net.record import Record
from blockwatch.net.session import Session
from blockwatch.runner.good import failing_addresses, spaced
from blockwatch.runner.plan import PlannedTask

SPACING_S = 30.0  # between re-tests of different names at one address
CALM_S = 180.0  # how long a block that lingers is waited for; techniques on record: 30 to 180 s
LANE_S = 420.0  # then the rest of those that share an address go on without waiting
_GAPS_S = (5.0, 5.0, 10.0, 10.0, 15.0)  # between tries, the last one for all further ones

Measure = Callable[[PlannedTask, float, Sequence[FlowRequest]], Awaitable[None]]


class Again:
    """What is to be measured again, and how."""

    def __init__(self) -> None:
        self.tasks: list[PlannedTask] = []
        self.connected: set[str] = set()  # every "address:port" that took a connection in this run
        self.answered: set[str] = set()  # and that answered more
        self._restless: set[str] = set()  # addresses at which the last control name sent did not pass
        self._addresses: dict[PlannedTask, frozenset[str]] = {}
        self._lingering: dict[PlannedTask, Sequence[FlowRequest]] = {}

    def saw(self, observations: Sequence[Observation]) -> None:
        """Learn who took a connection, who answered on one, and who did not calm down in all the time."""
        for step in observations:
            if not isinstance(step, TcpStep | TlsStep | HttpStep) or step.skipped:
                continue
            if step.purpose is Purpose.RESIDUE:
                (self._restless.discard if step.failure is None else self._restless.add)(step.address)
            if step.failure is None:
                places = self.connected if isinstance(step, TcpStep) else self.answered
                places.add(f"{step.address}:{step.port}")

    def add(
        self, planned: PlannedTask, observations: Sequence[Observation], lingering: Sequence[FlowRequest]
    ) -> None:
        """Measure ``planned`` again; ``lingering``: what must pass before, if anything."""
        self.tasks.append(planned)
        self._addresses[planned] = failing_addresses(observations)
        if lingering:
            self._lingering[planned] = lingering

    async def carry_out(self, measure: Measure) -> None:
        """Call ``measure(task, seconds to wait before, what must pass before)`` for every task."""
        held = {r.address: r for requests in self._lingering.values() for r in requests}
        places = {t: self._addresses[t] | {r.address for r in self._lingering.get(t, ())} for t in self.tasks}
        for task in self.tasks:  # who shares the address waits for it, too
            shared = tuple(held[address] for address in sorted(places[task] & held.keys()))
            self._lingering[task] = self._lingering.get(task) or shared
        plain = [task for task in self.tasks if not places[task] & held.keys()]
        async with trio.open_nursery() as nursery:
            for planned, wait in spaced(plain, self._addresses, SPACING_S):
                nursery.start_soon(measure, planned, wait, ())
            for lane in lanes([task for task in self.tasks if places[task] & held.keys()], places):
                nursery.start_soon(self._one_by_one, lane, measure)

    async def _one_by_one(self, lane: Sequence[PlannedTask], measure: Measure) -> None:
        patience = trio.current_time() + LANE_S
        for at, planned in enumerate(lane):
            if trio.current_time() > patience:
                async with trio.open_nursery() as nursery:
                    for late, wait in spaced(lane[at:], self._addresses, SPACING_S):
                        nursery.start_soon(measure, late, wait, ())
                return
            await measure(planned, 0.0, self._worth_waiting(planned))

    def _worth_waiting(self, planned: PlannedTask) -> Sequence[FlowRequest]:
        return tuple(x for x in self._lingering[planned] if x.address not in self._restless)


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
    lingering: Sequence[FlowRequest],
    hopeless: Callable[[], Awaitable[bool]],
) -> None:
    """Send what must pass until it does, or :data:`CALM_S` are over, or nothing works on the line."""
    began, number, waiting = trio.current_time(), 0, list(lingering)
    while True:
        await session.follow_up([msgspec.structs.replace(request, round=number) for request in waiting])
        held = _held(record.snapshot(), number)
        waiting = [request for request in waiting if request.address in held]
        gap = _GAPS_S[min(number, len(_GAPS_S) - 1)]
        if not waiting or trio.current_time() + gap - began > CALM_S or await hopeless():
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
