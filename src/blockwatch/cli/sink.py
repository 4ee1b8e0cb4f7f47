"""Joins the measurer to the store: the runner awaits, the store's thread writes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import trio

from blockwatch.evidence.progress import drop_superseded
from blockwatch.evidence.shelf import Shelf
from blockwatch.evidence.signing import Signer
from blockwatch.model import Measured
from blockwatch.run import RunClose, RunOpen
from blockwatch.store import RunWriter


class AsyncSink:
    """A run's store as the runner wants it: each call returns once everything is on disk."""

    def __init__(
        self,
        results: Path,
        *,
        label: str | None = None,
        signer: Signer | None = None,
        shelf: Shelf | None = None,
        refuse: Callable[[RunOpen], None] | None = None,
    ) -> None:
        """``refuse`` may raise for a first line with which nothing is to be begun."""
        self._refuse, self._signer = refuse, signer
        self._writer = RunWriter(results, label=label, signer=signer, shelf=shelf)
        self._opened = False

    @property
    def folder(self) -> Path | None:
        """The run's folder; ``None``: the run never began."""
        return self._writer.folder if self._opened else None

    @property
    def unsealed(self) -> str | None:
        """Why the newest seal could not be written; ``None``: it could, or there is no key."""
        return self._writer.unsealed

    async def open(self, run_open: RunOpen) -> None:
        """Make the run folder; raises ``DiskError``."""
        if self._refuse is not None:
            self._refuse(run_open)
        await trio.to_thread.run_sync(self._begin, run_open)
        self._opened = True

    def _begin(self, run_open: RunOpen) -> None:
        self._writer.open(run_open)
        if run_open.retest_of is None:  # nobody resumes what was before this run
            drop_superseded(self._writer.results, self._writer.folder, self._signer)

    async def write(self, measured: Measured) -> None:
        """Keep one measurement; raises ``DiskError``. A Ctrl-C does not tear it: it waits for the disk."""
        await _completion(self._writer.submit(measured))

    async def close(self, run_close: RunClose) -> None:
        """Keep the last line and make ``run.json``; raises ``DiskError``."""
        await _completion(self._writer.submit_close(run_close))


async def _completion(future: Future[None]) -> None:
    """Wait for a future of the writing thread, without a thread of our own."""
    done = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def tell(_: Future[None]) -> None:
        try:
            token.run_sync_soon(done.set)
        except trio.RunFinishedError:
            return  # nobody waits any more; the bytes are on disk all the same

    future.add_done_callback(tell)
    with trio.CancelScope(shield=True):
        await done.wait()
    future.result()
