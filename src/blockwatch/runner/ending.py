"""What ends a run early, and the time that is then left to write what is there.

Rules of this file:

* Ctrl-C, SIGTERM and a lost terminal (SIGHUP) end a run alike; who has had SIGHUP ignored (nohup)
  meant the run to outlive the terminal;
* writing is never torn by a cancellation, but once the run has ended it has :data:`LAST_WORDS_S`
  seconds in all.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

LAST_WORDS_S = 1.5  # to write what is there when a run is interrupted or its time is up


class LastWords:
    """The writing of one run, and its end; ``work`` is what a run's time limit cancels."""

    def __init__(self, work: trio.CancelScope) -> None:
        self._work = work
        self._ended: float | None = None  # trio time
        self._writing: set[trio.CancelScope] = set()

    @contextmanager
    def writing(self) -> Iterator[trio.CancelScope]:
        """A block that a cancellation does not tear, bounded once the run has ended."""
        outside = trio.current_effective_deadline()  # inside of the shield it cannot be seen
        if outside <= trio.current_time():
            self.end()
        deadline = max(self._work.deadline, trio.current_time())  # still to come, or just past
        with trio.CancelScope(shield=True, deadline=deadline + LAST_WORDS_S) as scope:
            if self._ended is not None:
                scope.deadline = self._ended + LAST_WORDS_S
            self._writing.add(scope)
            try:
                yield scope
            finally:
                self._writing.discard(scope)

    def end(self) -> None:
        """The run ends now: bound what is being written."""
        if self._ended is None:
            self._ended = trio.current_time()
        for scope in self._writing:
            scope.deadline = min(scope.deadline, self._ended + LAST_WORDS_S)


async def heed_signals(stop: Callable[[], None]) -> None:
    """Call ``stop`` at every signal that ends a run."""
    if threading.current_thread() is not threading.main_thread():
        return
    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    with trio.open_signal_receiver(*wanted) as received:
        async for _ in received:
            stop()
