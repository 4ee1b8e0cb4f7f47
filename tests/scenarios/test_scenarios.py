"""Every scenario of the lab: the real program, in the simulated internet, must say what is true.

Rows that share a condition of the network share one world and one ``blockwatch run``, as the sites of a
volunteer's list do. The worlds are measured beside the other tests: :mod:`tests.begun`.
"""

from __future__ import annotations

import json

import pytest

from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.trial import Row
from blockwatch.lab.world import Scenario
from tests.lab_ready import needs_lab

pytestmark = needs_lab


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(row, id=row.id, marks=pytest.mark.begun("blockwatch.lab.trial", row.world))
        for row in SCENARIOS
    ],
)
def test_scenario(scenario: Scenario, said: str) -> None:
    rows = [row for row in (Row(**row) for row in json.loads(said)) if row.scenario == scenario.id]
    assert rows, "not measured"
    wrong = [row.words for row in rows if not row.right]
    assert not wrong, "\n".join(wrong)
