"""What a run that stopped before its end has left to be measured.

Rules of this file:

* pure; the numbers are those of the tasks of the whole plan, from 0, in its order;
* done is what was measured to its end, the re-test included where one was called for. What still awaited it
  is begun anew, so that no verdict has to rest on two runs;
* where a check of the own line failed, or nothing showed that it let anything through, only what surely
  worked is done, also in a run that came to its end;
* of any other run that came to its end nothing is left, so that no fault of ours is met for ever;
* controls belong to the run that they are compared in: they are measured again, and never count as left.
  Where a list has none, a few addresses that worked stand in for them, so that a run of nothing but trouble
  has something to hold it against.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from urllib.parse import urlsplit

import msgspec

from blockwatch.model import Measurement, Observation, TlsStep
from blockwatch.run import LineCheck, RunClose
from blockwatch.runner.outlook import surely_worked
from blockwatch.runner.plan import Plan, PlannedTask, estimated

_LINE = ("connectivity", "portal")
_COMPANY = 3  # addresses of different hosts that are measured again where there are no controls


class Tally:
    """Which tasks of a plan are done; takes the measurements of one run as they were kept."""

    def __init__(
        self,
        tasks: Sequence[PlannedTask],
        wants_retest: Callable[[Sequence[Observation]], bool],
        *,
        done: Collection[int] = (),
        beside: Sequence[int] = (),
    ) -> None:
        """``done``: what earlier runs had done; ``beside``: what of it is measured once more."""
        self.count = len(tasks)
        self._beside = beside
        self._worked: dict[bool, dict[str, int]] = {True: {}, False: {}}  # over a good chain or not; by host
        self._wants_retest = wants_retest
        self._numbers: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for number, task in enumerate(tasks):
            self._numbers[task.target, task.url, task.probe].append(number)
        self._controls = {number for number, task in enumerate(tasks) if task.role == "control"}
        self._done = set(done)
        self._unsure: set[int] = set()  # nothing in it surely worked
        self._short: set[int] = set()  # its own time or bytes were spent; or those of the run
        self._line_failed = self._out_of_time = self._ended = False
        self._passed: bool | None = (
            None  # whether the line let something through unaltered; None: nobody looked
        )

    def add(self, measurement: Measurement) -> None:
        """Take one measurement, in the order made."""
        numbers = self._numbers.get((measurement.target, measurement.url, measurement.probe), ())
        observations = measurement.observations
        if not measurement.valid or measurement.stopped == "interrupted":
            return
        if measurement.attempt == "first" and self._wants_retest(observations):
            return
        self._done.update(numbers)
        if measurement.stopped is not None:
            self._short.update(numbers)
        if any(map(surely_worked, observations)):
            self._passed = True
        else:
            self._unsure.update(numbers)
        if measurement.attempt == "first" and numbers:
            proved = any(isinstance(step, TlsStep) and surely_worked(step) for step in observations)
            host = urlsplit(measurement.url).hostname or ""
            self._worked[proved].setdefault(host, numbers[0])

    def heard(self, checks: Iterable[LineCheck]) -> None:
        """Take checks of the own line."""
        for check in checks:
            if check.kind in _LINE and check.ok is False:
                self._line_failed = True
            if check.kind == "portal":  # also says whether a page known beforehand came as it must
                self._passed = self._passed or check.ok is True

    def ended(self, close: RunClose) -> None:
        """Take the last line."""
        self.heard(close.checks)
        self._out_of_time = close.reason == "time"
        self._ended = close.reason == "done"

    @property
    def done(self) -> frozenset[int]:
        """Numbers of what need not be measured again."""
        bad_line = self._line_failed or self._passed is False
        if self._ended and not bad_line:
            return frozenset(range(self.count))
        unsure = self._unsure if bad_line else set()
        short = self._short if self._out_of_time else set()
        return frozenset(self._done - unsure - short)

    @property
    def worked(self) -> tuple[int, ...]:
        """Numbers of a few addresses without any trouble, the surest first."""
        seen = (*self._worked[True].values(), *self._worked[False].values())
        return tuple(dict.fromkeys(seen))[:_COMPANY] or tuple(self._beside)

    @property
    def complete(self) -> bool:
        """Whether nothing is left but, perhaps, controls."""
        return not set(range(self.count)) - self._controls - self.done


def what_is_left(plan: Plan, run: str, done: Collection[int], worked: Sequence[int] = ()) -> Plan | None:
    """The part of a whole plan that ``run`` and those before it have left; ``None``: nothing.

    Controls come first, or what ``worked``, then what nobody came to, then what is to be measured again: runs
    that always stop early get through their list all the same.
    """
    controls = [number for number, task in enumerate(plan.tasks) if task.role == "control"]
    targets = [number for number in range(len(plan.tasks)) if number not in controls]
    left = [number for number in targets if number not in done]
    if not left:
        return None
    furthest = max((number for number in targets if number in done), default=-1)
    left.sort(key=lambda number: number < furthest)
    beside = tuple(controls or (number for number in worked if number not in left))
    tasks = tuple(plan.tasks[number] for number in (*beside, *left))
    return estimated(msgspec.structs.replace(plan, tasks=tasks, resumes=run, rest=tuple(left), beside=beside))
