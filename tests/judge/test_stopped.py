"""A measurement that was broken off (Ctrl-C, a budget): what it had not asked yet counts for nobody.

Every world is cut after each of its steps, in its first measurement and in the one made again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from blockwatch.judge import judge_run
from blockwatch.model import Measurement
from blockwatch.verdict import Grade, State, Verdict
from tests.judge.stage import changed, frame, play
from tests.judge.world import World
from tests.judge.worlds import WORLDS

PAGES = [name for name, row in WORLDS.items() if row.world.probe == "web"]


def cut_short(world: World, made: list[Measurement]) -> Iterator[Verdict]:
    """The last verdict, where one of the site's measurements was stopped after each number of steps."""
    for position, whole in enumerate(made):
        if whole.target != "site":
            continue
        for count in range(1, len(whole.observations)):
            cut = changed(whole, observations=whole.observations[:count], stopped="budget")
            run = [*made[:position], cut]
            open_, close = frame(world, len(run))
            yield [v for v in judge_run(open_, run, close) if v.target == "site"][-1]


@pytest.mark.parametrize("name", PAGES)
def test_what_was_broken_off_says_no_more_than_the_whole(name: str) -> None:
    """An address that answers is no page; no honest world is accused of more than signs."""
    row = WORLDS[name]
    _, made = play(row.world)
    for verdict in cut_short(row.world, made):
        said = (verdict.state, verdict.why[0])
        assert verdict.state is not State.OK or verdict.why[0].rule not in ("page.none", "name.resolves"), (
            said
        )
        if "blocked" not in row.states and verdict.state is State.BLOCKED:
            assert verdict.grade is Grade.SIGNS, said
