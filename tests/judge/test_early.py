"""What comes sooner than its sender can have sent it, on lines where connections are no sure measure."""

from __future__ import annotations

import pytest

from blockwatch import failure as f
from blockwatch.judge import judge_run
from blockwatch.model import Measurement, Purpose, TcpStep
from blockwatch.verdict import Grade
from tests.judge.stage import changed, frame, play
from tests.judge.world import SITE, Hello, World

AT_ONCE = Hello(failure=f.RESET, chain=(), us=10_000, first_byte_us=None)  # a quarter of the round trip


def waited(one: Measurement, most: int) -> Measurement:
    """The same, with so many connections for control names at their own addresses that had to wait."""
    calm = [
        step.i
        for step in one.observations
        if isinstance(step, TcpStep) and step.purpose is Purpose.SNI_CONTROL_ON_CONTROL
    ][:most]
    steps = (changed(step, us=700_000) if step.i in calm else step for step in one.observations)
    return changed(one, observations=tuple(steps))


@pytest.mark.parametrize(
    ("most", "grade"),
    [(0, Grade.STRONG), (1, Grade.STRONG), (99, Grade.SIGNS)],
    ids=["none waited", "one waited, as on any busy line", "all waited"],
)
def test_connections_that_wait(most: int, grade: Grade) -> None:
    """Where connections cost more than a round trip, as a rule, no answer is too early."""
    world = World(shake=lambda address, sni, n: AT_ONCE if address == SITE else None)
    made = [waited(one, most) for one in play(world)[1]]
    open_, close = frame(world, len(made))
    final = [one for one in judge_run(open_, made, close) if one.target == "site"][-1]
    assert final.mechanism == "tls.reset"
    assert final.grade is grade, final.why
