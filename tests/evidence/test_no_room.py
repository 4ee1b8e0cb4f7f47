"""Disks that are full, read-only, or take nothing: what was kept stays, and nothing is claimed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blockwatch.store import RunWriter, find_runs, read_run
from tests.evidence.made import make_run, measured, run_close, run_open
from tests.evidence.survived import ROOT, WRITER, check, check_seal, numbers


@pytest.mark.parametrize("limit", [100, 2_000, 20_000, 60_000, 61_234, 250_000])
@pytest.mark.parametrize("sealed", ["", "sealed"])
def test_no_room(tmp_path: Path, limit: int, sealed: str) -> None:
    """Files may not grow beyond ``limit`` (EFBIG, like a full disk)."""
    done = subprocess.run(
        [*WRITER, str(tmp_path), "0" * 16, "60", str(limit), "0", sealed], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert b"there is no room to write" in done.stdout
    assert b"Free some space" in done.stdout
    runs = find_runs([tmp_path])
    if not done.stdout.startswith(b"folder "):
        assert list(tmp_path.iterdir()) == []
        return
    (folder,) = runs
    run = read_run(folder)
    assert check(run, numbers(done.stdout)) == numbers(done.stdout)
    assert run.notes == [] or run.close is None
    assert bool(check_seal(run)) == (bool(sealed) and limit > 300)
    make_run(tmp_path, 1, run="f" * 16)


def in_namespace(script: str, *arguments: str) -> bytes:
    """Run a shell script in a mount namespace of its own, as root or as an ordinary user; in CI always."""
    refused = shutil.which("unshare") is None or subprocess.run(["unshare", "-Urm", "true"]).returncode
    if refused and os.environ.get("CI") != "true":
        pytest.skip("this kernel does not let us make a user namespace")
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-ec", script, "sh", *arguments], stdout=subprocess.PIPE, cwd=ROOT
    )
    return done.stdout


def test_full_disk(tmp_path: Path) -> None:
    """A disk of 400 KiB: ENOSPC in the middle; what is there is read before the disk goes."""
    (tmp_path / "disk").mkdir()
    script = (
        'mount -t tmpfs -o size=400k none "$1/disk"; '
        '"$2" -m tests.evidence.writer "$1/disk" 0000000000000000 200 0 0 sealed; cp -r "$1/disk" "$1/copy"'
    )
    output = in_namespace(script, str(tmp_path), sys.executable)
    assert b"no space left on device" in output
    (folder,) = find_runs([tmp_path / "copy"])
    kept = check(read_run(folder), numbers(output))
    assert kept == numbers(output)
    assert len(kept) > 10
    assert check_seal(read_run(folder)) > 10
    assert not list(folder.rglob("*.part"))


def test_read_only_disk(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o ro none "$1"; "$2" -m tests.evidence.writer "$1/results" 0000000000000000 2'
    output = in_namespace(script, str(tmp_path), sys.executable)
    assert b"cannot be written to (read-only file system)" in output
    assert b"Name a place of your own with --results or -o." in output


def test_evidence_on_a_medium_that_cannot_be_written_to(tmp_path: Path) -> None:
    """A write-protected stick: it is bundled and checked all the same."""
    make_run(tmp_path / "disk", 2)
    script = (
        'mount --bind "$1/disk" "$1/disk"; mount -o remount,bind,ro "$1/disk"; '
        '! touch "$1/disk/x" 2>/dev/null; "$2" -m blockwatch bundle "$1/disk" -o "$1/out" 2>&1; '
        '"$2" -m blockwatch verify "$1/disk" 2>&1; echo done'
    )
    output = in_namespace(script, str(tmp_path), sys.executable)
    assert output.endswith(b"done\n"), output
    assert b"fault" not in output
    assert (tmp_path / "out").stat().st_size > 1_000


def test_disk_that_takes_nothing(tmp_path: Path) -> None:
    """``/dev/full`` in place of the log from the second measurement on: nothing is claimed."""
    writer = RunWriter(tmp_path)
    writer.open(run_open())
    writer.write(measured(1))
    kept = (writer.folder / "measurements.jsonl").read_bytes()
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._shelf._log._descriptor)
    os.close(full)
    futures = [writer.submit(measured(seq)) for seq in (2, 3, 4)]
    for future in futures:
        assert "no space left" in str(future.exception(timeout=30))
    assert writer.failed is not None
    assert "no space left" in str(writer.submit_close(run_close()).exception(timeout=30))
    assert (writer.folder / "measurements.jsonl").read_bytes() == kept
    assert check(read_run(writer.folder), {1}) == {1}
