"""An import that is killed at any point leaves runs that can be read, and is repeated to the same end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from blockwatch.evidence.bundle import Bundle, tombstones_for, write_bundle
from blockwatch.evidence.checkpoint import checkpoint_text
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.reading import find_runs, read_run
from blockwatch.evidence.tombstone import forget_run
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.store import RunWriter
from tests.evidence.collector import SIGNER, contents, sealed
from tests.evidence.importer import take
from tests.evidence.made import RUN, make_run, run_close, run_open

LOG = "measurements.jsonl"


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
    other = make_run(here / "other", 2, run="1" * 16)
    write_bundle(Bundle([short_copy(whole, here / "short"), other]), here / "first")
    before = here / "before"
    before.mkdir()
    take(before, [here / "first"])
    contradiction = make_run(here / "again", 1, run="1" * 16)
    gone = make_run(here / "sent", 1, run="2" * 16)
    writer = RunWriter(here / "sent")
    writer.open(run_open("3" * 16, previous_root=read_run(gone).root()))
    writer.close(run_close())
    forget_run(gone, None, "2026-11-22T06:40:00Z")
    bundle = Bundle([whole, contradiction, writer.folder], tombstones_for([writer.folder]))
    return before, write_bundle(bundle, here / "second", part_bytes=10_000)


def kept(results: Path) -> dict[str, bytes]:
    return {name: raw for name, raw in contents(results).items() if not name.startswith(".")}


def test_killed_at_any_point(tmp_path: Path) -> None:
    before, parts = prepare(tmp_path)
    assert len(parts) > 1
    reference = shutil.copytree(before, tmp_path / "reference")
    take(reference, parts)
    assert len(find_runs([reference])) == 3
    assert {path.name[:4] for path in (reference / "aside").iterdir()} == {"1111"}
    work = tmp_path / "work"
    work.mkdir()
    command = [sys.executable, "-m", "tests.evidence.importer", before, work, *parts]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    points = int(done.stdout)
    assert points >= 60
    for point in range(1, points + 1):
        results = work / f"{point:04}"
        runs = {read_run(folder).open.run: folder for folder in find_runs([results])}
        assert {RUN, "1" * 16} <= set(runs) <= {RUN, "1" * 16, "3" * 16}, point
        for folder in runs.values():
            assert verify_run(folder, Reader()).report.findings == (), point
        assert len(list(read_run(runs[RUN]).measurements)) in (1, 3), point
        take(results, parts)
        assert kept(results) == kept(reference), point
        assert [path.name for path in results.glob(".import-*")] == []
        shutil.rmtree(results)
