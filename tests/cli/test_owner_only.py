"""Everything that is written is for its owner alone, even where the system's mask would let all read it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blockwatch.evidence.timestamps import keep_stamp
from blockwatch.host.consent import keep
from blockwatch.host.folders import note_folder
from blockwatch.host.last_run import LastRun, remember
from blockwatch.store import ResultsLock

from .command import BLOCKWATCH, kept_run


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """A mask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


def for_others(*folders: Path) -> dict[str, str]:
    """What others may read, write or enter, in and with these folders."""
    paths = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    assert len(paths) > len(folders)
    modes = {str(path): path.lstat().st_mode & 0o777 for path in paths}
    return {path: oct(mode) for path, mode in modes.items() if mode & 0o077}


def test_a_crash_leaves_no_memory_behind() -> None:
    """Neither in a file nor with a program that collects cores: to Linux that is a limit of 1."""
    asked = (
        "import resource, sys; from blockwatch.cli.main import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] in ("(1, 1)", "(0, 0)")


def test_of_the_library(tmp_path, monkeypatch):
    results, state = tmp_path / "results", tmp_path / "state"
    monkeypatch.setenv("BLOCKWATCH_STATE", str(state))
    with ResultsLock(results):
        folder = kept_run(results)
    kept_run(tmp_path / "unlocked")
    keep_stamp(folder, "some.tsr", b"x")
    note_folder(results)
    keep(1)
    remember(LastRun(started=0, ended=1, reason="done", exit_code=0, planned=1, measured=1))
    assert for_others(results, tmp_path / "unlocked", state) == {}


def run(tmp_path: Path, *arguments: str | Path, code: int = 0) -> str:
    done = subprocess.run(
        [*BLOCKWATCH, *map(str, arguments)],
        cwd=tmp_path,
        env={"BLOCKWATCH_STATE": str(tmp_path / "state"), "TMPDIR": str(tmp_path / "temporary")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def test_of_the_commands(tmp_path):
    (tmp_path / "temporary").mkdir(mode=0o700)
    folder = kept_run(tmp_path / "results")
    run(tmp_path, "bundle", "results", "-o", "whole")
    stamped = kept_run(tmp_path / "stamped", run="fedcba9876543210")
    keep_stamp(stamped, "no-stamp.tsr", os.urandom(30_000))
    run(tmp_path, "bundle", stamped, "-o", "cut", "--split", "0.01")
    run(tmp_path, "bundle", "results", "-o", "pages.wacz", "--wacz")
    run(tmp_path, "import", "whole", "--results", "imported")
    parts = sorted(tmp_path.glob("cut.*"))
    assert len(parts) > 1
    run(tmp_path, "import", parts[0], "--results", "waiting", code=3)
    run(tmp_path, "import", *parts, "--results", "joined", code=9)  # that stamp is none
    for form in ("jsonl", "csv", "ooni"):
        run(tmp_path, "export", "results", "--format", form, "-o", f"out.{form}")
    run(tmp_path, "import", "out.ooni", "--format", "ooni", "--results", "from-ooni")
    run(tmp_path, "key", "show")
    run(tmp_path, "forget", folder, "--yes")
    assert (tmp_path / "results" / "forgotten").is_dir()
    assert (tmp_path / "waiting" / ".parts").is_dir()
    assert list((tmp_path / "joined" / "aside").iterdir())
    assert list((tmp_path / "imported" / "receipts").iterdir())
    shutil.rmtree(tmp_path / "temporary")
    left = list(tmp_path.iterdir())
    assert len(left) > 12
    assert for_others(*left, tmp_path / "state") == {}
