"""``blockwatch run --encrypt-to`` in the lab, and the way of such a run to whoever holds the key."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from blockwatch.evidence.rootnote import read_root
from blockwatch.lab.build import build_world
from blockwatch.lab.running import RunningLab, start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.store import find_runs, read_run
from tests.cli.command import BLOCKWATCH, blockwatch, kept_run, lab_environment
from tests.lab_ready import needs_lab

pytestmark = needs_lab
MINE = pyrage.x25519.Identity.generate()
TO = ["--encrypt-to", str(MINE.to_public())]


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    rows = [row for row in SCENARIOS if row.id in ("o40", "o41", "ca-ip-rst")]
    with start(build_world(rows, name="cli")) as running:
        yield running


@pytest.fixture(scope="module")
def whole(lab: RunningLab, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where a whole run was made, and what it said."""
    here = tmp_path_factory.mktemp("whole")
    done = run(lab, here, "--label", "secretlabel", "--campaign", "secretcampaign")
    assert done.returncode == 0, done.stderr
    return here, done.stdout


def copied(whole: tuple[Path, str], here: Path) -> tuple[Path, str]:
    """The folder of a copy of it below ``here``, with its keys, and what it said."""
    shutil.copytree(whole[0], here, dirs_exist_ok=True)
    (folder,) = (path for path in (here / "results").iterdir() if path.is_dir())
    return folder, whole[1]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.txt"
    path.write_text(f"{MINE}\n")
    return path


def run(lab: RunningLab, here: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return lab.run(
        [*BLOCKWATCH, "run", *lab.run_options(), "--results", str(here / "results"), *TO, *words],
        env=lab_environment(here), timeout=120,
    )  # fmt: skip


def imported(here: Path, key: Path, source: Path | str) -> Path:
    done = blockwatch("import", source, "--identity", key, "--results", "collected", cwd=here)
    assert done.returncode == 0, done.stderr
    (folder,) = find_runs([here / "collected"])
    return folder


def test_a_run_that_this_machine_cannot_read(
    lab: RunningLab, whole: tuple[Path, str], tmp_path: Path, key: Path
) -> None:
    folder, told = copied(whole, tmp_path)
    assert "reachable" in told
    assert "blocking" in told
    assert "encrypted: only whoever holds the secret key can read it" in told
    assert sorted(path.name for path in folder.iterdir()) == ["root", "run.age"]
    last = json.loads((tmp_path / "state" / "last_run.json").read_text())
    assert last["measured"] == last["planned"]  # it does not tell that blocked sites were measured twice
    readable = b"".join(
        path.name.encode() + path.read_bytes() for path in (tmp_path / "results").rglob("*") if path.is_file()
    )
    for word in (b"secretlabel", b"secretcampaign", b"http", *(host.encode() for host in hosts(lab))):
        assert word not in readable
    for command in (["judge", "results"], ["judge", folder], ["verify", folder], ["summarise", "results"]):
        refused = blockwatch(*command, cwd=tmp_path)
        assert refused.returncode == 2, refused.stderr
        assert "--identity FILE" in refused.stderr
    kept = imported(tmp_path, key, folder)
    assert "secretlabel" in kept.name
    checked = blockwatch("verify", kept, "--require", "sealed", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    judged = blockwatch("judge", kept, cwd=tmp_path)
    table = [line for line in told.splitlines() if "reachable" in line or "blocking" in line]
    assert len(table) >= 3
    assert all(line in judged.stdout for line in table)
    noted = read_root(folder)
    assert noted is not None
    assert noted.root == read_run(kept).root()


def hosts(lab: RunningLab) -> set[str]:
    return {url.partition("://")[2].split("/")[0] for truth in lab.truths for url in [truth.url]}


def test_it_can_be_handed_on_in_parts(whole: tuple[Path, str], tmp_path: Path, key: Path) -> None:
    folder, _ = copied(whole, tmp_path)
    done = blockwatch("bundle", folder, "--split", "0.01", "-o", "x", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    parts = done.stdout.split()
    assert len(parts) > 1
    assert (folder / "exported").is_file()
    came = blockwatch("import", *parts, "--identity", key, "--results", "collected", "--json", cwd=tmp_path)
    assert came.returncode == 0, came.stderr
    receipt = json.loads(came.stdout)
    assert (receipt["encrypted"], receipt["runs"][0]["outcome"]) == (True, "new")
    again = imported(tmp_path, key, folder)
    assert again.name == receipt["runs"][0]["folder"]
    alone = blockwatch("bundle", "results", "-o", "y", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    assert (tmp_path / "y").read_bytes() == (folder / "run.age").read_bytes()
    for words in (["--wacz"], TO):
        refused = blockwatch("bundle", folder, *words, cwd=tmp_path)
        assert refused.returncode == 2
        assert "goes into a file of its own" in refused.stderr
    kept_run(tmp_path / "results")
    mixed = blockwatch("bundle", "results", "-o", "z", cwd=tmp_path)
    assert mixed.returncode == 0
    assert f"{folder.name} (encrypted)" in mixed.stderr
    assert "1 run," in mixed.stderr
    for words in (["judge"], ["summarise"], ["verify"]):
        told = blockwatch(*words, "results", cwd=tmp_path)
        assert told.returncode == 0, told.stderr
        assert f"left out, as it is encrypted: results/{folder.name}" in told.stderr


def test_stopped_early_and_out_of_time(lab: RunningLab, tmp_path: Path, key: Path) -> None:
    process = lab.popen(
        [*BLOCKWATCH, "run", *lab.run_options(), "--results", str(tmp_path / "results"), "--quiet", *TO],
        env=lab_environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while not list((tmp_path / "results").glob("2*/run.age")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 3, errors
    (folder,) = (tmp_path / "results").glob("2*")
    close = read_run(imported(tmp_path, key, folder)).close
    assert close is not None
    assert close.reason == "interrupted"
    limited = run(lab, tmp_path / "limited", "--max-minutes", "0.01")
    assert limited.returncode == 3, limited.stderr
    assert "--max-minutes" in limited.stderr


def test_a_limit_of_megabytes_holds_and_what_was_measured_is_whole(
    lab: RunningLab, tmp_path: Path, key: Path
) -> None:
    limited = run(lab, tmp_path, "--max-mb", "0.02")
    assert limited.returncode == 3, limited.stderr
    assert "--max-mb" in limited.stderr
    (folder,) = (path for path in (tmp_path / "results").iterdir() if path.is_dir())
    kept = imported(tmp_path, key, folder)
    close = read_run(kept).close
    assert close is not None
    assert close.reason == "budget"
    checked = blockwatch("verify", kept, "--require", "sealed", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_key_that_is_none_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    for command in ("plan", "run"):
        done = blockwatch(command, "--encrypt-to", "age1nonsense", cwd=tmp_path)
        assert done.returncode == 2
        assert "is no age key" in done.stderr
