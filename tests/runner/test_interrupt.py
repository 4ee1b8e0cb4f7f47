"""Ctrl-C ends the real program at once, wherever a run is, and leaves a valid, shorter run."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from blockwatch.lab.build import build_world
from blockwatch.lab.running import RunningLab, start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.store import find_runs, read_run
from tests.lab_ready import needs_lab

pytestmark = needs_lab

AT_ONCE_S = 2.0
SITES = ("o41", "ca-ip-rst", "tm-http-rst")  # clean; reset when dialled; reset when asked


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with start(build_world([row for row in SCENARIOS if row.id in SITES], name="interrupt")) as running:
        yield running


def lines_of(results):
    runs = find_runs([results]) if results.is_dir() else []
    return (runs[0] / "measurements.jsonl").read_bytes().splitlines() if runs else []


def first_pass(results):
    return len(lines_of(results)) >= 1


def follow_ups(results):
    """The clean site is done, the others are being followed up."""
    return len(lines_of(results)) >= 2


def re_tests(results):
    """Every site has its first line, the re-tests have begun."""
    return len(lines_of(results)) >= 1 + len(SITES)


@pytest.mark.parametrize(
    ("moment", "wait"), [(first_pass, 0.0), (first_pass, 0.3), (follow_ups, 0.5), (re_tests, 0.5)]
)
def test_ctrl_c_ends_the_program_at_once(lab, tmp_path, moment, wait):
    results = tmp_path / "results"
    process = lab.popen(
        [sys.executable, "-m", "blockwatch", "run", *lab.run_options(), "--results", str(results), "--quiet"],
        env={"BLOCKWATCH_STATE": str(tmp_path / "state")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not moment(results) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(wait)
    process.send_signal(signal.SIGINT)
    told = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - told < AT_ONCE_S
    assert process.returncode == 3, errors
    (folder,) = find_runs([results])
    run = read_run(folder)
    measurements = list(run.measurements)
    assert run.notes == []
    assert (run.close.reason, run.close.planned) == ("interrupted", len(SITES))
    assert run.close.measured == len(measurements)
    last = measurements[-1]
    assert (last.stopped, last.attempt) == ("interrupted", "retest" if moment is re_tests else "first")
    assert all(measurement.valid for measurement in measurements)
    assert (folder / "verdicts.jsonl").is_file()
