"""The command where there is a network: whole runs in the lab."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blockwatch.lab.build import build_world
from blockwatch.lab.running import RunningLab, start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.store import ResultsLock, find_runs, read_run
from tests.cli.command import BLOCKWATCH, lab_environment
from tests.lab_ready import needs_lab

pytestmark = needs_lab


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    """Three sites: two clean ones, and one whose connections are refused by a censor."""
    rows = [row for row in SCENARIOS if row.id in ("o40", "o41", "ca-ip-rst")]
    with start(build_world(rows, name="cli")) as running:
        yield running


def ran(lab: RunningLab, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return lab.run([*BLOCKWATCH, *arguments], env=lab_environment(tmp_path), timeout=120)


def test_a_run_measures_keeps_and_says(lab: RunningLab, tmp_path: Path) -> None:
    results = str(tmp_path / "results")
    done = ran(
        lab, tmp_path, "run", *lab.run_options(), "--results", results, "--label", "a b", "--isp", "Some ISP"
    )
    assert done.returncode == 0, done.stderr
    (folder,) = find_runs([Path(results)])
    assert f"evidence: {folder}" in done.stdout
    assert "reachable" in done.stdout
    assert "blocking" in done.stdout
    run = read_run(folder)
    assert run.open.consent is not None
    assert run.open.vantage.declared_isp == "Some ISP"
    assert run.close is not None
    assert run.close.reason == "done"
    assert "-a-b-" in folder.name
    kept = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    judged = ran(lab, tmp_path, "judge", "--json", str(folder)).stdout.splitlines()
    assert [{**verdict, "sealed": True} for verdict in kept] == [json.loads(line) for line in judged]
    assert (folder / "run.json").is_file()
    last = json.loads((tmp_path / "state" / "last_run.json").read_text())
    assert (last["exit_code"], last["reason"]) == (0, "done")
    assert not {"run", "folder"} & last.keys()

    options = ["--results", results, "--ca-file", str(lab.ca_file), "--yes", "--quiet"]
    again = ran(lab, tmp_path, "retest", "--from", str(folder), *options)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    second = read_run(find_runs([Path(results)])[-1])
    assert second.open.retest_of == run.open.run
    assert second.open.previous_root == run.root()
    assert len(second.open.targets) == 1
    assert second.open.helpers == run.open.helpers


def test_a_second_run_in_one_folder_is_refused(lab: RunningLab, tmp_path: Path) -> None:
    results = tmp_path / "results"
    with ResultsLock(results):
        done = ran(lab, tmp_path, "run", *lab.run_options(), "--results", str(results))
    assert done.returncode == 7
    assert "another run is going on" in done.stderr
    assert not find_runs([results])


def test_stopped_early_is_a_valid_shorter_run(lab: RunningLab, tmp_path: Path) -> None:
    results = tmp_path / "results"
    process = lab.popen(
        [*BLOCKWATCH, "run", *lab.run_options(), "--results", str(results), "--quiet"],
        env=lab_environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while not (results.is_dir() and find_runs([results])) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    told = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - told < 5
    assert process.returncode == 3, errors
    (folder,) = find_runs([results])
    close = read_run(folder).close
    assert close is not None
    assert close.reason == "interrupted"
    assert (folder / "verdicts.jsonl").is_file()


def test_limits_end_a_run_as_partial(lab: RunningLab, tmp_path: Path) -> None:
    results = tmp_path / "results"
    done = ran(lab, tmp_path, "run", *lab.run_options(), "--results", str(results), "--max-minutes", "0.01")
    assert done.returncode == 3, done.stderr
    assert "--max-minutes" in done.stderr


def test_any_program_runs_in_a_scenario_and_its_exit_code_passes_on(tmp_path: Path) -> None:
    script = 'test -n "$BLOCKWATCH_LAB_URLS" && test -f "$BLOCKWATCH_LAB_CA" && exit 41'
    done = subprocess.run(
        [*BLOCKWATCH, "lab", "run", "o41", "--", "sh", "-c", script],
        env=lab_environment(tmp_path), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 41, done.stderr
