"""The shapes of what the runner is given and what it gives back while it works."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from blockwatch.followup import FlowRequest, FollowUp, KnownGood
from blockwatch.model import Measured, Measurement, Observation
from blockwatch.run import RunClose, RunOpen


class Sink(Protocol):
    """Where records go; each call returns when its record is safe."""

    async def open(self, record: RunOpen) -> object:
        """Take the first line."""

    async def write(self, measured: Measured) -> object:
        """Take one measurement; called in the order of ``seq``."""

    async def close(self, record: RunClose) -> object:
        """Take the last line."""


class Curiosity(Protocol):
    """Pure functions that say what an observation calls for."""

    def next_steps(
        self, observations: Sequence[Observation], known_good: Sequence[KnownGood], attempt: str, tier: int
    ) -> Sequence[FollowUp]:
        """Name the steps that would tell more, of no higher tier; empty: enough is known."""

    def wants_retest(self, observations: Sequence[Observation]) -> bool:
        """Whether to measure it again at the end of the run."""

    def lingering(
        self,
        observations: Sequence[Observation],
        known_good: Sequence[KnownGood],
        connected: Collection[str],
        answered: Collection[str],
    ) -> Sequence[FlowRequest]:
        """What must pass before it is worth measuring again; empty: nothing."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands, after each measurement."""

    done: int  # measurements written
    planned: int  # first measurements planned, and re-tests as they are added
    bytes: int  # sent and received so far
    last: Measurement
