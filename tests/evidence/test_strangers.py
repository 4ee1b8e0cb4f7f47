"""Copies of a run that somebody else may have changed: what of them an import takes, and what not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.evidence import ots, vouchers
from blockwatch.evidence.bundle import Bundle, write_bundle
from blockwatch.evidence.checkpoint import checkpoint_text
from blockwatch.evidence.copies import cut
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.evidence.verify_paths import verify_paths
from blockwatch.store import RunWriter, last_root
from tests.evidence.collector import (
    LOG,
    SIGNER,
    STRANGER,
    Collector,
    begun,
    contents,
    forge,
    lines,
    made,
    outcome,
    sealed,
    take,
)
from tests.evidence.made import RUN, measured, run_close, run_open
from tests.evidence.second_signature import second


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    return Collector(tmp_path)


def test_a_sealed_run_is_not_extended_by_lines_of_a_stranger(collector: Collector, tmp_path: Path) -> None:
    whole = sealed(tmp_path / "whole", 4)
    killed = begun(whole, tmp_path / "killed", 3, 3)
    collector.take(killed)
    before = contents(collector.results)
    invented = forge(begun(whole, tmp_path / "invented", 4, 3))
    receipt = collector.take(invented)
    assert outcome(receipt) == ("aside", True)
    assert "no seal of the run's key covers its last 1 lines" in str(receipt.runs[0].why)
    assert {k: v for k, v in contents(collector.results).items() if not k.startswith("aside/")} == before
    assert outcome(collector.take(whole)) == ("extended", False)
    assert collector.holds(whole)


def test_a_run_that_names_a_key_and_has_no_seal_yet_is_not_extended(
    collector: Collector, tmp_path: Path
) -> None:
    whole = sealed(tmp_path / "whole", 4)
    collector.take(begun(whole, tmp_path / "young", 2, 0))
    assert outcome(collector.take(begun(whole, tmp_path / "older", 4, 0))) == ("aside", True)
    assert len(lines(collector.kept)) == 2
    assert outcome(collector.take(whole)) == ("extended", False)
    assert collector.holds(whole)


def test_only_lines_under_a_seal_are_added(collector: Collector, tmp_path: Path) -> None:
    whole = sealed(tmp_path / "whole", 4)
    cut(short := begun(whole, tmp_path / "short", 2, 2), 2)
    collector.take(short)
    receipt = collector.take(begun(whole, tmp_path / "longer", 5, 4))
    assert outcome(receipt) == ("extended", True)
    assert lines(collector.kept) == lines(whole)[:4]
    report = verify_run(collector.kept, Reader()).report
    assert (report.findings, report.sealed, report.lines) == ((), 4, 4)
    assert not any("captured bytes" in note for note in report.notes)  # those of the fifth line went too
    assert receipt.runs[0].aside is not None
    assert lines(collector.results / receipt.runs[0].aside) == lines(whole)[:5]


def test_seals_are_added_where_lines_are_not(collector: Collector, tmp_path: Path) -> None:
    whole = sealed(tmp_path / "whole", 4)
    collector.take(begun(whole, tmp_path / "short", 3, 2))
    assert outcome(collector.take(begun(whole, tmp_path / "longer", 4, 3))) == ("added to", True)
    assert len(lines(collector.kept)) == 3
    assert verify_run(collector.kept, Reader()).report.sealed == 3


def test_a_longer_copy_whose_end_is_not_sealed_is_named_so(collector: Collector, tmp_path: Path) -> None:
    whole = sealed(tmp_path / "whole", 4)
    collector.take(begun(whole, tmp_path / "longer", 4, 3))
    receipt = collector.take(begun(whole, tmp_path / "short", 3, 3))
    assert outcome(receipt) == ("older", False)
    assert receipt.runs[0].why == "a longer copy is kept here; no seal covers its last 1 lines"


def without_its_key(folder: Path) -> Path:
    first, key = lines(folder)[0], str(SIGNER.key).encode()
    log = (folder / LOG).read_bytes().replace(first, first.replace(b'"key":"' + key + b'",', b""))
    assert key not in log
    (folder / LOG).write_bytes(log)
    return forge(folder, 1)


def with_another_key(folder: Path) -> Path:
    log = (folder / LOG).read_bytes().replace(str(SIGNER.key).encode(), str(STRANGER.key).encode())
    (folder / LOG).write_bytes(log)
    return forge(folder, 1)


FORGED: dict[str, Callable[[Path], Path]] = {
    "the key taken out": without_its_key,
    "a stranger's key, and no seal": with_another_key,
    "the seals taken out": lambda folder: forge(folder, 1),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_copy_without_seals_that_came_first_gives_way(
    collector: Collector, tmp_path: Path, name: str
) -> None:
    whole = sealed(tmp_path / "whole", 3)
    forged = FORGED[name](begun(whole, tmp_path / "forged", 5, 0))
    assert outcome(collector.take(forged)) == ("new", False)
    receipt = collector.take(whole)
    assert outcome(receipt) == ("replaced", True)
    assert collector.holds(whole)
    assert receipt.runs[0].aside is not None
    assert lines(collector.results / receipt.runs[0].aside) == lines(forged)
    assert outcome(collector.take(whole)) == ("there already", False)
    assert outcome(collector.take(forged)) == ("aside", True)
    assert collector.holds(whole)


def test_of_two_copies_the_one_that_is_sealed_further_is_kept(collector: Collector, tmp_path: Path) -> None:
    whole = sealed(tmp_path / "whole", 4)
    collector.take(forge(begun(whole, tmp_path / "forged", 5, 3)))
    assert outcome(collector.take(begun(whole, tmp_path / "later", 5, 3))) == (
        "aside",
        True,
    )  # equally sealed
    assert outcome(collector.take(whole)) == ("replaced", True)
    assert collector.holds(whole)


def test_what_another_key_seals_replaces_nothing_that_is_sealed(collector: Collector, tmp_path: Path) -> None:
    whole = sealed(tmp_path / "whole", 4)
    short = begun(whole, tmp_path / "short", 2, 2)
    collector.take(short)
    theirs = with_another_key(shutil.copytree(whole, tmp_path / "theirs"))
    for name in ("checkpoint", "checkpoint.sig", "run.json"):
        (theirs / name).unlink()
    root = root_of([leaf_hash(line[:-1]) for line in lines(theirs)])
    (theirs / "checkpoint").write_bytes(STRANGER.note(checkpoint_text(RUN, len(lines(theirs)), root)))
    assert verify_run(theirs, Reader()).report.findings == ()
    assert outcome(collector.take(theirs)) == ("aside", True)
    assert collector.holds(short)


def test_a_kept_seal_is_not_lost_to_another_one_over_the_same_lines(
    collector: Collector, tmp_path: Path
) -> None:
    whole = sealed(tmp_path / "whole", 4)
    short = begun(whole, tmp_path / "short", 3, 3)
    newer = shutil.copytree(whole, tmp_path / "newer")
    (newer / "checkpoints").mkdir()
    (newer / "checkpoints" / "3").write_bytes(second((short / "checkpoint").read_bytes(), SIGNER))
    collector.take(short)
    receipt = collector.take(newer)  # sealed further by the run's key
    assert outcome(receipt) == ("replaced", True)
    assert receipt.runs[0].aside is not None
    aside = collector.results / receipt.runs[0].aside
    assert (aside / "checkpoint").read_bytes() == (short / "checkpoint").read_bytes()


def test_an_unsigned_run_goes_on_and_that_is_flagged(collector: Collector, tmp_path: Path) -> None:
    collector.take(made(tmp_path / "short", 2, close=False))
    receipt = collector.take(made(tmp_path / "whole", 4))
    assert outcome(receipt) == ("extended", False)
    assert "cannot be told from invented ones" in str(receipt.runs[0].why)


# Stamps.


def promise(folder: Path, name: str, number: int, over: str = "checkpoint") -> None:
    """A stamp as anybody can make it."""
    proof, end = ots.veiled(sha256((folder / over).read_bytes()).digest(), number.to_bytes(16, "big"))
    end.attestations.append(ots.Attestation(bytes.fromhex("83dfe30d2ef90c8e"), b"\1x"))
    (folder / "timestamps").mkdir(exist_ok=True)
    (folder / "timestamps" / name).write_bytes(ots.write_proof(proof))


def stamps(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "timestamps").iterdir())


def test_strangers_stamps_leave_room_for_others(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vouchers, "MOST_STAMPS", 3)
    whole = sealed(tmp_path / "whole", 2)
    promise(whole, "a.ots", 0)
    collector.take(whole)
    for number in range(1, 5):
        promise(whole, f"x{number}.ots", number)
    receipt = collector.take(whole)
    assert outcome(receipt) == ("added to", True)
    assert stamps(collector.kept) == ["a.ots", "x1.ots", "x2.ots"]
    assert receipt.runs[0].left_out == ("timestamps/x3.ots", "timestamps/x4.ots")
    assert receipt.runs[0].aside is not None
    assert stamps(collector.results / receipt.runs[0].aside) == ["x3.ots", "x4.ots"]
    before = contents(collector.results)
    assert outcome(collector.take(whole)) == ("there already", True)
    assert contents(collector.results) == before


def test_room_for_stamps_is_less_than_a_reader_looks_at() -> None:
    from blockwatch.evidence.timestamps import MAX_STAMPS

    assert vouchers.MOST_STAMPS <= MAX_STAMPS - 64


def test_a_stamp_that_does_not_hold_is_put_aside_and_the_run_is_not(
    collector: Collector, tmp_path: Path
) -> None:
    whole = sealed(tmp_path / "whole", 2)
    promise(whole, "good.ots", 0)
    (whole / "timestamps" / "bad.ots").write_bytes(b"garbage")
    promise(whole, "other.ots", 0, over=LOG)
    receipt = collector.take(whole)
    assert outcome(receipt) == ("new", True)
    assert stamps(collector.kept) == ["good.ots"]
    assert receipt.runs[0].left_out == ("timestamps/bad.ots", "timestamps/other.ots")
    assert collector.holds(whole)


# A run that is going on.


def test_a_bundle_made_while_the_run_goes_on_holds(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines and seals are added between any two looks at a file."""
    from blockwatch.evidence import snapshot

    look = snapshot._open
    whole = sealed(tmp_path / "whole", 12)
    for stop in range(1, 9):
        going = begun(whole, tmp_path / f"going{stop}", 4, 3)
        looks = 0

        def goes_on(path: Path, going: Path = going) -> object:
            nonlocal looks
            looks += 1
            opened = look(path)
            count = 4 + 2 * looks
            if count <= 14:
                old = (going / "checkpoint").read_bytes()
                (going / "checkpoints").mkdir(exist_ok=True)
                (going / "checkpoints" / old.split(b"\n")[1].decode()).write_bytes(old)
                with (going / LOG).open("ab") as log:
                    log.write(b"".join(lines(whole)[len(lines(going)) : count]))
                root = root_of([leaf_hash(line[:-1]) for line in lines(whole)[:count]])
                (going / "checkpoint.new").write_bytes(SIGNER.note(checkpoint_text(RUN, count, root)))
                (going / "checkpoint.new").replace(going / "checkpoint")
            return opened

        with monkeypatch.context() as patched:
            patched.setattr(snapshot, "_open", goes_on)
            bundle = Bundle([going])
            (path,) = write_bundle(bundle, tmp_path / f"going{stop}.tar.gz")
        (report,) = verify_paths([path], Reader())
        assert report.findings == ()
        assert report.sealed >= 3


def test_a_run_that_came_without_the_one_before_it_is_no_finding(tmp_path: Path) -> None:
    mine, results = tmp_path / "mine", tmp_path / "collected"
    for run in ("1" * 16, "2" * 16):
        writer = RunWriter(mine, signer=SIGNER)
        previous = last_root(mine, str(SIGNER.key)) if mine.is_dir() else None
        writer.open(run_open(run, previous_root=previous))
        writer.write(measured(1, run=run))
        writer.close(run_close(1))
    (path,) = write_bundle(Bundle([writer.folder]), tmp_path / "second.tar.gz")
    take(path, results)
    reports = list(verify_paths([results], Reader()))
    assert [report.findings for report in reports] == [()]
    assert any("came by import" in note for note in reports[0].notes)
    checker = [sys.executable, Path(__file__).parents[2] / "tools" / "check_evidence.py", results]
    assert subprocess.run(checker, capture_output=True).returncode == 0
    shutil.rmtree(results / "receipts")
    (report,) = verify_paths([results], Reader())
    assert "missing" in report.findings[0].what
    assert subprocess.run(checker, capture_output=True).returncode == 9
