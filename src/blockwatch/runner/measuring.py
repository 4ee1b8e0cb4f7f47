"""One measurement: the probe, the listening, the follow-ups; and what ended it.

Rules of this file: a slot is held only while the probe works or a follow-up is carried out, never
while sockets only listen; nothing here writes; of a fault the record has the kind and the place, and
standard error (``BLOCKWATCH_DEBUG``) the rest.
"""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import trio

from blockwatch.followup import FollowUp
from blockwatch.model import Measurement
from blockwatch.net import limits
from blockwatch.net.habits import Habits
from blockwatch.net.kit import Kit
from blockwatch.net.question import Control
from blockwatch.net.record import OverBudget, Record
from blockwatch.net.session import Session, Task, make_task
from blockwatch.registry import Probe
from blockwatch.runner.again import NO_WAIT, Wait, calm
from blockwatch.runner.good import GoodNames
from blockwatch.runner.outlook import Outlook
from blockwatch.runner.parts import Curiosity
from blockwatch.runner.plan import PlannedTask

FOLLOW_UP_ROUNDS = 12
_PACKAGE = Path(__file__).parent.parent
_OTHERS = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]


class Slot:
    """One place among the parallel measurements, given back once."""

    def __init__(self, slots: trio.Semaphore) -> None:
        self._all = slots
        self._slots: trio.Semaphore | None = slots

    def release(self) -> None:
        """Give it back, if it was not yet."""
        if self._slots is not None:
            self._slots.release()
            self._slots = None

    async def take(self) -> None:
        """Take one again."""
        await self._all.acquire()
        self._slots = self._all


@dataclass(frozen=True)
class Measurer:
    """What every measurement of a run has in common."""

    kit: Kit
    habits: Habits
    control: Control | None
    resolvers: Sequence[str]
    slots: trio.Semaphore
    curiosity: Curiosity
    good: GoodNames
    outlook: Outlook
    tier: int = 1  # the highest agreed to

    async def observe(
        self,
        planned: PlannedTask,
        probe: Probe,
        attempt: str,
        record: Record,
        slot: Slot,
        wait: Wait = NO_WAIT,
    ) -> str | None:
        """Let the probe measure, then follow up; None, or why it stopped early."""
        task = make_task(planned.target, planned.url, planned.role)
        if wait.requests:
            slot.release()
            await self._calm(task, record, wait)
            await slot.take()
        self.good.pending += 1
        try:
            session, in_time = await self._probe(task, probe, record, slot)
        finally:
            slot.release()
            self.good.pending -= 1
        self.good.learn(planned.role, record.snapshot())
        self.outlook.note(record.snapshot())
        with trio.move_on_after(limits.FOLLOW_UP_S) as more:
            await self._follow_up(attempt, record, session)
        return None if in_time and not more.cancelled_caught else "budget"

    async def _calm(self, task: Task, record: Record, wait: Wait) -> None:
        async with trio.open_nursery() as background:
            session = self._session(task, record, background)
            await calm(session, record, wait, self.outlook.hopeless)
            session.finish()

    def _session(self, task: Task, record: Record, background: trio.Nursery) -> Session:
        return Session(
            self.kit,
            record,
            background,
            task=task,
            habits=self.habits,
            resolvers=self.resolvers,
            control=self.control,
            slots=self.slots,
        )

    async def _probe(self, task: Task, probe: Probe, record: Record, slot: Slot) -> tuple[Session, bool]:
        """Run the probe and listen to the end; whether that was in time."""
        with trio.move_on_after(limits.MEASUREMENT_S) as first:
            async with trio.open_nursery() as background:
                session = self._session(task, record, background)
                await probe.measure(task, session)
                session.finish()
                slot.release()  # what remains is listening
        return session, not first.cancelled_caught

    async def _follow_up(self, attempt: str, record: Record, session: Session) -> None:
        for _ in range(FOLLOW_UP_ROUNDS):
            steps = self._next_steps(attempt, record)
            if not steps or await self.outlook.hopeless():
                return
            if not self.good.names and self.good.pending:
                await self.good.wait()
                steps = self._next_steps(attempt, record)
            await session.follow_up(steps)

    def _next_steps(self, attempt: str, record: Record) -> Sequence[FollowUp]:
        return self.curiosity.next_steps(record.snapshot(), self.good.names, attempt, self.tier)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The exceptions in a group of groups."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def what_happened(error: BaseException) -> tuple[str | None, str | None]:
    """``(stopped, fault)`` of what ended a measurement; what is not ours to judge is raised again."""
    found = list(leaves(error))
    for leaf in found:
        if not isinstance(leaf, Exception | trio.Cancelled):
            raise leaf
    faults = [leaf for leaf in found if not isinstance(leaf, trio.Cancelled | OverBudget)]
    if faults:
        if os.environ.get("BLOCKWATCH_DEBUG"):
            traceback.print_exception(faults[0])
        return None, f"{type(faults[0]).__name__}{_where(faults[0])}"
    interrupted = any(isinstance(leaf, trio.Cancelled) for leaf in found)
    over = any(isinstance(leaf, OverBudget) for leaf in found)
    return ("budget" if over or not interrupted else "interrupted"), None


def _where(error: BaseException) -> str:
    """File and line in the package or in a probe; a path or a message could name the volunteer."""
    frames = traceback.extract_tb(error.__traceback__)
    inner = [frame for frame in frames if _is_ours(frame.filename)] or frames
    return "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in inner[-1:])


def _is_ours(filename: str) -> bool:
    path = Path(filename)
    return path.is_relative_to(_PACKAGE) or not any(path.is_relative_to(other) for other in _OTHERS)


def numbered(measurement: Measurement, run_id: str, seq: int) -> Measurement:
    """``measurement`` with its place in the run."""
    return msgspec.structs.replace(measurement, id=f"{run_id}-{seq:06}", seq=seq)
