"""What a run that stopped before its end has left to be measured.

Rules of this file:

* pure; the numbers are those of the tasks of the whole plan, from 0, in its order;
* done is what was measured to its end, the re-test included where one was called for. What still awaited it
  is begun anew, so that no verdict has to rest on two runs;
* where a check of the own line failed, only what surely worked is done;
* of a run that came to its end nothing is left, so that no fault of ours is met for ever;
* controls belong to the run that they are compared in: they are measured again, and never count as left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from blockwatch.model import Measurement, Noun, Observation
from blockwatch.net.socks import parse_proxy
from blockwatch.run import LineCheck, RunClose, RunOpen
from blockwatch.runner.first_line import file_sha256
from blockwatch.runner.outlook import surely_worked
from blockwatch.runner.plan import Plan, PlannedTask, estimated, tasks_of

_LINE = ("connectivity", "portal")


class Scope(Noun, frozen=True, kw_only=True):
    """What must be the same in a run and in the one that resumes it."""

    tasks: tuple[PlannedTask, ...]
    probes: tuple[str, ...]
    resolvers: tuple[str, ...]
    helpers: tuple[str, ...]
    control: str | None
    ca_sha256: str | None
    tier: int
    campaign: str | None
    isp: str | None


_OPTION = {
    "tasks": "the list of targets (--targets)",
    "probes": "the questions (--probe), or their version",
    "resolvers": "--resolver",
    "helpers": "--helper",
    "control": "--control",
    "ca_sha256": "--ca-file",
    "tier": "--tier",
    "campaign": "--campaign",
    "isp": "--isp",
}


def scope_of(plan: Plan) -> Scope:
    """Of a whole plan that was not begun. Raises ``ConfigError`` where a file cannot be read."""
    settings = plan.settings
    return Scope(
        tasks=plan.tasks,
        probes=tuple(probe.label for probe in plan.probes.values()),
        resolvers=("system", *settings.resolvers),
        helpers=settings.helpers,
        control=parse_proxy(settings.control).shown if settings.control else None,
        ca_sha256=file_sha256(settings.ca_file) if settings.ca_file else None,
        tier=settings.tier,
        campaign=settings.campaign,
        isp=settings.isp,
    )


def scope_of_run(first: RunOpen) -> Scope:
    """Of a run, by its first line."""
    return Scope(
        tasks=tasks_of(first.targets, (label.partition(" ")[0] for label in first.probes)),
        probes=first.probes,
        resolvers=first.resolvers,
        helpers=first.helpers,
        control=first.control,
        ca_sha256=first.ca_sha256,
        tier=first.tier,
        campaign=first.campaign,
        isp=first.vantage.declared_isp,
    )


def differences(one: Scope, other: Scope) -> list[str]:
    """In words, what is not the same."""
    return [words for name, words in _OPTION.items() if getattr(one, name) != getattr(other, name)]


class Tally:
    """Which tasks of a plan are done; takes the measurements of one run as they were kept."""

    def __init__(
        self,
        tasks: Sequence[PlannedTask],
        wants_retest: Callable[[Sequence[Observation]], bool],
        done: Collection[int] = (),
    ) -> None:
        """``done``: what earlier runs had done, and this one has not to measure."""
        self.count = len(tasks)
        self._wants_retest = wants_retest
        self._numbers: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for number, task in enumerate(tasks):
            self._numbers[task.target, task.url, task.probe].append(number)
        self._controls = {number for number, task in enumerate(tasks) if task.role == "control"}
        self._done = set(done)
        self._unsure: set[int] = set()  # nothing in it surely worked
        self._short: set[int] = set()  # its own time or bytes were spent; or those of the run
        self._bad_line = self._out_of_time = self._ended = False

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
        if not any(map(surely_worked, observations)):
            self._unsure.update(numbers)

    def heard(self, checks: Iterable[LineCheck]) -> None:
        """Take checks of the own line."""
        self._bad_line = self._bad_line or any(c.kind in _LINE and c.ok is False for c in checks)

    def ended(self, close: RunClose) -> None:
        """Take the last line."""
        self.heard(close.checks)
        self._out_of_time = close.reason == "time"
        self._ended = close.reason == "done"

    @property
    def done(self) -> frozenset[int]:
        """Numbers of what need not be measured again."""
        if self._ended:
            return frozenset(range(self.count))
        unsure = self._unsure if self._bad_line else set()
        short = self._short if self._out_of_time else set()
        return frozenset(self._done - unsure - short)

    @property
    def complete(self) -> bool:
        """Whether nothing is left but, perhaps, controls."""
        return not set(range(self.count)) - self._controls - self.done


def what_is_left(plan: Plan, run: str, done: Collection[int]) -> Plan | None:
    """The part of a whole plan that ``run`` and those before it have left; ``None``: nothing.

    Controls come first, then what nobody came to, then what was begun and is to be measured again: a run that
    always stops early gets through its list all the same.
    """
    targets = [number for number, task in enumerate(plan.tasks) if task.role != "control"]
    left = [number for number in targets if number not in done]
    if not left:
        return None
    furthest = max((number for number in targets if number in done), default=-1)
    left.sort(key=lambda number: number < furthest)
    rest = (*(number for number, task in enumerate(plan.tasks) if task.role == "control"), *left)
    tasks = tuple(plan.tasks[number] for number in rest)
    return estimated(msgspec.structs.replace(plan, tasks=tasks, resumes=run, rest=rest))
