"""What goes aside lasts, and nothing is deleted because something else lies under its name."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from blockwatch.evidence import disk
from blockwatch.evidence.bundle import list_run
from blockwatch.evidence.copies import cut
from blockwatch.evidence.merge import Kept
from blockwatch.evidence.receipt import Receipt
from tests.evidence.assets.world import write_run
from tests.evidence.collector import BODIES, LOG, SIGNER, Collector, begun, contents, forge, lines, sealed
from tests.evidence.made import RUN


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    return Collector(tmp_path)


def noted(real: Callable[[int], None], synced: set[int]) -> Callable[[int], None]:
    def call(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        real(descriptor)

    return call


def aside_of(receipt: Receipt, collector: Collector) -> Path:
    (run,) = receipt.runs
    place = run.aside or run.folder
    assert place is not None
    return collector.results / place


def goes_on_unsealed(collector: Collector, tmp_path: Path) -> Path:
    """Have a copy come that goes on after its seal: what was kept is extended, all of it goes aside."""
    whole = sealed(tmp_path / "whole", 5)
    collector.take(begun(whole, tmp_path / "first", 2, 2))
    return begun(whole, tmp_path / "then", 6, 4)


def test_what_goes_aside_is_synced_before_the_receipt_says_so(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = goes_on_unsealed(collector, tmp_path)
    synced: set[int] = set()
    monkeypatch.setattr(os, "fsync", noted(os.fsync, synced))
    monkeypatch.setattr(disk, "_sync", noted(disk._sync, synced))
    aside = aside_of(collector.take(then), collector)
    assert (aside / LOG).read_bytes() == (then / LOG).read_bytes()
    for path in (aside.parent.parent, aside.parent, aside, *aside.rglob("*")):
        assert path.stat().st_ino in synced, path


def test_what_a_power_cut_emptied_comes_aside_again(collector: Collector, tmp_path: Path) -> None:
    then = goes_on_unsealed(collector, tmp_path)
    emptied = aside_of(collector.take(then), collector)
    for path in emptied.iterdir():
        path.write_bytes(b"")
    place = aside_of(collector.take(then), collector)
    assert place != emptied
    assert (place / LOG).read_bytes() == (then / LOG).read_bytes()
    before = contents(collector.results)
    assert aside_of(collector.take(then), collector) == place
    assert contents(collector.results) == before


def test_a_replaced_copy_stays_though_its_name_is_taken(collector: Collector, tmp_path: Path) -> None:
    whole = sealed(tmp_path / "whole", 5)
    collector.take(forge(begun(whole, tmp_path / "forged", 4, 0)))
    old = contents(collector.kept)
    taken = Kept(collector.results)._aside_for(list_run(collector.kept, RUN))
    taken.mkdir(parents=True)
    (taken / LOG).write_bytes(b"something else")
    receipt = collector.take(begun(whole, tmp_path / "genuine", 6, 6))
    assert [run.outcome for run in receipt.runs] == ["replaced"]
    assert (taken / LOG).read_bytes() == b"something else"
    assert aside_of(receipt, collector) != taken
    assert contents(aside_of(receipt, collector)) == old


def test_captured_bytes_are_not_replaced_by_fewer(collector: Collector, tmp_path: Path) -> None:
    """Only the last line refers to any, and the other copy is cut before it."""
    whole = write_run(tmp_path / "whole", run=RUN, signer=SIGNER, count=2, invalid=(1,))
    collector.take(begun(whole, tmp_path / "first", 1, 1))
    bodies = (collector.kept / BODIES).read_bytes()
    receipt = collector.take(begun(whole, tmp_path / "then", 3, 2))
    assert [run.outcome for run in receipt.runs] == ["extended"]
    assert len(lines(collector.kept)) == 2
    assert bodies
    assert (collector.kept / BODIES).read_bytes() == bodies


def test_what_is_cut_keeps_the_first_member_of_its_bytes(tmp_path: Path) -> None:
    run = sealed(tmp_path / "whole", 2)
    captured = (run / BODIES).read_bytes()
    cut(run, 1)
    kept = (run / BODIES).read_bytes()
    assert captured.startswith(kept)
    assert zlib.decompress(kept, 31).startswith(b"WARC/1.1\r\nWARC-Type: warcinfo\r\n")


def test_captured_bytes_that_no_line_refers_to_go_aside(collector: Collector, tmp_path: Path) -> None:
    whole = sealed(tmp_path / "whole", 3)
    first = begun(whole, tmp_path / "first", 2, 2)
    cut(first, 2)
    captured = (first / BODIES).read_bytes() + bytes(9_000)
    (first / BODIES).write_bytes(captured)
    collector.take(first)
    receipt = collector.take(whole)
    assert [run.outcome for run in receipt.runs] == ["extended"]
    assert collector.holds(whole)
    assert (collector.kept / BODIES).read_bytes() == (whole / BODIES).read_bytes()
    assert (aside_of(receipt, collector) / BODIES).read_bytes() == captured
