"""What becomes of a run that comes: added, extended, put aside; never is a kept one overwritten."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.evidence.allow import Allowed
from blockwatch.evidence.bundle import Bundle
from blockwatch.evidence.checkpoint import checkpoint_text
from blockwatch.evidence.incoming import Imported, Incoming
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.reading import find_runs, read_run
from blockwatch.evidence.signing import new_signer
from blockwatch.evidence.tombstone import forget_run
from blockwatch.store import RunWriter
from tests.evidence.assets.world import write_run
from tests.evidence.collector import (
    SIGNER,
    bundled,
    calendar_proof,
    come,
    contents,
    made,
    sealed,
    take,
)
from tests.evidence.made import RUN, run_close, run_open
from tests.evidence.second_signature import second

LOG, BODIES = "measurements.jsonl", "bodies.warc.gz"


def test_a_run_arrives_as_it_was(tmp_path: Path) -> None:
    folder = made(tmp_path / "sent", 3)
    (path,) = bundled([folder], tmp_path / "x.tar.gz")
    receipt = take(path, tmp_path / "collected")
    (run,) = receipt.runs
    assert (run.outcome, run.lines, run.root) == ("new", 5, read_run(folder).root())
    (kept,) = find_runs([tmp_path / "collected"])
    assert kept.name == folder.name.replace("-home-", "-")  # the label was the folder's alone
    assert {k: v for k, v in contents(kept).items() if k != "run.json"} == {
        name: (folder / name).read_bytes() for name in (LOG, BODIES)
    }
    assert kept.stat().st_mode & 0o777 == 0o700


def test_twice_is_once(tmp_path: Path) -> None:
    folder = made(tmp_path / "sent", 3)
    receipt, before, after = come(tmp_path, folder, folder)
    assert [run.outcome for run in receipt.runs] == ["there already"]
    assert before == after
    assert len(list((tmp_path / "collected" / "receipts").iterdir())) == 1


@pytest.mark.parametrize("torn", [b"", b'{"type":"measurement","id":"01', b"\0" * 500])
def test_a_longer_copy_goes_on_where_the_shorter_ends(tmp_path: Path, torn: bytes) -> None:
    whole = made(tmp_path / "whole", 4)
    short = made(tmp_path / "short", 2, close=False)
    with (short / LOG).open("ab") as log:
        log.write(torn)
    with (short / BODIES).open("ab") as bodies:
        bodies.write(b"what was captured for a line that was never written")
    receipt, _, after = come(tmp_path, short, whole)
    assert [(run.outcome, run.lines) for run in receipt.runs] == [("extended", 6)]
    kept = find_runs([tmp_path / "collected"])[0]
    assert after[f"{kept.name}/{LOG}"] == (whole / LOG).read_bytes()
    assert after[f"{kept.name}/{BODIES}"] == (whole / BODIES).read_bytes()
    assert json.loads(after[f"{kept.name}/run.json"])["lines"] == 6


def test_a_shorter_copy_changes_nothing(tmp_path: Path) -> None:
    receipt, before, after = come(
        tmp_path, made(tmp_path / "whole", 4), made(tmp_path / "short", 2, close=False)
    )
    assert [run.outcome for run in receipt.runs] == ["older"]
    assert before == after


def another_line(folder: Path) -> None:
    raw = (folder / LOG).read_bytes()
    (folder / LOG).write_bytes(raw.replace(b'"us":400000', b'"us":400001', 1))


def rolled_back(folder: Path) -> None:
    """Closed early: three measurements are gone."""
    earlier = made(folder.parent / "earlier", 1)
    for name in (LOG, BODIES):
        (folder / name).write_bytes((earlier / name).read_bytes())


def other_network(folder: Path) -> None:
    raw = (folder / LOG).read_bytes()
    (folder / LOG).write_bytes(raw.replace(b'"asn":9198', b'"asn":9199', 1))


def other_bytes(folder: Path) -> None:
    raw = bytearray((folder / BODIES).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / BODIES).write_bytes(raw)


def no_bytes(folder: Path) -> None:
    (folder / BODIES).unlink()


def torn_inside(folder: Path) -> None:
    raw = (folder / LOG).read_bytes()
    (folder / LOG).write_bytes(raw[:400] + raw[500:])


def goes_on_after_its_end(folder: Path) -> None:
    lines = (folder / LOG).read_bytes().splitlines(keepends=True)
    (folder / LOG).write_bytes(b"".join([*lines, lines[2]]))


CONTRADICTIONS = {
    "another line": (another_line, "another story"),
    "rolled back": (rolled_back, "another story"),
    "another network": (other_network, "another story"),
    "other bytes": (other_bytes, "not those that the log names"),
    "no bytes": (no_bytes, "and 0 comes next"),
    "torn inside": (torn_inside, "not a record"),
    "goes on after its end": (goes_on_after_its_end, "out of place"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_contradicts_or_is_damaged_goes_aside(tmp_path: Path, name: str) -> None:
    change, why = CONTRADICTIONS[name]
    other = made(tmp_path / "other", 4)
    change(other)
    receipt, before, after = come(tmp_path, made(tmp_path / "sent", 4), other)
    (run,) = receipt.runs
    assert run.outcome == "aside"
    assert run.why is not None
    assert why in run.why
    assert str(tmp_path) not in run.why
    assert receipt.contradicts
    assert {k: v for k, v in after.items() if not k.startswith("aside/")} == before
    assert run.folder is not None
    assert (tmp_path / "collected" / run.folder / LOG).read_bytes() == (other / LOG).read_bytes()
    again = take(tmp_path / "1.tar.gz", tmp_path / "collected")
    assert again.contradicts
    assert contents(tmp_path / "collected") == after
    assert len(list((tmp_path / "collected" / "receipts").iterdir())) == 2


def test_a_run_under_another_name_goes_aside(tmp_path: Path) -> None:
    folder = made(tmp_path / "sent", 2)
    (folder / LOG).write_bytes((folder / LOG).read_bytes().replace(b'"run":"0123', b'"run":"../x'))
    with pytest.raises(Exception, match="no run id"):
        Bundle([folder])
    other = made(tmp_path / "other", 2)
    raw = (
        (other / LOG).read_bytes().replace(f'"id":"{RUN}-000002"'.encode(), b'"id":"%s-000002"' % (b"9" * 16))
    )
    (other / LOG).write_bytes(raw)
    (path,) = bundled([other], tmp_path / "x.tar.gz")
    (run,) = take(path, tmp_path / "collected").runs
    assert (run.outcome, run.why) == ("aside", f"{LOG}:3: a measurement whose id is not its run and number")


def test_a_kept_run_that_is_damaged_stays_as_it_is(tmp_path: Path) -> None:
    folder = made(tmp_path / "sent", 2)
    (path,) = bundled([folder], tmp_path / "x.tar.gz")
    take(path, tmp_path / "collected")
    (kept,) = find_runs([tmp_path / "collected"])
    (kept / LOG).write_bytes((kept / LOG).read_bytes().replace(b'"us"', b"zzzzz", 3))
    before = contents(kept)
    (run,) = take(path, tmp_path / "collected").runs
    assert run.outcome == "aside"
    assert contents(kept) == before


def test_stamps_that_were_taken_later_are_added(tmp_path: Path) -> None:
    first, then = sealed(tmp_path / "a", 2), sealed(tmp_path / "b", 2)
    (first / "timestamps").mkdir()
    (then / "timestamps").mkdir()
    digest = sha256((first / "checkpoint").read_bytes()).digest()
    pending, confirmed = calendar_proof(digest, b"\0" * 16), calendar_proof(digest, b"\1" * 16)
    (first / "timestamps/x.ots").write_bytes(pending)
    (then / "timestamps/x.ots").write_bytes(confirmed)
    (then / "timestamps/y.ots").write_bytes(pending)
    receipt, before, after = come(tmp_path, first, then)
    assert [run.outcome for run in receipt.runs] == ["added to"]
    new = {Path(name).name: content for name, content in after.items() if name not in before}
    assert new.pop("y.ots") == pending
    assert list(new.values()) == [confirmed]  # beside the pending one
    assert before.items() <= after.items()
    again = take(tmp_path / "1.tar.gz", tmp_path / "collected")
    assert [run.outcome for run in again.runs] == ["there already"]
    assert contents(tmp_path / "collected") == after


def test_another_seal_of_the_same_lines_is_a_contradiction(tmp_path: Path) -> None:
    first, then = sealed(tmp_path / "a", 2), sealed(tmp_path / "b", 2)
    raw = second((then / "checkpoint").read_bytes(), SIGNER)
    assert raw != (then / "checkpoint").read_bytes()
    (then / "checkpoint").write_bytes(raw)
    (then / "checkpoint.sig").write_bytes(SIGNER.ssh(raw))
    receipt, before, after = come(tmp_path, first, then)
    assert [run.outcome for run in receipt.runs] == ["aside"]
    assert "sealed in two ways" in str(receipt.runs[0].why)
    assert {k: v for k, v in after.items() if not k.startswith("aside/")} == before


def test_a_sealed_run_replaces_its_unfinished_copy(tmp_path: Path) -> None:
    whole = sealed(tmp_path / "whole", 3)
    short = shutil.copytree(whole, tmp_path / "short")
    lines = (short / LOG).read_bytes().splitlines(keepends=True)
    (short / LOG).write_bytes(b"".join(lines[:2]))
    for name in ("checkpoint", "checkpoint.sig", "run.json"):
        (short / name).unlink()
    root = root_of([leaf_hash(line[:-1]) for line in lines[:2]])
    old = SIGNER.note(checkpoint_text(RUN, 2, root))
    (short / "checkpoint").write_bytes(old)
    receipt, _, after = come(tmp_path, short, whole)
    assert [run.outcome for run in receipt.runs] == ["extended"]
    (kept,) = find_runs([tmp_path / "collected"])
    assert after[f"{kept.name}/checkpoint"] == (whole / "checkpoint").read_bytes()
    assert after[f"{kept.name}/checkpoint.sig"] == (whole / "checkpoint.sig").read_bytes()
    assert after[f"{kept.name}/checkpoints/2"] == old


def test_many_volunteers_share_a_folder(tmp_path: Path) -> None:
    for number in range(5):
        folder = made(tmp_path / f"sent{number}", 1, run=f"{number:016x}")
        (path,) = bundled([folder], tmp_path / f"{number}.tar.gz")
        take(path, tmp_path / "collected")
    assert len(find_runs([tmp_path / "collected"])) == 5


def test_runs_after_the_same_run_are_named(tmp_path: Path) -> None:
    folders = []
    for run in ("a" * 16, "b" * 16):
        writer = RunWriter(tmp_path / run[:1])
        writer.open(run_open(run, previous_root="0" * 64))
        writer.close(run_close())
        folders.append(writer.folder)
    (path,) = bundled(folders, tmp_path / "x.tar.gz")
    first, second = take(path, tmp_path / "collected").runs
    assert (first.outcome, second.outcome) == ("new", "new")
    assert second.same_predecessor == ("a" * 16,)


def test_a_tombstone_deletes_nothing(tmp_path: Path) -> None:
    results = tmp_path / "results"
    gone = made(results, 1, run="1" * 16)
    bundled([gone], tmp_path / "before.tar.gz")
    writer = RunWriter(results)
    writer.open(run_open("2" * 16, previous_root=read_run(gone).root()))
    writer.close(run_close())
    forget_run(gone, None, "2026-11-22T06:40:00Z")
    bundled([writer.folder], tmp_path / "after.tar.gz")
    take(tmp_path / "before.tar.gz", tmp_path / "collected")
    receipt = take(tmp_path / "after.tar.gz", tmp_path / "collected")
    assert [(stone.run, stone.outcome) for stone in receipt.forgotten] == [("1" * 16, "new")]
    assert len(find_runs([tmp_path / "collected"])) == 2
    again = take(tmp_path / "after.tar.gz", tmp_path / "collected")
    assert [stone.outcome for stone in again.forgotten] == ["there already"]
    stone = tmp_path / "collected" / "forgotten" / ("1" * 16)
    stone.write_bytes(stone.read_bytes().replace(b"when 2026", b"when 2025"))
    receipt = take(tmp_path / "after.tar.gz", tmp_path / "collected")
    assert [stone.outcome for stone in receipt.forgotten] == ["aside"]
    assert b"when 2025" in stone.read_bytes()


@pytest.mark.parametrize("listed", [True, False])
def test_a_list_of_keys_decides_whoever_came_first(tmp_path: Path, listed: bool) -> None:
    """Anybody can seal a run of an id that is in every file name by a fresh key, and send it first."""
    theirs = write_run(tmp_path / "theirs", RUN, signer=new_signer(), count=6)
    ours = sealed(tmp_path / "ours", 2)
    results = tmp_path / "collected"
    results.mkdir()
    outcomes = []
    for number, folder in enumerate((theirs, ours, theirs)):
        (file,) = bundled([folder], tmp_path / f"{number}.tar.gz")
        allowed = [Allowed(key=SIGNER.key)] if listed else []
        came = Incoming(results, [], "blockwatch 0", allowed).take(file)
        assert isinstance(came, Imported)
        outcomes.append(came.receipt.runs[0].outcome)
    assert outcomes == (["new", "replaced", "aside"] if listed else ["new", "aside", "there already"])
    (kept,) = find_runs([results])
    assert read_run(kept).open.key == (str(SIGNER.key) if listed else read_run(theirs).open.key)
