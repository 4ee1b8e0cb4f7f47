"""Where runs are kept: writing one as it is measured, finding and reading them again.

Rules of this file:

* a measurement counts as kept when its line and the bytes that the line refers to are synced to the
  disk, the bytes first; only then does its future complete;
* one thread does all writing and syncs what has gathered meanwhile in one go, so that many tasks
  share the wait for the disk;
* when the disk fails, what was complete stays, what was not is taken back, and nothing more is
  written but the last line, if it still can be;
* a run folder appears under its name only with its first line on disk;
* a seal covers lines that are on the disk, and that it cannot be written fails nothing (``unsealed``).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from hashlib import sha256
from pathlib import Path

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import DiskError
from blockwatch.evidence.chain import last_root
from blockwatch.evidence.checkpoint import SEAL_EVERY_S, Sealer
from blockwatch.evidence.lock import ResultsLock
from blockwatch.evidence.log import MAX_LINE
from blockwatch.evidence.merkle import Tree, leaf_hash
from blockwatch.evidence.reading import Run, find_runs, read_run
from blockwatch.evidence.shelf import PlainShelf, Shelf
from blockwatch.evidence.signing import Signer
from blockwatch.evidence.warc import exchange_members
from blockwatch.model import HttpStep, Measured, Measurement, Observation, WarcRef
from blockwatch.run import RunClose, RunOpen

__all__ = ["ResultsLock", "Run", "RunWriter", "find_runs", "last_root", "read_run"]

_MAX_GROUP = 256  # measurements synced together at most
_MAX_GROUP_BYTES = 4 * MAX_LINE  # of captured bytes synced together


class _Entry(msgspec.Struct, frozen=True):
    """One encoded measurement on its way to the disk."""

    offset: int  # where its members belong in the file of bodies
    members: bytes
    line: bytes
    future: Future[None]


Job = tuple[Measured | RunClose, "Future[None]"]


class RunWriter:
    """Writes one run. ``submit`` may be called from any thread; ``open`` first, ``close`` last."""

    def __init__(
        self,
        results: Path,
        *,
        label: str | None = None,
        signer: Signer | None = None,
        seal_every_s: float = SEAL_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
        shelf: Shelf | None = None,
    ) -> None:
        """``signer`` seals the run; ``clock`` (seconds) tells when ``seal_every_s`` have passed.

        ``shelf``: where the bytes go, the run's own files unless another one is given.
        """
        self._shelf: Shelf = shelf or PlainShelf()
        self.results = results
        self.label = label
        self._signer, self._seal_every_s, self._clock = signer, seal_every_s, clock
        self._sealer: Sealer | None = None
        self.failed: DiskError | None = None  # set once the disk has failed
        self._folder: Path | None = None
        self._tree = Tree()
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._closing = False

    @property
    def folder(self) -> Path:
        """The run's folder; only once it is open."""
        if self._folder is None:
            raise RuntimeError("the run is not open")
        return self._folder

    @property
    def sealed(self) -> int:
        """Lines that the newest checkpoint covers; 0: none yet, or the run is not to be sealed."""
        return self._sealer.sealed if self._sealer else 0

    @property
    def unsealed(self) -> str | None:
        """Why the last attempt to seal failed, in words; ``None``: it did not."""
        return self._sealer.hindered if self._sealer else None

    def open(self, run_open: RunOpen) -> None:
        """Make the folder with its first line, which names the key; raises ``DiskError``."""
        if self._signer:
            run_open = msgspec.structs.replace(run_open, key=str(self._signer.key))
        line = canonical(run_open)
        folder = self._shelf.begin(self.results, run_open, line + b"\n", self.label or run_open.label)
        self._tree.append(leaf_hash(line))
        if self._signer:
            every_s, clock = self._seal_every_s, self._clock
            self._sealer = Sealer(self._signer, run_open.run, self._shelf.put, every_s=every_s, clock=clock)
        self._folder = folder
        threading.Thread(target=self._work, name="store", daemon=True).start()

    def submit(self, measured: Measured) -> Future[None]:
        """Keep one measurement; the future completes when it is on disk, or with ``DiskError``."""
        return self._hand_over(measured)

    def submit_close(self, run_close: RunClose) -> Future[None]:
        """Write the last line after everything handed over before, then ``run.json``; nothing may follow."""
        future = self._hand_over(run_close)
        self._closing = True
        return future

    def write(self, measured: Measured) -> None:
        """Like ``submit``, and wait."""
        self.submit(measured).result()

    def close(self, run_close: RunClose) -> None:
        """Like ``submit_close``, and wait."""
        self.submit_close(run_close).result()

    def _hand_over(self, job: Measured | RunClose) -> Future[None]:
        if self._folder is None or self._closing:
            raise RuntimeError("the run is not open")
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # from here on it cannot be cancelled
        self._jobs.put((job, future))
        return future

    # What follows runs in the writing thread alone.

    def _work(self) -> None:
        while True:
            jobs = [self._next_job()]
            while len(jobs) < _MAX_GROUP and not self._jobs.empty():
                jobs.append(self._jobs.get())
            group: list[_Entry] = []
            for job, future in jobs:
                if isinstance(job, RunClose):
                    self._keep(group)
                    self._finish(job, future)
                    return
                group = self._add(group, job, future)
            self._keep(group)
            if self._sealer:
                self._sealer.seal_if_due(self._tree)

    def _next_job(self) -> Job:
        """Wait for a job; a seal that falls due meanwhile is written."""
        while True:
            try:
                return self._jobs.get(timeout=self._sealer.wait_s(self._tree.size) if self._sealer else None)
            except queue.Empty:
                if self._sealer:
                    self._sealer.seal_if_due(self._tree)

    def _add(self, group: list[_Entry], measured: Measured, future: Future[None]) -> list[_Entry]:
        """Encode one measurement; gives the group it is in, a new one where the old one was full."""
        try:
            offset = group[-1].offset + len(group[-1].members) if group else self._shelf.bodies
            members, line = _encode(measured, offset)
            if group and (
                sum(len(entry.line) for entry in group) + len(line) > MAX_LINE
                or offset - group[0].offset > _MAX_GROUP_BYTES
            ):
                self._keep(group)
                group, offset = [], self._shelf.bodies
                members, line = _encode(measured, offset)
        except BaseException as fault:  # ours; it belongs to whoever handed this over
            future.set_exception(fault)
            return group
        return [*group, _Entry(offset, members, line, future)]

    def _keep(self, group: list[_Entry]) -> None:
        """Write and sync a group; on a failing disk one by one, so that as many as fit are kept."""
        try:
            if self.failed:
                raise self.failed
            if group:
                self._shelf.keep(group)
        except DiskError as error:
            if len(group) > 1 and not self.failed:
                for entry in group:
                    self._keep([entry])
                return
            self.failed = error
            for entry in group:
                entry.future.set_exception(error)
            return
        for entry in group:
            self._tree.append(leaf_hash(entry.line[:-1]))
            entry.future.set_result(None)

    def _finish(self, run_close: RunClose, future: Future[None]) -> None:
        try:
            line = canonical(run_close)
            try:
                self._shelf.end(line + b"\n")
                self._tree.append(leaf_hash(line))
            finally:
                if self._sealer:
                    self._sealer.seal(self._tree, final=True)
            self._shelf.finish(self._tree.root().hex(), self._signer)
        except BaseException as fault:
            future.set_exception(fault)
        else:
            future.set_result(None)


def _encode(measured: Measured, offset: int) -> tuple[bytes, bytes]:
    """WARC members that will lie at ``offset``, and the line (with newline) that refers to them."""
    measurement = measured.measurement
    steps: list[Observation] = list(measurement.observations)
    stored: list[bytes] = []
    for i, exchange in sorted(measured.exchanges.items()):
        step = steps[i]
        if not isinstance(step, HttpStep):
            raise TypeError(f"observation {i} of {measurement.id} has an exchange but is no HTTP step")
        refs: dict[str, WarcRef] = {}
        for side, member in exchange_members(measurement.id, step, exchange):
            refs[side] = WarcRef(offset=offset, length=len(member), sha256=sha256(member).hexdigest())
            stored.append(member)
            offset += len(member)
        steps[i] = msgspec.structs.replace(step, request=refs.get("request"), response=refs.get("response"))
    line = _line(msgspec.structs.replace(measurement, observations=tuple(steps)))
    return b"".join(stored), line


def _line(measurement: Measurement) -> bytes:
    """The line, or where that cannot be written, a line that says so: a fault of ours, never a finding."""
    fault = f"a record of more than {MAX_LINE} bytes"
    try:
        line = canonical(measurement) + b"\n"
        if len(line) <= MAX_LINE:
            return line
    except UnicodeEncodeError as error:
        fault = f"text that is not Unicode ({error.reason})"
    return (
        canonical(
            msgspec.structs.replace(measurement, valid=False, fault=f"not kept: {fault}", observations=())
        )
        + b"\n"
    )
