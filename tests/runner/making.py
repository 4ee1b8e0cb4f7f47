"""Runs of few sites: the plan, a sink in memory, and somebody who asks for more."""

from dataclasses import dataclass, field

import trio

from blockwatch.errors import DiskError
from blockwatch.model import Measured, Purpose
from blockwatch.registry import Probe, load_probes
from blockwatch.run import RunClose, RunOpen
from blockwatch.runner.plan import Settings, make_plan
from blockwatch.target import Target, TargetsFile

OTHER = "93.184.216.35"


@dataclass
class Kept:
    """A sink in memory."""

    opened: list[RunOpen] = field(default_factory=list)
    written: list[Measured] = field(default_factory=list)
    closed: list[RunClose] = field(default_factory=list)
    full_after: int = 10_000

    async def open(self, record):
        assert not self.opened
        self.opened.append(record)

    async def write(self, measured):
        assert self.opened
        assert not self.closed
        if len(self.written) >= self.full_after:
            raise DiskError("no space left")
        self.written.append(measured)
        await trio.lowlevel.checkpoint()

    async def close(self, record):
        self.closed.append(record)


@dataclass
class Asking:
    """Asks for ``steps`` once, and for a re-test where ``again`` says so."""

    steps: tuple = ()
    again: bool = False
    held: tuple = ()
    seen: list = field(default_factory=list)

    def next_steps(self, observations, known_good, attempt, tier):
        self.seen.append((len(observations), known_good, attempt))
        return () if any(s.purpose is not Purpose.FIRST for s in observations) else self.steps

    def wants_retest(self, observations):
        return self.again

    def lingering(self, observations, known_good, connected, answered):
        return self.held


def plan_of(*targets: Target, probes: dict[str, Probe] | None = None, **settings):
    settings = {"resolvers": (), "stun": None} | settings
    return make_plan(TargetsFile(targets=targets), probes or load_probes(), Settings(**settings))


def site(name: str, **more) -> Target:
    return Target(id=name, url=f"http://{name}.example/", **more)
