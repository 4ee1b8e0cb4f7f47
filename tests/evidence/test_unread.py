"""Evidence that whoever checks it may merely not read: nothing is said against it, nor is it left out."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blockwatch.evidence.receipt import Receipt, write_receipt
from blockwatch.evidence.tombstone import forget_run
from tests.evidence.assets.world import FIRST, HOUR, OURS, SECOND, STARTED, write_run
from tests.evidence.checker import CHECKER

LAST = "c" * 16


def without_rights() -> None:
    """Take from the administrator, who may run the tests, the right to read what only others may."""
    libc = ctypes.CDLL(None)
    for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, right, 0, 0, 0)  # PR_CAPBSET_DROP: counts from the next program on


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, preexec_fn=without_rights)


def both(path: Path) -> tuple[subprocess.CompletedProcess[str], subprocess.CompletedProcess[str]]:
    return run("-m", "blockwatch", "verify", path), run(CHECKER, path)


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Path]:
    """A chain of three runs, of which the first was forgotten; and something came by import."""
    folder = tmp_path / "results"
    for number, name in enumerate((FIRST, SECOND, LAST)):
        write_run(folder, name, started=STARTED + number * HOUR)
    forget_run(folder / f"20200101T000000Z-home-{FIRST}", OURS, "2026-11-22T06:40:00Z")
    receipt = Receipt(
        kind="blockwatch receipt", received="2026-11-22T06:40:00Z", software="x", sha256="0" * 64, bytes=1
    )
    write_receipt(folder, receipt)
    (folder / f"20200101T010000Z-home-{SECOND}" / "timestamps").mkdir()
    yield folder
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700)


IN_A_RUN = ("", "/measurements.jsonl", "/bodies.warc.gz", "/checkpoint", "/checkpoints", "/checkpoints/3",
            "/checkpoint.sig", "/timestamps")  # fmt: skip
PLACES = (
    *(f"20200101T010000Z-home-{SECOND}{place}" for place in IN_A_RUN),
    "forgotten", f"forgotten/{FIRST}", "receipts", f"receipts/{'0' * 32}.json", "",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_what_may_not_be_read_is_not_damaged(results: Path, place: str) -> None:
    (results / place).chmod(0)
    ours, theirs = both(results)
    assert ours.returncode in ((3,) if place else (2, 3)), ours
    assert not any(word in ours.stdout for word in ("DAMAGED", "CONTRADICTION")), ours.stdout
    assert "Traceback" not in ours.stderr + theirs.stderr
    if place:
        assert ours.stdout.count("NOT READ") == 1, ours.stdout
        assert "  sealed" in ours.stdout  # of the other run
    unused = place.endswith(".sig")  # OpenSSH checks that
    assert theirs.returncode == (0 if unused else 9)
    assert unused or ("WRONG" in theirs.stdout and "Permission" in theirs.stdout)


@pytest.mark.parametrize("place", ["run.json", "verdicts.jsonl"])
def test_nor_is_what_was_made_of_it(results: Path, place: str) -> None:
    """The second checker reads neither."""
    (results / f"20200101T010000Z-home-{SECOND}" / place).chmod(0)
    ours, theirs = both(results)
    assert (ours.returncode, theirs.returncode) == (3, 0)
    assert "NOT READ: " + place in ours.stdout


def test_what_is_missing_is_not_known_where_something_may_not_be_read(results: Path) -> None:
    (results / f"20200101T010000Z-home-{SECOND}").chmod(0)
    done, theirs = both(results)
    assert "the run before it is not among those that may be read here" in done.stdout
    assert theirs.returncode == 9


def test_damage_weighs_more(results: Path) -> None:
    (results / f"20200101T010000Z-home-{SECOND}").chmod(0)
    (results / f"20200101T020000Z-home-{LAST}" / "checkpoint").write_bytes(b"x")
    assert [done.returncode for done in both(results)] == [9, 9]


@pytest.mark.parametrize(
    "words", [("judge",), ("summarise",), ("export", "--format", "jsonl"), ("export", "--format", "csv")]
)
@pytest.mark.parametrize("place", ["", "/measurements.jsonl", "/checkpoint"])
def test_a_run_that_may_not_be_read_is_left_out_and_said_to_be(
    results: Path, words: tuple[str, ...], place: str
) -> None:
    (results / f"20200101T010000Z-home-{SECOND}{place}").chmod(0)
    done = run("-m", "blockwatch", *words, results)
    assert done.returncode == 3, done
    assert "1 run left out that you may not read" in done.stderr
    assert "damaged" not in done.stderr
    assert done.stdout


def test_a_command_for_one_run_says_so(results: Path) -> None:
    folder = results / f"20200101T010000Z-home-{SECOND}"
    (folder / "measurements.jsonl").chmod(0)
    done = run("-m", "blockwatch", "show", f"{SECOND}-000001", "--results", folder)
    assert (done.returncode, done.stdout) == (3, "")
    assert "cannot be read (Permission denied)" in done.stderr
