"""Judging a run costs so much a measurement, however many there are beside it."""

from __future__ import annotations

import pytest

from blockwatch.judge import judge_run
from blockwatch.judge.sight import Sight
from blockwatch.model import Measurement
from blockwatch.verdict import State
from tests.judge.stage import calm_measurement, changed, frame, play
from tests.judge.world import CUT, HOST, Hello, World

BLOCKED = World(shake=lambda address, sni, n: CUT if sni and sni.lower() == HOST else Hello())


def listed(measurements: list[Measurement]) -> list[Measurement]:
    """The same measurements as those of as many sites, one after the other."""
    return [
        changed(
            one, seq=n, id=f"{'0' * 16}-{n:06}", target=f"{one.target}-{n}", url=f"https://{n}.host{n}.com/"
        )
        for n, one in enumerate(measurements, 1)
    ]


@pytest.mark.parametrize("world", [World(), BLOCKED], ids=["well", "blocked"])
def test_effort_grows_with_the_run_and_no_faster(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in readings of a measurement, which is most of the work."""
    _, made = play(world)
    site = next(one for one in made if one.target == "site")
    controls = [calm_measurement(n, 0) for n in range(1, 6)]
    read = []
    begin = Sight.__init__

    def counted(sight: Sight, *told: object) -> None:
        read.append(1)
        begin(sight, *told)  # type: ignore[arg-type]

    monkeypatch.setattr(Sight, "__init__", counted)
    spent = []
    for sites in (10, 40):
        run = listed([*controls, *[site] * sites])
        open_, close = frame(world, len(run))
        read.clear()
        verdicts = judge_run(open_, run, close)
        spent.append(len(read) / len(run))
        assert verdicts[-1].state is (State.BLOCKED if world is BLOCKED else State.OK)
    assert spent[1] <= spent[0] * 1.5, spent
