"""Reading a run for its meaning tells how far a seal covers it, also while it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from blockwatch.errors import EvidenceError
from blockwatch.evidence.covered import read_covered
from tests.evidence.assets.world import FIRST, OURS, THEIRS, log_of, put_log, replace_in, seal_over, write_run


def test_a_line_is_covered_or_not(tmp_path: Path) -> None:
    run = read_covered(write_run(tmp_path, close=False))
    assert len(list(run.measurements)) == 4
    assert (run.coverage.lines, run.coverage.sealed, run.coverage.key) == (5, 3, OURS.key.name)
    assert [run.coverage.covers(line) for line in (1, 3, 4)] == [True, True, False]
    assert run.coverage.words.startswith("NO SEAL covers lines 4 to 5: ")


def test_it_needs_not_be_read_before(tmp_path: Path) -> None:
    run = read_covered(write_run(tmp_path))
    assert run.coverage.whole
    assert len(list(run.lines())) == 6


def test_a_reading_that_stops_early_says_nothing_yet(tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    replace_in(folder, "measurements.jsonl", b'"us":400000', b'"us":400001')
    run = read_covered(folder)
    next(run.lines())
    with pytest.raises(EvidenceError, match="not those that were sealed"):
        _ = run.coverage


def test_a_seal_that_does_not_hold_is_damage(tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    seal = seal_over(log_of(folder), THEIRS, FIRST).replace(THEIRS.key.name.encode(), OURS.key.name.encode())
    (folder / "checkpoint").write_bytes(seal)
    with pytest.raises(EvidenceError) as raised:
        list(read_covered(folder).measurements)
    assert raised.value.where == f"{folder}/checkpoint"


def test_a_run_that_goes_on_while_it_is_read_is_no_damage(tmp_path: Path) -> None:
    """Between the look at its seals and the end of its log it is sealed further, and ends."""
    folder = write_run(tmp_path)
    lines, last = (
        log_of(folder),
        {name: (folder / name).read_bytes() for name in ("checkpoint", "checkpoint.sig")},
    )
    put_log(folder, lines[:4])
    (folder / "checkpoint.sig").unlink()
    (folder / "checkpoint").write_bytes((folder / "checkpoints" / "3").read_bytes())
    run = read_covered(folder)
    reading = run.lines()
    next(reading)
    put_log(folder, lines)
    for name, content in last.items():
        (folder / name).write_bytes(content)
    list(reading)
    assert run.coverage.sealed == 3
    assert read_covered(folder).coverage.sealed == 6
