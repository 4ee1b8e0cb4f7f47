"""Whoever has a file can write more into it: what a stranger added to a seal does no harm to it,
and neither does a second signature that does not hold.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.evidence.covered import read_covered
from blockwatch.evidence.reading import find_runs
from blockwatch.evidence.report import Level
from blockwatch.evidence.signing import new_signer
from blockwatch.evidence.verify import Reader, verify_run
from tests.cli.command import blockwatch
from tests.evidence.checker import ask
from tests.evidence.collector import begun, calendar_proof, come, contents, made, sealed, take

JUNK = b"\xe2\x80\x94 someone AAAAAAAA\nand\n\nmore"


@pytest.mark.parametrize("which", ["first", "then"])
def test_what_a_stranger_adds_to_a_seal_contradicts_nothing(tmp_path: Path, which: str) -> None:
    """Whoever comes first with it keeps out neither the genuine copy nor a stamp over the genuine seal."""
    first, then = sealed(tmp_path / "a", 2), sealed(tmp_path / "b", 2)
    genuine = (first / "checkpoint").read_bytes()
    junk = first if which == "first" else then
    (junk / "checkpoint").write_bytes(genuine + JUNK)
    (then / "timestamps").mkdir()
    (then / "timestamps/x.ots").write_bytes(calendar_proof(sha256(genuine).digest(), b"\0" * 16))
    receipt, before, after = come(tmp_path, first, then)
    assert [(run.outcome, run.left_out) for run in receipt.runs] == [("added to", ())]
    assert before.items() <= after.items()
    (kept,) = find_runs([tmp_path / "collected"])
    assert verify_run(kept, Reader()).report.findings == ()


def test_what_a_stranger_adds_to_a_seal_is_not_taken_over(tmp_path: Path) -> None:
    whole = sealed(tmp_path / "whole", 3)
    genuine = (whole / "checkpoint").read_bytes()
    short = begun(whole, tmp_path / "short", 2, 2)
    earlier = (short / "checkpoint").read_bytes()
    (short / "checkpoint").write_bytes(earlier + JUNK)
    (whole / "checkpoint").write_bytes(genuine + JUNK)
    receipt, _, _ = come(tmp_path, short, whole)
    assert [run.outcome for run in receipt.runs] == ["extended"]
    (kept,) = find_runs([tmp_path / "collected"])
    assert (kept / "checkpoint").read_bytes() == genuine
    assert (kept / "checkpoints" / "2").read_bytes() == earlier
    assert (
        verify_run(kept, Reader()).report.notes
        == verify_run(sealed(tmp_path / "c", 3), Reader()).report.notes
    )


SECOND = "checkpoint.sig"


def spoilt(run: Path) -> Path:
    (run / SECOND).write_bytes(new_signer().ssh(b"something else"))
    return run


@pytest.mark.parametrize("how", ["by another key", "a link", "a pipe", "no seal", "no key"])
def test_a_bad_second_signature_says_nothing_against_the_run(tmp_path: Path, how: str) -> None:
    run = spoilt(made(tmp_path, 2) if how == "no key" else sealed(tmp_path, 2))
    if how in ("a link", "a pipe"):
        (run / SECOND).unlink()
        (run / SECOND).symlink_to("checkpoint") if how == "a link" else os.mkfifo(run / SECOND)
    elif how == "no seal":
        (run / "checkpoint").unlink()
    level = Level.UNSIGNED if how.startswith("no ") else Level.SEALED
    report = verify_run(run, Reader()).report
    assert [(found.kind, found.where) for found in report.findings] == [("signature", SECOND)]
    assert (report.sound, report.level, report.reaches(level)) == (True, level, True)
    code, (told,) = ask(run)
    assert (code, told.grade) == (0, str(level))  # the second checker leaves it to OpenSSH
    assert read_covered(run).coverage.sealed == (4 if level.rank else 0)
    done = blockwatch("verify", run, cwd=tmp_path)
    assert done.returncode == 9
    assert "BAD SECOND SIGNATURE (it says nothing against the run)" in done.stdout


def test_a_bad_second_signature_keeps_no_good_one_out(tmp_path: Path) -> None:
    first, then = spoilt(sealed(tmp_path / "a", 2)), sealed(tmp_path / "b", 2)
    receipt, before, after = come(tmp_path, first, then)
    assert [(run.outcome, run.left_out) for run in receipt.runs] == [("added to", ())]
    (aside,) = [name for name in before if name.startswith("aside/")]
    assert aside.endswith(f"/{SECOND}")
    (kept,) = find_runs([tmp_path / "collected"])
    assert after == before | {f"{kept.name}/{SECOND}": (then / SECOND).read_bytes()}
    assert verify_run(kept, Reader()).report.findings == ()

    (again,) = take(tmp_path / "0.tar.gz", tmp_path / "collected").runs
    assert (again.outcome, again.left_out, contents(tmp_path / "collected")) == (
        "there already",
        (SECOND,),
        after,
    )

    bad = spoilt(kept)
    (mended,) = take(tmp_path / "1.tar.gz", tmp_path / "collected").runs
    assert (mended.outcome, mended.left_out) == ("added to", (SECOND,))
    assert (bad / SECOND).read_bytes() == (then / SECOND).read_bytes()
    assert len([name for name in contents(tmp_path / "collected") if name.startswith("aside/")]) == 2
