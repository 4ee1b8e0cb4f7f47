"""An import that is killed at any point leaves runs that can be read, and is repeated to the same end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blockwatch.evidence.bundle import Bundle, tombstones_for, write_bundle
from blockwatch.evidence.checkpoint import checkpoint_text
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.reading import find_runs, read_run
from blockwatch.evidence.receipt import imported_runs, read_receipt
from blockwatch.evidence.tombstone import forget_run
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.evidence.verify_paths import verify_paths
from blockwatch.store import RunWriter
from tests.evidence.collector import LOG, SIGNER, begun, contents, forge, made, sealed
from tests.evidence.importer import take
from tests.evidence.made import RUN, make_run, run_close, run_open

OTHER, GONE, LATER = "1" * 16, "2" * 16, "3" * 16


def short_copy(whole: Path, folder: Path) -> Path:
    """The same run, cut off after two lines and sealed there."""
    short = shutil.copytree(whole, folder)
    lines = (short / LOG).read_bytes().splitlines(keepends=True)[:2]
    (short / LOG).write_bytes(b"".join(lines) + b'{"torn')
    for name in ("checkpoint.sig", "run.json"):
        (short / name).unlink()
    root = root_of([leaf_hash(line[:-1]) for line in lines])
    (short / "checkpoint").write_bytes(SIGNER.note(checkpoint_text(RUN, 2, root)))
    return short


def prepare(here: Path) -> tuple[Path, list[Path]]:
    """A results folder, and the parts of a bundle that extends, adds, contradicts and forgets."""
    whole = sealed(here / "whole", 3)
    other = make_run(here / "other", 2, run=OTHER)
    write_bundle(Bundle([short_copy(whole, here / "short"), other]), here / "first")
    before = here / "before"
    before.mkdir()
    take(before, [here / "first"])
    contradiction = make_run(here / "again", 1, run=OTHER)
    gone = make_run(here / "sent", 1, run=GONE)
    writer = RunWriter(here / "sent")
    writer.open(run_open(LATER, previous_root=read_run(gone).root()))
    writer.close(run_close())
    forget_run(gone, None, "2026-11-22T06:40:00Z")
    bundle = Bundle([whole, contradiction, writer.folder], tombstones_for([writer.folder]))
    return before, write_bundle(bundle, here / "second", part_bytes=10_000)


def kept(results: Path) -> dict[str, bytes]:
    return {name: raw for name, raw in contents(results).items() if not name.startswith(".")}


def kill_each(before: Path, work: Path, files: list[Path]) -> int:
    """Import these into copies of ``before``, each killed one step later; gives the number of steps."""
    work.mkdir()
    command = [sys.executable, "-m", "tests.evidence.importer", before, work, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_killed_at_any_point(tmp_path: Path) -> None:
    before, parts = prepare(tmp_path)
    assert len(parts) > 1
    reference = shutil.copytree(before, tmp_path / "reference")
    take(reference, parts)
    assert len(find_runs([reference])) == 3
    assert {path.name[:4] for path in (reference / "aside").iterdir()} == {"1111"}
    points = kill_each(before, tmp_path / "work", parts)
    assert points >= 60
    for point in range(1, points + 1):
        results = tmp_path / "work" / f"{point:04}"
        runs = {read_run(folder).open.run: folder for folder in find_runs([results])}
        assert {RUN, OTHER} <= set(runs) <= {RUN, OTHER, LATER}, point
        for folder in runs.values():
            assert verify_run(folder, Reader()).report.findings == (), point
        assert len(list(read_run(runs[RUN]).measurements)) in (1, 3), point
        take(results, parts)
        assert kept(results) == kept(reference), point
        assert imported_runs(results) == imported_runs(reference) == {RUN, OTHER, GONE, LATER}, point
        assert [path.name for path in results.glob(".import-*")] == []
        shutil.rmtree(results)


@pytest.mark.parametrize("name", ["at another name", "at the same name", "that lies aside already"])
def test_killed_while_one_copy_replaces_another(tmp_path: Path, name: str) -> None:
    """The forged copy that came first gives way to the sealed one; at no moment is neither there."""
    before = tmp_path / "before"
    whole = sealed(tmp_path / "whole", 3)
    forged = forge(begun(whole, tmp_path / "forged", 5, 0), 1)
    write_bundle(Bundle([forged]), tmp_path / "first")
    write_bundle(Bundle([whole]), tmp_path / "second")
    write_bundle(Bundle([made(tmp_path / "elsewhere", 1, run=OTHER)]), tmp_path / "third")
    before.mkdir()
    take(before, [tmp_path / "first"])
    (old,) = find_runs([before])
    if name == "at another name":
        old.rename(before / old.name.replace("Z-", "Z-home-"))
    if name == "that lies aside already":
        take(before, [tmp_path / "second", tmp_path / "first"])
        (aside,) = (before / "aside").iterdir()
        shutil.rmtree(next(path for path in find_runs([before])))
        shutil.copytree(aside, before / old.name)
    reference = shutil.copytree(before, tmp_path / "reference")
    take(reference, [tmp_path / "second"])
    (new,) = find_runs([reference])
    assert new.name == old.name
    assert len(list((reference / "aside").iterdir())) == 1
    points = kill_each(before, tmp_path / "work", [tmp_path / "second"])
    both = 0
    for point in range(1, points + 1):
        results = tmp_path / "work" / f"{point:04}"
        runs = find_runs([results])
        assert {read_run(folder).open.run for folder in runs} == {RUN}, point
        assert all(verify_run(folder, Reader()).report.findings == () for folder in runs), point
        if len(runs) == 2:
            both += 1
            found = [finding.kind for one in verify_paths([results], Reader()) for finding in one.findings]
            assert found == ["contradiction"], point  # of the one that is sealed less far
        if point % 2:  # what was left is put right by whatever comes next
            take(results, [tmp_path / "third"])
            shutil.rmtree(next(path for path in find_runs([results]) if path.name.endswith(OTHER)))
        take(results, [tmp_path / "second"])
        assert kept(results) == kept(reference), (point, name)
        told = [read_receipt(path) for path in (results / "receipts").glob("*.json")]
        if name != "that lies aside already" and not point % 2:
            assert "replaced" in [run.outcome for receipt in told for run in receipt.runs], point
        assert [path.name for path in results.glob(".import-*")] == []
    assert both >= 2


def test_a_note_of_what_is_replaced_leads_nowhere_else(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    mine, other = made(results, 2), made(results, 1, run=OTHER)
    place = f"{RUN}-{'0' * 12}".encode()
    for words in (
        *(b"", b"..", b"\xff" * 5_000, b"a\nb\nc", other.name.encode(), b"x\n../../y", b"x\n%b-0" % place),
        *(b"../results\n" + place, b"..\n" + place, b"\0\n" + place, other.name.encode() + b"\n" + place),
    ):
        (mine / "replaces").write_bytes(words)
        before = kept(results)
        write_bundle(Bundle([other]), tmp_path / "sent.tar.gz")
        take(results, [tmp_path / "sent.tar.gz"])
        before.pop(f"{mine.name}/replaces")
        after = kept(results)
        (mine,) = (path for path in find_runs([results]) if path != other)
        assert len(find_runs([results])) == 2, words
        assert sorted(after.values()) == sorted(before.values()), words
        assert not (results / "aside").exists()
