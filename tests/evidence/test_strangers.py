"""Copies of a run that somebody else may have changed: what of them an import takes, and what not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blockwatch.evidence import incoming, ots, vouchers
from blockwatch.evidence.bundle import Bundle, write_bundle
from blockwatch.evidence.checkpoint import checkpoint_text
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.reading import find_runs, read_run
from blockwatch.evidence.receipt import Receipt
from blockwatch.evidence.signing import Signer
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.evidence.verify_paths import verify_paths
from blockwatch.store import RunWriter, last_root
from tests.evidence.made import RUN, measured, run_close, run_open
from tests.evidence.test_merge import SIGNER, contents, made, sealed, take

LOG = "measurements.jsonl"
STRANGER = Signer(Ed25519PrivateKey.from_private_bytes(b"\1" * 32))


def lines(folder: Path) -> list[bytes]:
    return (folder / LOG).read_bytes().splitlines(keepends=True)


def begun(whole: Path, at: Path, count: int, seal: int, signer: Signer = SIGNER) -> Path:
    """The same run as it was when it had so many lines, of which so many are sealed."""
    folder = shutil.copytree(whole, at)
    for name in ("checkpoint", "checkpoint.sig", "run.json"):
        (folder / name).unlink()
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    (folder / LOG).write_bytes(b"".join(lines(whole)[:count]))
    if seal:
        root = root_of([leaf_hash(line[:-1]) for line in lines(whole)[:seal]])
        (folder / "checkpoint").write_bytes(signer.note(checkpoint_text(RUN, seal, root)))
    return folder


def forge(folder: Path, line: int = -1) -> Path:
    """Change what one line says, where no seal can tell."""
    log = lines(folder)
    log[line] = log[line].replace(b'"us":400000', b'"us":400001')
    assert log != lines(folder)
    (folder / LOG).write_bytes(b"".join(log))
    return folder


class Collector:
    """A results folder into which copies come, one after the other."""

    def __init__(self, at: Path) -> None:
        self.at, self.results, self.count = at, at / "collected", 0

    def take(self, folder: Path) -> Receipt:
        self.count += 1
        (path,) = write_bundle(Bundle([folder]), self.at / f"{self.count}.tar.gz")
        return take(path, self.results)

    @property
    def kept(self) -> Path:
        (folder,) = find_runs([self.results])
        return folder

    def holds(self, folder: Path) -> bool:
        return lines(self.kept) == lines(folder) and not verify_run(self.kept, Reader()).report.findings


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    return Collector(tmp_path)


def outcome(receipt: Receipt) -> tuple[str, bool]:
    (run,) = receipt.runs
    return run.outcome, receipt.contradicts


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
    collector.take(begun(whole, tmp_path / "short", 2, 2))
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
    (newer / "checkpoints" / "3").write_bytes(
        (short / "checkpoint").read_bytes() + "— someone AAAAAAAA\n".encode()
    )
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


# The chain, where only part of it came.


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


# Parts.


def parts_of(tmp_path: Path) -> list[Path]:
    return write_bundle(Bundle([made(tmp_path / "sent", 3)]), tmp_path / "x", part_bytes=6_000)


def import_all(results: Path, paths: list[Path]) -> list[str]:
    comes = incoming.Incoming(results, [], "blockwatch 0")
    return [type(comes.take(path)).__name__ for path in paths]


def test_parts_restore_a_run_that_was_deleted(tmp_path: Path) -> None:
    paths, results = parts_of(tmp_path), tmp_path / "collected"
    results.mkdir()
    assert import_all(results, paths)[-1] == "Imported"
    (kept,) = find_runs([results])
    shutil.rmtree(kept)
    assert import_all(results, paths)[-1] == "Imported"
    assert [read_run(folder).open.run for folder in find_runs([results])] == [RUN]
    assert len(list((results / "receipts").iterdir())) == 2
    assert import_all(results, paths)[-1] == "Waiting"


def test_names_of_parts_sort_as_their_numbers_do(tmp_path: Path) -> None:
    from blockwatch.evidence.parts import Outcome

    outcome = Outcome(tmp_path / "x", 257)  # one byte a part
    outcome.write(bytes(range(250)) * 4 + b"x" * 5)
    paths = outcome.finish()
    assert len(paths) == 1_005
    assert sorted(paths) == paths
    whole = b"".join(path.read_bytes()[256:] for path in sorted(tmp_path.glob("x.*")))
    assert whole == bytes(range(250)) * 4 + b"x" * 5


def test_sets_of_parts_that_never_complete_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "collected"
    results.mkdir()
    monkeypatch.setattr(incoming, "MOST_SETS", 2)
    sets = []
    for number in range(3):
        folder = made(tmp_path / f"sent{number}", 3, run=f"{number:016x}")
        sets.append(write_bundle(Bundle([folder]), tmp_path / f"x{number}", part_bytes=6_000))
    comes = incoming.Incoming(results, [], "blockwatch 0")
    comes.take(sets[0][0])
    comes.take(sets[1][0])
    with pytest.raises(Exception, match=r"too much waits .* \(2 sets, 12000 bytes\)"):
        comes.take(sets[2][0])
    for path in sets[0][1:]:
        comes.take(path)  # a set that waits may be completed
    comes.take(sets[2][0])
    monkeypatch.setattr(incoming, "MOST_WAITING", 15_000)
    with pytest.raises(Exception, match="too much waits"):
        comes.take(sets[2][1])
    with pytest.raises(Exception, match="too much waits"):
        incoming.Incoming(results, [], "blockwatch 0").take(sets[2][1])


def test_a_set_that_holds_more_than_it_is_is_refused(tmp_path: Path) -> None:
    from blockwatch.evidence.parts import Part

    results = tmp_path / "collected"
    results.mkdir()
    comes = incoming.Incoming(results, [], "blockwatch 0")
    content = b"x" * 90
    for number in (1, 2):
        part = Part(sha256(b"whole").hexdigest(), number, 3, 100, sha256(content).hexdigest())
        (tmp_path / str(number)).write_bytes(part.head() + content)
    comes.take(tmp_path / "1")
    with pytest.raises(Exception, match="longer than the file that they name"):
        comes.take(tmp_path / "2")
