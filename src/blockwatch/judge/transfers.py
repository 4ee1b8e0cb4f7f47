"""One response as it came: how many bytes in what time, and whether they stopped.

Rules of this file: facts of one flow alone; :mod:`blockwatch.judge.speed` compares them.
"""

from __future__ import annotations

from typing import NamedTuple

from blockwatch.judge import outcomes
from blockwatch.judge.sight import Flow

SLOW = 64_000  # bytes a second: below this a transfer deserves a comparison
LEAST = 16_000  # bytes that must have moved before a rate is spoken of
LONG_US = 1_500_000
STALL_US = 4_000_000  # silence at the end of a transfer that did not end


class Transfer(NamedTuple):
    """One response as it came."""

    flow: Flow
    moved: int  # bytes on the wire
    us: int  # from the first byte to the last
    stalled: bool  # bytes stopped and the flow hung until its time-out
    unfinished: bool  # still flowing when we stopped for time

    @property
    def rate(self) -> int:
        """Bytes a second."""
        return self.moved * 1_000_000 // max(self.us, 1)

    @property
    def slow(self) -> bool:
        """Whether it is slow enough to ask why."""
        return not self.stalled and self.moved >= LEAST and self.us >= LONG_US and self.rate < SLOW


def transfer(flow: Flow) -> Transfer | None:
    """How the response of ``flow`` came; ``None`` where nothing came."""
    step = flow.http
    if step is None or step.status is None or step.skipped:
        return None
    points = step.progress or ((step.first_byte_us or 0, 0), (step.us, step.received))
    moved = points[-1][1]
    hung = flow.at("http") == outcomes.TIMEOUT
    quiet = step.us - points[-1][0] >= STALL_US
    return Transfer(
        flow=flow,
        moved=moved,
        us=max(points[-1][0] - points[0][0], 0),
        stalled=hung and quiet,
        unfinished=step.truncated and step.us >= 10_000_000,
    )
