"""Real runs in the lab, sealed: by which key, chained to what, and unsigned where there can be no key."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blockwatch.evidence.checkpoint import CHECKPOINT_FILE, SSH_FILE, checkpoint_files, read_checkpoint
from blockwatch.evidence.log import log_root
from blockwatch.evidence.note import parse_campaign_key
from blockwatch.evidence.sshsig import is_ssh_signed
from blockwatch.lab.build import build_world
from blockwatch.lab.running import RunningLab, start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.store import find_runs, read_run
from tests.cli.command import BLOCKWATCH, blockwatch, lab_environment
from tests.lab_ready import needs_lab

pytestmark = needs_lab


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    """One clean site."""
    with start(build_world([row for row in SCENARIOS if row.id == "o40"], name="seal")) as running:
        yield running


def run_once(lab: RunningLab, cwd: Path, *more: str) -> tuple[Path, subprocess.CompletedProcess[str]]:
    results = cwd / "results"
    before = set(find_runs([results])) if results.is_dir() else set()
    done = lab.run(
        [*BLOCKWATCH, "run", *lab.run_options(), "--results", str(results), *more],
        env=lab_environment(cwd),
        timeout=120,
    )
    (folder,) = set(find_runs([results])) - before
    return folder, done


def sealed_by(folder: Path) -> str:
    """The key whose seal covers the whole log."""
    run = read_run(folder)
    key = parse_campaign_key(run.open.key or "")
    checkpoint = read_checkpoint(folder / CHECKPOINT_FILE)
    assert checkpoint.signed_by(key) is True
    assert (checkpoint.run, (checkpoint.size, checkpoint.root.hex())) == (run.open.run, log_root(run.log))
    assert is_ssh_signed((folder / CHECKPOINT_FILE).read_bytes(), (folder / SSH_FILE).read_bytes(), key)
    return str(key)


def test_runs_are_sealed_and_chained_by_campaign(lab: RunningLab, tmp_path: Path) -> None:
    first, done = run_once(lab, tmp_path)
    assert done.returncode == 0, done.stderr
    key = sealed_by(first)
    assert (
        f"sealed: {log_root(first / 'measurements.jsonl')[0]} lines by {key.partition('+')[0]}" in done.stdout
    )
    assert blockwatch("key", "show", cwd=tmp_path).stdout.strip() == key
    spring, _ = run_once(lab, tmp_path, "--campaign", "spring", "--quiet")
    assert sealed_by(spring) != key
    assert read_run(spring).open.previous_root is None
    second, _ = run_once(lab, tmp_path, "--quiet")
    assert sealed_by(second) == key
    assert read_run(second).open.previous_root == read_run(first).root()
    assert blockwatch("key", "rotate", cwd=tmp_path).returncode == 0
    third, _ = run_once(lab, tmp_path, "--quiet")
    assert sealed_by(third) != key
    assert read_run(third).open.previous_root is None
    noted = (tmp_path / "state" / "results_folders").read_text()
    assert noted == f"{tmp_path / 'results'}\n"


def test_nothing_of_the_secret_is_in_what_a_run_leaves(lab: RunningLab, tmp_path: Path) -> None:
    folder, done = run_once(lab, tmp_path)
    secret = (tmp_path / "state" / "key").read_text().strip().split("+", 4)[4][4:]
    assert len(secret) > 30
    for path in folder.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0
    assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize("key", ["no place for it", "damaged"])
def test_without_a_key_a_run_is_made_unsigned(lab: RunningLab, tmp_path: Path, key: str) -> None:
    if key == "damaged":
        blockwatch("key", "show", cwd=tmp_path)
        (tmp_path / "state" / "key").write_text("PRIVATE+KEY+torn")
    else:
        (tmp_path / "state").write_text("not a folder")
    folder, done = run_once(lab, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "this run will be unsigned" in done.stderr
    assert "not sealed: whoever can write to this folder" in done.stdout
    run = read_run(folder)
    assert run.open.key is None
    assert checkpoint_files(folder) == []
    assert run.close is not None
    assert run.close.measured > 0


def test_an_interrupted_run_is_sealed_to_its_end(lab: RunningLab, tmp_path: Path) -> None:
    results = tmp_path / "results"
    process = lab.popen(
        [*BLOCKWATCH, "run", *lab.run_options(), "--results", str(results)],
        env=lab_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while process.poll() is None and not (results.is_dir() and find_runs([results])):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    (folder,) = find_runs([results])
    run = read_run(folder)
    assert run.close is not None
    assert sealed_by(folder)
    assert b"sealed: " in out
