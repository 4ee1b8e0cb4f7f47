"""A name in this machine's own table, where the line's resolver cannot be asked beside it."""

from __future__ import annotations

from blockwatch.judge import judge_run
from blockwatch.model import DnsStep
from blockwatch.verdict import Grade, State
from tests.judge.stage import changed, frame, play
from tests.judge.worlds import WORLDS


def test_a_null_address_that_only_this_machine_gives_is_a_sign() -> None:
    """A table of hosts, or a filter on the machine, gives 0.0.0.0 as a censor does."""
    world = WORLDS["a table of this machine's own says 0.0.0.0"].world
    _, made = play(world)
    run = [
        changed(
            one,
            observations=tuple(
                changed(step, skipped=True, addresses=(), replies=(), failure=None)
                if isinstance(step, DnsStep) and step.resolver == "line"
                else step
                for step in one.observations
            ),
        )
        for one in made
    ]
    open_, close = frame(world, len(run))
    verdict = [one for one in judge_run(open_, run, close) if one.target == "site"][-1]
    assert verdict.state is State.INCONCLUSIVE or verdict.grade is Grade.SIGNS, verdict
