"""Every scenario of the lab: the real program, in the simulated internet, must say what is true.

Rows that share a condition of the network share one world and one ``blockwatch run``, as the sites of a
volunteer's list do. The worlds are measured side by side: they mostly wait.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.world import Scenario
from tests.lab_ready import needs_lab

ROOT = Path(__file__).parents[2]

pytestmark = needs_lab


class Worlds:
    """One measuring process per world, all started at once."""

    def __init__(self, folder: Path) -> None:
        self._processes = {
            world: subprocess.Popen(
                [sys.executable, "-m", "blockwatch.lab.trial", world, str(folder / world)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for world in sorted({scenario.world for scenario in SCENARIOS})
        }
        self._checked: dict[str, list[dict[str, Any]]] = {}

    def rows(self, scenario: Scenario) -> list[dict[str, Any]]:
        """What was found of a scenario's targets."""
        world = scenario.world
        if world not in self._checked:
            out, errors = self._processes[world].communicate(timeout=500)
            assert self._processes[world].returncode == 0, errors
            self._checked[world] = json.loads(out)
        return [row for row in self._checked[world] if row["scenario"] == scenario.id]

    def close(self) -> None:
        """End what still runs."""
        for process in self._processes.values():
            process.terminate()
            process.communicate()


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    measured = Worlds(tmp_path_factory.mktemp("worlds"))
    yield measured
    measured.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_scenario(scenario: Scenario, worlds: Worlds) -> None:
    rows = worlds.rows(scenario)
    assert rows, "not measured"
    wrong = [row["words"] for row in rows if not row["right"]]
    assert not wrong, "\n".join(wrong)
