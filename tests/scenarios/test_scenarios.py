"""Every scenario of the lab: the real program, in the simulated internet, must say what is true.

Rows that share a condition of the network share one world and one ``blockwatch run``, as sites of a
volunteer's list do.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from blockwatch.lab import truth
from blockwatch.lab.build import build_world
from blockwatch.lab.running import start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.world import Scenario
from tests.lab_ready import needs_lab

WORLDS: dict[str, list[Scenario]] = defaultdict(list)
for _scenario in SCENARIOS:
    WORLDS[_scenario.world].append(_scenario)

pytestmark = needs_lab


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[truth.Checked]]:
    """One run per world, made when its first scenario asks; checked verdicts by world."""
    made: dict[str, list[truth.Checked]] = {}

    def of(world: str) -> list[truth.Checked]:
        if world not in made:
            made[world] = measured(world, tmp_path_factory.mktemp(world))
        return made[world]

    class Lazy(dict):
        def __missing__(self, world: str) -> list[truth.Checked]:
            return of(world)

    return Lazy()


def measured(name: str, results: Path) -> list[truth.Checked]:
    """Run the program once over all scenarios of a world and hold its verdicts against the truth."""
    blockwatch = [sys.executable, "-m", "blockwatch"]
    with start(build_world(WORLDS[name], name=name)) as lab:
        ran = lab.run(
            [*blockwatch, "run", *lab.run_options(), "--results", str(results), "--yes", "--quiet"], timeout=400
        )
        assert ran.returncode in (0, 3, 4), ran.stderr
        judged = lab.run([*blockwatch, "judge", "--json", str(results)], timeout=100)
    assert judged.returncode == 0, judged.stderr
    lines = [json.loads(line) for line in judged.stdout.splitlines()]
    return truth.check(lab.truths, lines)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_scenario(scenario: Scenario, verdicts: dict[str, list[truth.Checked]]) -> None:
    for row in verdicts[scenario.world]:
        if row.truth.scenario == scenario.id:
            assert row.right, f"{row.truth.url}: truth {truth.words(row.truth)}, verdict {row.verdict}"
