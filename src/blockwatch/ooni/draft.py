"""The observations of one measurement while they are read.

Rules of this file: every step gets its index here, in the order read; times over there count from the
start of the measurement, ours from that of the run; what has no place in our records is counted by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blockwatch.model import Observation
from blockwatch.ooni import fields
from blockwatch.ooni.fields import Object

if TYPE_CHECKING:
    from blockwatch.ooni.responses import Response

_MAX_STEPS = 20_000
_MAX_NUMBER = 2**53


class Draft:
    """Steps, captured responses, and what was left out."""

    def __init__(self, origin: int, epoch: int) -> None:
        """``origin``: start of the measurement, microseconds since the run's, which began at ``epoch``."""
        self.origin, self.epoch = origin, epoch
        self.steps: list[Observation] = []
        self.responses: dict[int, Response] = {}
        self.left_out: dict[str, int] = {}
        self._flows = 0

    def leave_out(self, what: str) -> None:
        """Count something that our records have no place for."""
        if what in self.left_out or len(self.left_out) < 50:
            self.left_out[what] = self.left_out.get(what, 0) + 1

    def time(self, entry: Object) -> tuple[int, int]:
        """Start and duration of an entry; old data tells only when it ended."""
        end, start = fields.micros(entry.get("t")), fields.micros(entry.get("t0"))
        if start is None:
            start = end or 0
        return self.origin + start, end - start if end is not None and end > start else 0

    def add(self, step: Observation) -> int | None:
        """Add a step, whose index is the number of those before it; its index, or ``None``: no room."""
        if len(self.steps) >= _MAX_STEPS:
            self.leave_out("a step beyond the limit")
            return None
        self.steps.append(step)
        return step.i

    def flow(self, entry: Object) -> int | None:
        """The number of the connection an entry used, where the record tells it."""
        number = entry.get("transaction_id")
        return number if type(number) is int and 0 < number < _MAX_NUMBER else None

    def next_flow(self) -> int:
        """A number for a connection of a record that has none."""
        self._flows += 1
        return self._flows
