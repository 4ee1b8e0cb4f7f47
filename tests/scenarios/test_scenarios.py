"""Every scenario of the lab: the real program, in the simulated internet, must say what is true.

Rows that share a condition of the network share one world and one ``blockwatch run``, as the sites of a
volunteer's list do. Many worlds are measured side by side: they mostly wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.trial import Row
from blockwatch.lab.trials import Trials
from blockwatch.lab.world import Scenario
from tests.lab_ready import needs_lab

AT_ONCE = 16  # more only make each other slow where there are two cores

pytestmark = needs_lab


class Worlds:
    """One trial per world, :data:`AT_ONCE` of them at a time, the largest worlds first."""

    def __init__(self, scenarios: Iterable[Scenario], folder: Path) -> None:
        targets = Counter(scenario.world for scenario in scenarios for _ in scenario.targets)
        self._trials = Trials()
        self._places = ThreadPoolExecutor(AT_ONCE)
        self._measured = {
            world: self._places.submit(self._trials.rows, world, folder / world)
            for world, _ in targets.most_common()
        }

    def rows(self, scenario: Scenario) -> list[Row]:
        """What was found of a scenario's targets."""
        return [row for row in self._measured[scenario.world].result() if row.scenario == scenario.id]

    def close(self) -> None:
        """End what still runs."""
        self._places.shutdown(wait=False, cancel_futures=True)
        self._trials.stop()
        self._places.shutdown()


@pytest.fixture(scope="module")
def worlds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    asked = [item.callspec for item in request.session.items if item.path == request.path]  # type: ignore[attr-defined]
    measured = Worlds((call.params["scenario"] for call in asked), tmp_path_factory.mktemp("worlds"))
    yield measured
    measured.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_scenario(scenario: Scenario, worlds: Worlds) -> None:
    rows = worlds.rows(scenario)
    assert rows, "not measured"
    wrong = [row.words for row in rows if not row.right]
    assert not wrong, "\n".join(wrong)
