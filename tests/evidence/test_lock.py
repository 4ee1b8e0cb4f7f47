"""Two runs at once."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from blockwatch.errors import DiskError, Exit, LockedError
from blockwatch.store import ResultsLock

HOLDER = (
    "import sys; from pathlib import Path; from blockwatch.store import ResultsLock\n"
    "ResultsLock(Path(sys.argv[1])).acquire(); print('held', flush=True); sys.stdin.read()"
)


def holder(results: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(results)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_run_hears_who_is_first(tmp_path: Path) -> None:
    results = tmp_path / "new" / "results"
    with holder(results) as first:
        with pytest.raises(LockedError) as caught:
            ResultsLock(results).acquire()
        assert f"process {first.pid} since 20" in str(caught.value)
        assert caught.value.exit_code == Exit.LOCKED
        first.kill()
    with ResultsLock(results):  # what a killed run left is no obstacle
        assert f"process {os.getpid()} since " in (results / ".lock").read_text()
        with pytest.raises(LockedError, match=f"process {os.getpid()} "):
            ResultsLock(results).acquire()
    assert (results / ".lock").read_text() == ""


def test_old_text_means_nothing(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("process 1 since 2020-01-01 00:00:00 UTC\n")
    lock = ResultsLock(tmp_path)
    lock.acquire()
    lock.release()
    lock.release()
    with lock:
        pass


def test_no_place_for_a_lock(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError):
        ResultsLock(tmp_path / "file" / "results").acquire()


def test_a_lock_deleted_before_it_is_taken_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds a file that has no name any more would hold nobody off."""
    real = fcntl.flock
    calls: list[int] = []

    def flock(descriptor: int, how: int) -> None:
        if not calls:
            (tmp_path / "results" / ".lock").unlink()
            (tmp_path / "results").rmdir()
        calls.append(how)
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with ResultsLock(tmp_path / "results"):
        assert len(calls) == 2
        assert f"process {os.getpid()}" in (tmp_path / "results" / ".lock").read_text()
        with pytest.raises(LockedError):
            ResultsLock(tmp_path / "results").acquire()


def test_a_lock_is_removed_while_it_is_held(tmp_path: Path) -> None:
    lock = ResultsLock(tmp_path)
    lock.acquire()
    lock.remove()
    assert list(tmp_path.iterdir()) == []
    with ResultsLock(tmp_path):
        lock.release()
