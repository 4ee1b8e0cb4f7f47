"""One run from the first packet to the last line.

Rules of this file:

* targets in parallel under one limit, controls first, starts paced;
* whatever ends a run leaves a valid, shorter one: what was observed is written, then why it ended;
* a fault of ours in one measurement is written into it (``valid`` false) and the run goes on;
* what an observation calls for is asked of a pure function, carried out, and added to the same
  measurement; the runner has no opinion.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import trio

from blockwatch.control import Controls, Helpers
from blockwatch.errors import BlockwatchError, DiskError
from blockwatch.model import Measured, Measurement
from blockwatch.net.habits import Habits
from blockwatch.net.kit import Kit
from blockwatch.net.proxied import Proxied
from blockwatch.net.question import Control
from blockwatch.net.record import Record
from blockwatch.net.seam import Network, RealNetwork
from blockwatch.net.socks import parse_proxy
from blockwatch.run import RunClose, Vantage
from blockwatch.runner.again import NO_WAIT, Again, Wait
from blockwatch.runner.ending import LastWords, heed_signals
from blockwatch.runner.first_line import first_line
from blockwatch.runner.good import GoodNames
from blockwatch.runner.line import Line
from blockwatch.runner.measuring import Measurer, Slot, leaves, numbered, what_happened
from blockwatch.runner.outlook import Outlook
from blockwatch.runner.own import Own
from blockwatch.runner.parts import Curiosity, Progress, Sink
from blockwatch.runner.plan import Plan, PlannedTask
from blockwatch.runner.vantage import learn

START_SPACING_S = 0.005  # between the starts of two measurements
CHECK_EVERY = 50  # measurements between checks of the line


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
        self._line = Line(self._kit)
        self._outlook = Outlook(self._line)
        self._slots = trio.Semaphore(settings.concurrency)
        self._run_id = secrets.token_hex(8)
        self._started = self._network.utc_us()
        self._opened = trio.Event()
        self._keeps = self._diverted = False  # the first line is written; a portal answers for others
        self._vantage = Vantage()
        self._own = Own(self._network, kept=frozenset(plan.hosts))
        self._measurer = Measurer(
            kit=self._kit,
            habits=self._habits,
            control=self._control(),
            resolvers=("system", *settings.resolvers),
            slots=self._slots,
            curiosity=curiosity,
            good=GoodNames(),
            outlook=self._outlook,
            tier=settings.tier,
        )
        self._again = Again()
        self._planned = len(plan.tasks)
        self._measured = self._sent = self._received = 0
        self._reason = "done"
        self._work = trio.CancelScope()
        self._last_words = LastWords(self._work)

    def _control(self) -> Control | None:
        """Whoever can say how a site looks from elsewhere."""
        settings = self._plan.settings
        controls: list[Control] = [self._helpers] if self._helpers else []
        if settings.control is not None:
            proxy = parse_proxy(settings.control)
            controls.append(Proxied(self._network, proxy, ca_file=settings.ca_file))
        return Controls(controls) if controls else None

    async def run(self, *, previous_root: str | None, retest_of: str | None) -> RunClose:
        """Measure everything; the last line as written. Raises DiskError when nothing can be kept."""
        try:
            with self._work:
                if self._plan.settings.max_us is not None:
                    self._work.deadline = trio.current_time() + self._plan.settings.max_us / 1e6
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(heed_signals, self._interrupt)
                    nursery.start_soon(self._open, previous_root, retest_of)
                    if self._plan.resumes is not None:
                        await self._opened.wait()  # on another network nothing is measured
                    await self._measure_all()
                    await self._opened.wait()
                    await self._check_line("after")
                    nursery.cancel_scope.cancel()
            if self._work.cancelled_caught and self._reason == "done":
                self._reason = "time"
        except BaseException as error:
            found = list(leaves(error))
            known = next((leaf for leaf in found if isinstance(leaf, BlockwatchError)), None)
            if known is not None:
                self._reason = "disk" if isinstance(known, DiskError) else "fault"
                raise known from None
            interrupted = all(isinstance(leaf, trio.Cancelled | KeyboardInterrupt) for leaf in found)
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
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._line.check, "before")
                nursery.start_soon(self._learn_vantage)
        finally:
            try:
                await self._begin_log(previous_root, retest_of)
            finally:
                self._opened.set()  # also where nothing can be kept: nobody may wait for ever

    async def _begin_log(self, previous_root: str | None, retest_of: str | None) -> None:
        record = first_line(
            self._plan,
            run_id=self._run_id,
            started=self._started,
            vantage=self._vantage,
            line=self._line,
            previous_root=previous_root,
            retest_of=retest_of,
        )
        self._diverted = any(c.kind == "portal" and c.ok is False for c in self._line.checks)
        self._outlook.begin()
        self._line.checks.clear()
        with trio.CancelScope(shield=True):
            await self._sink.open(record)
        self._keeps = True

    async def _learn_vantage(self) -> None:
        settings = self._plan.settings
        found = await learn(self._kit, isp=settings.isp, stun=settings.stun, helpers=settings.helpers)
        self._vantage = self._own.learned(found)

    async def _close(self) -> RunClose:
        checks = tuple(self._line.checks)
        if self._reason == "done" and (
            self._diverted or any(c.kind == "connectivity" and c.ok is False for c in checks[-3:])
        ):
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
        if self._keeps:
            with trio.CancelScope(shield=True):
                await self._sink.close(close)
        return close

    def _interrupt(self) -> None:
        """Stop measuring, keep what is there."""
        self._reason = "interrupted"
        self._work.cancel()
        self._last_words.end()

    # measuring

    async def _measure_all(self) -> None:
        async with trio.open_nursery() as nursery:
            for planned in self._plan.tasks:
                if not await self._may_start():
                    break
                nursery.start_soon(self._measure, planned, "first")
                await trio.sleep(START_SPACING_S)
        if self._reason != "done" or (self._again.tasks and await self._outlook.hopeless()):
            return
        self._planned += len(self._again.tasks)
        await self._again.carry_out(self._measure_again)

    async def _measure_again(self, planned: PlannedTask, seconds: float, wait: Wait) -> None:
        await trio.sleep(seconds)
        if await self._may_start():
            await self._measure(planned, "retest", wait)

    async def _may_start(self) -> bool:
        """Wait for a place; False, without one, when the run's bytes are spent or it ends."""
        await self._slots.acquire()
        limit = self._plan.settings.max_bytes
        if limit is not None and self._sent + self._received >= limit and self._reason == "done":
            self._reason = "budget"
        if self._reason != "done":
            self._slots.release()
            return False
        return True

    async def _measure(self, planned: PlannedTask, attempt: str, wait: Wait = NO_WAIT) -> None:
        """Make one measurement and write it, whatever happens; holds a slot when called."""
        record = Record(self._network.monotonic_us, self._kit.origin_us)
        probe = self._plan.probes[planned.probe]
        started, begun = self._network.utc_us(), record.now()
        slot = Slot(self._slots)
        stopped = fault = None
        try:
            stopped = await self._measurer.observe(planned, probe, attempt, record, slot, wait)
        except BaseException as error:
            stopped, fault = what_happened(error)
            if stopped == "interrupted" and trio.current_time() >= self._work.deadline:
                stopped = "budget"
        finally:
            slot.release()
        measurement = Measurement(
            id="",
            seq=0,
            target=planned.target,
            url=planned.url,
            probe=planned.probe,
            probe_version=probe.version,
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

    async def _write(self, planned: PlannedTask, measurement: Measurement, record: Record) -> None:
        with self._last_words.writing() as scope:
            await self._opened.wait()
            if not self._keeps:
                return
            self._measured += 1
            seq = self._measured
            counted = numbered(measurement, self._run_id, seq)
            measured = Measured(measurement=counted, exchanges=record.exchanges())
            measured = self._own.measured(measured)
            await self._sink.write(measured)
        if scope.cancelled_caught:
            return
        self._after_writing(planned, measured.measurement, record)
        due = seq % CHECK_EVERY == 0 and self._reason == "done"
        if due and await self._check_line("during") is False:
            self._reason = "line"

    async def _check_line(self, when: str) -> bool | None:
        for ours, date in self._helpers.dates:
            self._line.note_date(ours, date)
        self._helpers.dates.clear()
        return await self._line.check(when)

    def _after_writing(self, planned: PlannedTask, measurement: Measurement, record: Record) -> None:
        observations = measurement.observations
        self._sent += record.sent
        self._received += record.received
        self._line.note(observations)
        self._again.saw(observations)
        retestable = measurement.valid and measurement.stopped != "interrupted"
        if measurement.attempt == "first" and retestable and self._curiosity.wants_retest(observations):
            again, good = self._again, self._measurer.good.names
            held = self._curiosity.lingering(observations, good, again.connected, again.answered)
            again.add(planned, observations, held)
        if self._progress is not None:
            total = self._sent + self._received
            try:
                self._progress(Progress(self._measured, self._planned, total, measurement))
            except OSError:  # the terminal is gone; the run goes on, or ends as its signal says
                self._progress = None
