"""Two real runs in one simulated internet: one behind the censor, one in another country as its control."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blockwatch.lab.build import build_world
from blockwatch.lab.running import start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.world import SWEDEN, World
from blockwatch.store import find_runs, read_run
from tests.cli.command import BLOCKWATCH, lab_environment
from tests.lab_ready import needs_lab

pytestmark = needs_lab

ROWS = ("o40", "o41", "ca-ip-rst", "down-refused", "o46", "ca-page-utf8")


def measured(world: World, results: Path) -> Path:
    """Run the program in a world; the run's folder."""
    with start(world) as lab:
        options = [*lab.run_options(), "--results", str(results), "--quiet"]
        done = lab.run([*BLOCKWATCH, "run", *options], env=lab_environment(results.parent), timeout=200)
        assert done.returncode in (0, 3), done.stderr
    return find_runs([results])[-1]


@pytest.fixture(scope="module")
def world() -> World:
    rows = [replace(row, world="no-helper") for row in SCENARIOS if row.id in ROWS]
    assert len(rows) == len(ROWS)
    return build_world(rows, name="both")


@pytest.fixture(scope="module")
def here(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return measured(world, tmp_path_factory.mktemp("here") / "results")


@pytest.fixture(scope="module")
def abroad(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same internet without the censor, seen from Sweden, where a test helper can be reached."""
    free = replace(world, rules=(), mitm=(), probe=SWEDEN, helper=True)
    return measured(free, tmp_path_factory.mktemp("abroad") / "results")


def finals(world: World, *arguments: str | Path) -> dict[str, dict[str, Any]]:
    """The final verdicts by scenario."""
    done = subprocess.run(
        [sys.executable, "-m", "blockwatch", "judge", "--json", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines: Sequence[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    named = {truth.target: truth.scenario for truth in world.truths}
    return {named[line["target"]]: line for line in lines if line["final"]}


def test_two_vantages(world: World, here: Path, abroad: Path) -> None:
    vantage = read_run(abroad).open.vantage
    assert (vantage.asn, vantage.country) == (1653, "SE")
    plain, lit = finals(world, here), finals(world, here, "--control-run", abroad)
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


def test_a_control_behind_the_same_censor_is_none(
    world: World, here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Another country with the same blocks: what they agree on is neither down nor fine."""
    results = tmp_path_factory.mktemp("censored") / "results"
    censored = measured(replace(world, probe=SWEDEN), results)
    plain, lit = finals(world, here), finals(world, here, "--control-run", censored)
    for scenario, verdict in plain.items():
        assert lit[scenario]["state"] == verdict["state"], scenario
        assert lit[scenario]["grade"] == verdict["grade"], scenario
