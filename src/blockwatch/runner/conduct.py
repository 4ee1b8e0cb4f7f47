"""One run from the first packet to the last line.

Rules of this file:

* targets in parallel under one limit, controls first, starts paced;
* whatever ends a run (Ctrl-C, budget, time, disk) leaves a valid, shorter run: what was observed is
  written, then the last line with the reason;
* a fault of ours in one measurement is written into it (``valid`` false) and the run goes on;
* what an observation calls for is asked of a pure function, carried out, and added to the same
  measurement; the runner has no opinion.
"""

from __future__ import annotations

import hashlib
import secrets
import signal
import ssl
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress

import trio

import blockwatch
from blockwatch import asn, codec
from blockwatch.control import Helpers
from blockwatch.errors import BlockwatchError, DiskError
from blockwatch.model import Measured, Measurement
from blockwatch.net import limits
from blockwatch.net.habits import Habits
from blockwatch.net.kit import Kit
from blockwatch.net.record import OverBudget, Record
from blockwatch.net.seam import Network, RealNetwork
from blockwatch.net.session import Session, make_task
from blockwatch.run import RunClose, RunOpen
from blockwatch.runner.good import GoodNames, failing_addresses, spaced
from blockwatch.runner.line import Line
from blockwatch.runner.parts import Curiosity, Progress, Sink
from blockwatch.runner.plan import Plan, PlannedTask
from blockwatch.runner.scrub import Scrubber
from blockwatch.runner.vantage import Whereabouts, learn

START_SPACING_S = 0.005  # between the starts of two measurements
FOLLOW_UP_S = 240.0  # all follow-ups of one measurement
FOLLOW_UP_ROUNDS = 12
RETEST_SPACING_S = 30.0  # between re-tests of different names at one address
CHECK_EVERY = 50  # measurements between checks of the line
LAST_WORDS_S = 1.5  # to write what is there when a run is interrupted


class Conductor:
    """Carries out one plan, once."""

    def __init__(
        self,
        plan: Plan,
        sink: Sink,
        curiosity: Curiosity,
        *,
        progress: Callable[[Progress], None] | None = None,
        network: Network | None = None,
    ) -> None:
        settings = plan.settings
        self._plan, self._sink, self._curiosity, self._progress = plan, sink, curiosity, progress
        self._network = network or RealNetwork(interface=settings.interface)
        self._kit = Kit(self._network, ca_file=settings.ca_file)
        self._habits = Habits(self._kit)
        self._helpers = Helpers(self._kit, settings.helpers)
        self._control = self._helpers or None
        self._line = Line(self._kit)
        self._slots = trio.Semaphore(settings.concurrency)
        self._run_id = secrets.token_hex(8)
        self._started = self._network.utc_us()
        self._opened = trio.Event()
        self._whereabouts = Whereabouts()
        self._scrubber = Scrubber(())
        self._good = GoodNames()
        self._retests: list[PlannedTask] = []
        self._addresses: dict[PlannedTask, frozenset[str]] = {}
        self._planned = len(plan.tasks)
        self._measured = self._sent = self._received = self._busy = 0
        self._reason = "done"
        self._work = trio.CancelScope()

    async def run(self, *, previous_root: str | None, retest_of: str | None) -> RunClose:
        """Measure everything; the last line as written. Raises DiskError when nothing can be kept."""
        try:
            with self._work:
                if self._plan.settings.max_us is not None:
                    self._work.deadline = trio.current_time() + self._plan.settings.max_us / 1e6
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._heed_signals)
                    nursery.start_soon(self._open, previous_root, retest_of)
                    await self._measure_all()
                    await self._opened.wait()
                    await self._line.check("after")
                    nursery.cancel_scope.cancel()
            if self._work.cancelled_caught and self._reason == "done":
                self._reason = "time"
        except BaseException as error:
            leaves = list(_leaves(error))
            known = next((leaf for leaf in leaves if isinstance(leaf, BlockwatchError)), None)
            if known is not None:
                self._reason = "disk" if isinstance(known, DiskError) else "fault"
                raise known from None
            interrupted = all(isinstance(leaf, trio.Cancelled | KeyboardInterrupt) for leaf in leaves)
            self._reason = "interrupted" if interrupted else "fault"
            raise
        finally:
            self._habits.close()
            self._helpers.close()
            close = await self._close()
        return close

    # the first and the last line

    async def _open(self, previous_root: str | None, retest_of: str | None) -> None:
        """Look at the own line and network, then write the first line; measuring has begun already."""
        settings = self._plan.settings
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._line.check, "before")
                nursery.start_soon(self._learn_vantage)
        finally:
            targets = self._plan.targets
            record = RunOpen(
                run=self._run_id,
                started=self._started,
                software=f"blockwatch {blockwatch.__version__}",
                versions=_versions(),
                label=settings.label,
                campaign=settings.campaign,
                vantage=self._whereabouts.vantage,
                targets=targets.targets,
                orders=targets.orders,
                searches=targets.searches,
                targets_sha256=hashlib.sha256(codec.canonical(targets)).hexdigest(),
                probes=tuple(probe.label for probe in self._plan.probes.values()),
                resolvers=("system", *settings.resolvers),
                helpers=settings.helpers,
                control=settings.control,
                ca_sha256=_file_sha256(settings.ca_file) if settings.ca_file else None,
                tier=settings.tier,
                consent=settings.consent,
                concurrency=settings.concurrency,
                max_bytes=settings.max_bytes,
                max_us=settings.max_us,
                asn_table=asn.table_id(),
                checks=tuple(self._line.checks),
                clock_offset_us=self._line.clock_offset_us,
                previous_root=previous_root,
                retest_of=retest_of,
            )
            self._line.checks.clear()
            with trio.CancelScope(shield=True):
                await self._sink.open(record)
            self._opened.set()

    async def _learn_vantage(self) -> None:
        settings = self._plan.settings
        self._whereabouts = await learn(self._kit, isp=settings.isp, stun=settings.stun)
        self._scrubber = Scrubber(self._whereabouts.own)

    async def _close(self) -> RunClose:
        checks = tuple(self._line.checks)
        if self._reason == "done" and any(c.kind == "connectivity" and c.ok is False for c in checks[-3:]):
            self._reason = "line"
        close = RunClose(
            ended=self._network.utc_us(),
            us=self._network.monotonic_us() - self._kit.origin_us,
            reason=self._reason,
            planned=len(self._plan.tasks),
            measured=self._measured,
            bytes_sent=self._sent,
            bytes_received=self._received,
            checks=checks,
        )
        if self._opened.is_set():
            with trio.CancelScope(shield=True):
                await self._sink.close(close)
        return close

    async def _heed_signals(self) -> None:
        """Ctrl-C, SIGTERM: stop measuring, keep what is there."""
        if threading.current_thread() is not threading.main_thread():
            return
        wanted = [signal.SIGINT, signal.SIGTERM]
        with trio.open_signal_receiver(*wanted) as received:
            async for _ in received:
                self._reason = "interrupted"
                self._work.cancel()

    # measuring

    async def _measure_all(self) -> None:
        async with trio.open_nursery() as nursery:
            for planned in self._plan.tasks:
                if not await self._may_start():
                    break
                nursery.start_soon(self._measure, planned, "first")
                await trio.sleep(START_SPACING_S)
        if self._reason != "done":
            return
        self._planned += len(self._retests)
        waits = spaced(self._retests, self._addresses, RETEST_SPACING_S)
        async with trio.open_nursery() as nursery:
            for planned, wait in waits:
                nursery.start_soon(self._measure_later, planned, wait)

    async def _measure_later(self, planned: PlannedTask, wait: float) -> None:
        await trio.sleep(wait)
        if await self._may_start():
            await self._measure(planned, "retest")

    async def _may_start(self) -> bool:
        """Wait for a place; False when the run's bytes are spent."""
        limit = self._plan.settings.max_bytes
        if limit is not None and self._sent + self._received >= limit:
            self._reason = "budget"
        if self._reason != "done":
            return False
        await self._slots.acquire()
        self._busy += 1
        return True

    async def _measure(self, planned: PlannedTask, attempt: str) -> None:
        """Make one measurement and write it, whatever happens; holds a slot when called."""
        record = Record(self._network.monotonic_us, self._kit.origin_us)
        started, begun = self._network.utc_us(), record.now()
        slot = _Slot(self._slots)
        stopped = fault = None
        try:
            stopped = await self._observe(planned, attempt, record, slot)
        except BaseException as error:
            stopped, fault = _what_happened(error)
            if stopped == "interrupted" and trio.current_time() >= self._work.deadline:
                stopped = "budget"
        finally:
            slot.release()
            self._busy -= 1
        measurement = Measurement(
            id="",
            seq=0,
            target=planned.target,
            url=planned.url,
            probe=planned.probe,
            probe_version=self._plan.probes[planned.probe].version,
            role=planned.role,
            attempt=attempt,
            started=started,
            us=record.now() - begun,
            valid=fault is None,
            fault=fault,
            stopped=stopped,
            observations=record.snapshot(),
        )
        if measurement.observations or fault is not None:
            await self._write(planned, measurement, record)
        await trio.lowlevel.checkpoint_if_cancelled()

    async def _observe(self, planned: PlannedTask, attempt: str, record: Record, slot: _Slot) -> str | None:
        """Let the probe measure, then follow up; None, or why it stopped early."""
        probe = self._plan.probes[planned.probe]
        task = make_task(planned.target, planned.url, planned.role)
        with trio.move_on_after(limits.MEASUREMENT_S) as first:
            async with trio.open_nursery() as background:
                session = Session(
                    self._kit,
                    record,
                    background,
                    task=task,
                    habits=self._habits,
                    resolvers=("system", *self._plan.settings.resolvers),
                    control=self._control,
                    slots=self._slots,
                )
                await probe.measure(task, session)
                session.finish()
                slot.release()  # what remains is listening
        if first.cancelled_caught:
            slot.release()
        self._good.learn(planned.role, record.snapshot())
        with trio.move_on_after(FOLLOW_UP_S) as more:
            await self._follow_up(attempt, record, session)
        return "budget" if first.cancelled_caught or more.cancelled_caught else None

    async def _follow_up(self, attempt: str, record: Record, session: Session) -> None:
        for _ in range(FOLLOW_UP_ROUNDS):
            steps = self._curiosity.next_steps(record.snapshot(), self._good.names, attempt)
            if not steps:
                return
            if not self._good.names and self._busy > 1:
                await self._good.wait()
                steps = self._curiosity.next_steps(record.snapshot(), self._good.names, attempt)
            await session.follow_up(steps)

    async def _write(self, planned: PlannedTask, measurement: Measurement, record: Record) -> None:
        with trio.CancelScope(shield=True) as scope:
            if trio.current_effective_deadline() == float("-inf") or self._reason == "interrupted":
                scope.deadline = trio.current_time() + LAST_WORDS_S
            await self._opened.wait()
            self._measured += 1
            seq = self._measured
            numbered = _numbered(measurement, self._run_id, seq)
            measured = Measured(measurement=numbered, exchanges=record.exchanges())
            measured = self._scrubber.measured(measured)
            await self._sink.write(measured)
        self._after_writing(planned, measured.measurement, record)
        if seq % CHECK_EVERY == 0 and self._reason == "done":
            for ours, date in self._helpers.dates:
                self._line.note_date(ours, date)
            self._helpers.dates.clear()
            if await self._line.check("during") is False:
                self._reason = "line"

    def _after_writing(self, planned: PlannedTask, measurement: Measurement, record: Record) -> None:
        observations = measurement.observations
        self._sent += record.sent
        self._received += record.received
        self._line.note(observations)
        retestable = measurement.valid and measurement.stopped != "interrupted"
        if measurement.attempt == "first" and retestable and self._curiosity.wants_retest(observations):
            self._retests.append(planned)
            self._addresses[planned] = failing_addresses(observations)
        if self._progress is not None:
            total = self._sent + self._received
            self._progress(Progress(self._measured, self._planned, total, measurement))


class _Slot:
    """One place among the parallel measurements, given back once."""

    def __init__(self, slots: trio.Semaphore) -> None:
        self._slots: trio.Semaphore | None = slots

    def release(self) -> None:
        """Give it back, if it was not yet."""
        if self._slots is not None:
            self._slots.release()
            self._slots = None


def _numbered(measurement: Measurement, run_id: str, seq: int) -> Measurement:
    import msgspec

    return msgspec.structs.replace(measurement, id=f"{run_id}-{seq:06}", seq=seq)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _what_happened(error: BaseException) -> tuple[str | None, str | None]:
    """``(stopped, fault)`` of what ended a measurement; what is not ours to judge is raised again."""
    leaves = list(_leaves(error))
    for leaf in leaves:
        if not isinstance(leaf, Exception | trio.Cancelled):
            raise leaf
    faults = [leaf for leaf in leaves if not isinstance(leaf, trio.Cancelled | OverBudget)]
    if faults:
        last = traceback.extract_tb(faults[0].__traceback__)[-1:]
        where = "".join(f" at {frame.filename.rpartition('blockwatch/')[2]}:{frame.lineno}" for frame in last)
        return None, f"{type(faults[0]).__name__}: {faults[0]}"[:300] + where
    interrupted = any(isinstance(leaf, trio.Cancelled) for leaf in leaves)
    over = any(isinstance(leaf, OverBudget) for leaf in leaves)
    return ("budget" if over or not interrupted else "interrupted"), None


def _versions() -> tuple[tuple[str, str], ...]:
    import certifi

    python = ".".join(str(part) for part in sys.version_info[:3])
    return (
        ("python", python),
        ("openssl", ssl.OPENSSL_VERSION),
        ("certifi", certifi.__version__),
        ("trio", trio.__version__),
        ("platform", sys.platform),
    )


def _file_sha256(path: object) -> str | None:
    with suppress(OSError), open(str(path), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
    return None
