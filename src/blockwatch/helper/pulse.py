"""Whether this process had the processor when it needed it: a stall of ours is no time-out of a site's.

Rules of this file: a beat that comes late by more than :data:`LATE` is a stall (overload, a paused machine);
what timed out while there was one is not said of the site.
"""

from __future__ import annotations

import math

import trio

BEAT = 0.5  # seconds
LATE = 1.0  # seconds


class Pulse:
    """Beats while it runs, and remembers when it was last late."""

    def __init__(self) -> None:
        self._stalled_at = -math.inf
        self._due = math.inf

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            self._due = trio.current_time() + BEAT
            await trio.sleep(BEAT)
            if trio.current_time() - self._due > LATE:
                self._stalled_at = trio.current_time()

    def stalled_since(self, when: float) -> bool:
        """Whether there was a stall after ``when``, or one goes on."""
        return self._stalled_at >= when or trio.current_time() - self._due > LATE
