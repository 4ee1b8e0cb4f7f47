"""Every scenario of the lab: the real program, in the simulated internet, must say what is true.

Rows that share a condition of the network share one world and one ``blockwatch run``, as the sites of a
volunteer's list do. Many worlds are measured side by side: they mostly wait.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.world import Scenario
from tests.lab_ready import needs_lab

ROOT = Path(__file__).parents[2]
AT_ONCE = 16  # more only make each other slow where there are two cores
SECONDS = 500  # of one world

pytestmark = needs_lab


class Worlds:
    """One measuring process per world, :data:`AT_ONCE` of them at a time, the largest worlds first."""

    def __init__(self, folder: Path) -> None:
        targets = Counter(scenario.world for scenario in SCENARIOS for _ in scenario.targets)
        self._folder = folder
        self._running: set[subprocess.Popen[str]] = set()
        self._places = ThreadPoolExecutor(AT_ONCE)
        self._measured = {
            world: self._places.submit(self._measure, world) for world, _ in targets.most_common()
        }

    def rows(self, scenario: Scenario) -> list[dict[str, Any]]:
        """What was found of a scenario's targets."""
        code, out, errors = self._measured[scenario.world].result()
        assert code == 0, errors
        return [row for row in json.loads(out) if row["scenario"] == scenario.id]

    def close(self) -> None:
        """End what still runs."""
        self._places.shutdown(wait=False, cancel_futures=True)
        for process in tuple(self._running):
            process.terminate()
        self._places.shutdown()

    def _measure(self, world: str) -> tuple[int, str, str]:
        with subprocess.Popen(
            [sys.executable, "-m", "blockwatch.lab.trial", world, str(self._folder / world)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            self._running.add(process)
            try:
                out, errors = process.communicate(timeout=SECONDS)
            finally:
                self._running.discard(process)
                process.terminate()
            return process.returncode, out, errors


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
