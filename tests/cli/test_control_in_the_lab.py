"""Real runs in one simulated internet: one behind the censor, others in another country as its control."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from blockwatch.store import read_run
from tests.cli.vantages import HERE, ROWS
from tests.lab_ready import needs_lab

pytestmark = [needs_lab, pytest.mark.begun("tests.cli.vantages")]


@pytest.fixture
def runs(said: str) -> dict[str, str]:
    """The folder of each run, by its vantage."""
    folders: dict[str, str] = json.loads(said)
    return folders


def finals(*arguments: str) -> dict[str, dict[str, Any]]:
    """The final verdicts by scenario."""
    done = subprocess.run(
        [sys.executable, "-m", "blockwatch", "judge", "--json", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    lines: Sequence[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    named = {truth.target: truth.scenario for truth in HERE.truths}
    assert set(named.values()) == set(ROWS)
    return {named[line["target"]]: line for line in lines if line["final"]}


def test_two_vantages(runs: dict[str, str]) -> None:
    here, abroad = runs["here"], runs["abroad"]
    vantage = read_run(Path(abroad)).open.vantage
    assert (vantage.asn, vantage.country) == (1653, "SE")
    plain, lit = finals(here), finals(here, "--control-run", abroad)
    assert plain["ca-ip-rst"]["state"] == plain["down-refused"]["state"] == "inconclusive"
    assert (lit["ca-ip-rst"]["state"], lit["ca-ip-rst"]["grade"]) == ("blocked", "signs")
    assert lit["ca-ip-rst"]["mechanism"].startswith("tcp.refused")
    assert lit["down-refused"]["state"] == "down"
    assert (lit["o46"]["state"], lit["o46"]["grade"]) == ("blocked", "strong")
    assert (lit["ca-page-utf8"]["state"], lit["ca-page-utf8"]["mechanism"]) == (
        "blocked",
        "http.blockpage.host",
    )
    assert lit["o40"]["state"] == lit["o41"]["state"] == "ok"
    assert any(
        "control.run: Control vantage (AS1653, SE)" in fact and "it worked" in fact
        for fact in lit["ca-ip-rst"]["why"]
    )


def test_a_control_behind_the_same_censor_is_none(runs: dict[str, str]) -> None:
    """Another country with the same blocks: what they agree on is neither down nor fine."""
    plain, lit = finals(runs["here"]), finals(runs["here"], "--control-run", runs["censored"])
    for scenario, verdict in plain.items():
        assert lit[scenario]["state"] == verdict["state"], scenario
        assert lit[scenario]["grade"] == verdict["grade"], scenario
