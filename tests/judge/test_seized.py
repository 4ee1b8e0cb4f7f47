"""The line's resolver leads everybody to one place since a moment ago, and a cache still knows better."""

from __future__ import annotations

import pytest

from blockwatch import failure as f
from blockwatch.judge import judge_run
from blockwatch.model import DnsStep, Measurement, Observation, Purpose
from blockwatch.verdict import State
from tests.judge.stage import changed, frame, play
from tests.judge.world import GOOD
from tests.judge.worlds import WORLDS

ENDED = "the session of a cafe ends in mid-run: every name is led to it, helper"


def remembered(step: Observation, **said: object) -> Observation:
    """A control name that this machine's own cache answered for, or whose lookup was lost."""
    cached = isinstance(step, DnsStep) and step.purpose is Purpose.NAME_CONTROL and step.resolver == "system"
    return changed(step, **said) if cached else step


@pytest.mark.parametrize(
    "said",
    [{"addresses": GOOD}, {"addresses": (), "failure": f.DNS_TEMPORARY}],
    ids=["the cache knows them", "the lookups are lost"],
)
def test_what_a_cache_says_of_control_names_does_not_undo_it(said: dict[str, object]) -> None:
    """Other resolvers were asked for the same names, on the same line."""
    world = WORLDS[ENDED].world
    _, made = play(world)
    run: list[Measurement] = [
        changed(one, observations=tuple(remembered(step, **said) for step in one.observations))
        for one in made
    ]
    open_, close = frame(world, len(run))
    verdict = [one for one in judge_run(open_, run, close) if one.target == "site"][-1]
    assert (verdict.state, verdict.why[0].rule) == (State.INCONCLUSIVE, "line.names"), verdict.why
