"""Kill -9, full and read-only disks, streams that nobody reads: the real program in the lab."""

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
from blockwatch.model import HttpStep
from blockwatch.store import find_runs, read_run
from tests.cli.command import BLOCKWATCH, blockwatch, lab_environment
from tests.lab_ready import needs_lab

pytestmark = needs_lab
KILLS = 10


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    """A few clean sites."""
    rows = [row for row in SCENARIOS if row.id in ("o40", "o41", "chain5")]
    with start(build_world(rows, name="disk")) as running:
        yield running


def test_killed_at_any_moment_a_run_is_a_valid_shorter_one(lab: RunningLab, tmp_path: Path) -> None:
    results = tmp_path / "results"
    for number in range(KILLS):
        process = lab.popen(
            [*BLOCKWATCH, "run", *lab.run_options(), "--results", str(results), "--quiet"],
            env=lab_environment(tmp_path),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=0.3 + number * 0.1)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=30) in (-signal.SIGKILL, 0)
    folders = find_runs([results])
    assert folders
    for folder in folders:
        run = read_run(folder)
        kept = list(run.measurements)
        assert [m.seq for m in kept] == list(range(1, len(kept) + 1))
        for m in kept:
            for step in m.observations:
                if isinstance(step, HttpStep) and step.response is not None:
                    assert run.body(m, step) is not None
    assert any(read_run(folder).close is None for folder in folders)
    judged = blockwatch("judge", "--json", results, cwd=tmp_path)
    assert judged.returncode == 0, judged.stderr
    assert all(json.loads(line)["state"] in ("ok", "inconclusive") for line in judged.stdout.splitlines())
    last = _run(lab, tmp_path, 'exec "$@"', results)  # the lock of the killed ones is gone
    assert last.returncode == 0, last.stderr


@pytest.mark.parametrize(
    ("mount", "words"),
    [("size=4k", "no room"), ("size=20k", "no room"), ("ro", "cannot be written to")],
)
def test_a_disk_that_takes_nothing_more_is_exit_5(
    lab: RunningLab, tmp_path: Path, mount: str, words: str
) -> None:
    results = tmp_path / "results"
    results.mkdir()
    # An ordinary user may mount only in a user namespace where it is root.
    inner = f"""'mount -t tmpfs -o {mount} none "$0" && exec "$@"'"""
    done = _run(lab, tmp_path, f'exec unshare -Urm sh -c {inner} "{results}" "$@"', results)
    assert done.returncode == 5, done.stderr
    assert words in done.stderr
    assert "--results" in done.stderr
    assert "Traceback" not in done.stderr


def test_streams_that_nobody_reads_end_no_run(lab: RunningLab, tmp_path: Path) -> None:
    for number, (script, code) in enumerate((
        ('exec "$@" >&- 2>&- <&-', 0),
        ('"$@" --max-minutes 0.001 2>&1 | head -c 1', 0),  # the pipe's code
        ('exec "$@" --max-minutes 0.001 >/dev/null 2>/dev/full', 3),
        ('exec "$@" --max-minutes 0.001 >/dev/full', 5),
    )):  # fmt: skip
        results = tmp_path / f"{number} ü \n results"
        done = _run(lab, tmp_path, script, results)
        assert done.returncode == code, (script, done.stderr)
        (folder,) = find_runs([results])
        close = read_run(folder).close
        assert close is not None, script
        assert close.reason == ("time" if number else "done")
        assert (folder / "verdicts.jsonl").is_file()


def _run(lab: RunningLab, here: Path, script: str, results: Path) -> subprocess.CompletedProcess[str]:
    """Run ``script`` in a shell where "$@" is the whole command; a hang fails."""
    began = time.monotonic()
    done = lab.run(
        ["sh", "-c", script, "sh", *BLOCKWATCH, "run", *lab.run_options(), "--results", str(results)],
        env=lab_environment(here),
        timeout=60,
    )
    assert time.monotonic() - began < 45
    return done
