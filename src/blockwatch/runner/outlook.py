"""Whether asking more can tell anything: not on a line that is down or behind a portal.

Rules of this file:

* as long as one thing in the run has surely worked (a valid chain, a helper's answer), it can;
* a line that was bad when the run began is looked at once more before anything is left out;
* what is left out are follow-ups and re-tests, never a first measurement.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

from blockwatch.model import ControlStep, Observation, TlsStep
from blockwatch.runner.line import Line


class Outlook:
    """The prospects of one run."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._bad = self._worked = self._again = False
        self._looking = trio.Lock()

    def begin(self) -> None:
        """The line was checked for the first time."""
        self._bad = self._line.bad

    def note(self, observations: Sequence[Observation]) -> None:
        """Take what a measurement shows."""
        self._worked = self._worked or any(map(surely_worked, observations))

    async def hopeless(self) -> bool:
        """Whether more steps would say nothing; may take as long as one check of the line."""
        if self._bad and not self._worked:
            async with self._looking:
                if not self._again:
                    self._again = True
                    await self._line.check("during", ask=True)
                    self._bad = self._line.bad
        return self._bad and not self._worked


def surely_worked(step: Observation) -> bool:
    """Whether a step shows that the line let something through, unaltered."""
    if step.skipped or step.failure is not None:
        return False
    return isinstance(step, ControlStep) or (isinstance(step, TlsStep) and step.trust is None)
