"""A whole run against servers that misbehave on purpose, and every command over what it kept."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from blockwatch.analysis.output import render
from blockwatch.model import HttpStep
from blockwatch.store import read_run
from blockwatch.target import Target
from tests.cli.command import blockwatch, no_traceback
from tests.hostile.ran import Ran
from tests.hostile.rows import ANSWERS, FORMULA
from tests.lab_ready import needs_lab

pytestmark = [needs_lab, pytest.mark.begun("tests.hostile.ran")]
MOST_KB = 300_000  # peak memory of the measuring process
# Control characters, and marks that turn the direction of text.
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def ran(said: str) -> Ran:
    return Ran(**json.loads(said))


def test_it_ends_in_bounds(ran: Ran) -> None:
    assert ran.code == 0, ran.said
    assert ran.peak_kb < MOST_KB
    assert ran.seconds < 90
    assert "Traceback" not in ran.said


def test_every_target_ends_in_a_record_that_is_no_fault_of_ours(ran: Ran) -> None:
    run = read_run(Path(ran.folder))
    measurements = list(run.measurements)
    assert [m.fault for m in measurements if not m.valid] == []
    assert {m.target for m in measurements} == {target.id for target in run.open.targets}
    assert len({m.target for m in measurements}) == ran.planned >= 18 + len(ANSWERS)
    assert all(m.observations for m in measurements)
    assert run.close is not None
    assert run.close.reason == "done"
    assert run.notes == []


def test_nobody_is_accused(ran: Ran, tmp_path: Path) -> None:
    done = blockwatch("judge", "--json", ran.folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert {verdict["target"] for verdict in verdicts if verdict["final"]} == {
        target.id for target in read_run(Path(ran.folder)).open.targets
    }
    assert [(v["target"], v["why"]) for v in verdicts if v["final"] and v["state"] == "blocked"] == []


def test_nothing_that_is_printed_can_steer_a_terminal(ran: Ran, tmp_path: Path) -> None:
    run = read_run(Path(ran.folder))
    commands: list[list[str | Path]] = [
        ["judge", ran.folder],
        ["judge", "--explain", ran.folder],
        ["judge", "--json", ran.folder],
        ["retest", "--from", ran.folder, "--not-mine"],
        ["summarise", ran.folder, "--format", "table"],
        ["summarise", ran.folder, "--format", "csv"],
        ["summarise", ran.folder, "--format", "json"],
    ]
    for measurement in run.measurements:
        if _speaks(measurement.url, run.open.targets):
            commands.append(["show", measurement.id, "--results", ran.folder])
    assert len(commands) >= 7 + 3
    assert STEERING.search(ran.said) is None
    for command in commands:
        done = blockwatch(*command, cwd=tmp_path)
        assert done.returncode == (8 if command[0] == "retest" else 0), (command, done.stderr)
        assert no_traceback(done)
        found = STEERING.search(done.stdout + done.stderr)
        assert found is None, (command, found)


def _speaks(url: str, targets: Sequence[Target]) -> bool:
    """Whether this address is one of a few servers with hostile words (the last in the list)."""
    urls = [target.url for target in targets]
    return url in urls[-len(ANSWERS) :][:4]


def test_a_title_cannot_become_a_formula(ran: Ran) -> None:
    titles = [
        step.title
        for measurement in read_run(Path(ran.folder)).measurements
        for step in measurement.observations
        if isinstance(step, HttpStep) and step.title
    ]
    assert any(title.startswith(FORMULA) for title in titles)
    assert any(STEERING.search(title) for title in titles)
    text = render(pd.DataFrame({"title": titles}), "csv").decode()
    assert not re.search(r'^"?[=+@]', text, re.M)
    assert STEERING.search(text) is None
