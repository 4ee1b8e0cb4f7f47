"""Whoever has a file can write more into it: what a stranger added to a seal does no harm to it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.evidence.reading import find_runs
from blockwatch.evidence.verify import Reader, verify_run
from tests.evidence.collector import begun, calendar_proof, come, sealed

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
