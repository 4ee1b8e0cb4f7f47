"""Bundles: what goes in, that nothing else does, and that it is the same each time."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence import tarform
from blockwatch.evidence.bundle import ALLOWANCE, MAX_RATIO, Bundle, TooTight, tombstones_for, write_bundle
from blockwatch.evidence.opened import opened_runs
from blockwatch.evidence.parts import HEAD, Outcome, payload, read_part
from blockwatch.evidence.reading import find_runs, read_run
from blockwatch.evidence.tombstone import forget_run
from blockwatch.evidence.unbundle import unpack
from blockwatch.store import RunWriter
from tests.evidence.made import make_run, run_close, run_open

OTHER = "1" * 16
WORDS = ("home", "springtime", "runner-7.example", "/home/volunteer")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two runs of a labelled campaign; the folder's path says something of its owner."""
    folder = tmp_path / "volunteer" / "results"
    make_run(folder)
    make_run(folder, 2, run=OTHER, close=False)
    return folder


def packed(folders: list[Path], level: int = 6) -> bytes:
    return b"".join(Bundle(folders).packed(level))


def test_the_same_runs_give_the_same_bytes(results: Path, tmp_path: Path) -> None:
    folders = find_runs([results])
    once = packed(folders)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for number, folder in enumerate(folders):
        copy = shutil.copytree(folder, moved / f"renamed-{number}")
        for path in copy.iterdir():
            path.chmod(0o644)
            os.utime(path, (1, 1))
        (copy / "run.json").unlink(missing_ok=True)
        (copy / "verdicts.jsonl").write_bytes(b"{}\n")
    assert packed(sorted(moved.iterdir(), reverse=True)) == once
    assert packed([*folders, *folders]) == once
    assert Bundle(folders).name == Bundle(sorted(moved.iterdir())).name


def test_nothing_in_it_says_whose_it_is(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "results", label=WORDS[0])
    writer.open(run_open(label=WORDS[0], campaign=WORDS[1]))
    writer.close(run_close())
    bundle = Bundle([writer.folder])
    archive = gzip.decompress(b"".join(bundle.packed()))
    log = (writer.folder / "measurements.jsonl").read_bytes()
    bare = archive.replace(log, b"").replace((writer.folder / "bodies.warc.gz").read_bytes(), b"")
    assert len(bare) < len(archive) - len(log)
    for word in (*WORDS[:2], writer.folder.name, str(tmp_path), os.uname().nodename, "root"):
        assert word.encode() not in bare
        assert word not in bundle.name
    assert packed([writer.folder])[3:8] == bytes(5)  # gzip's own head: no file name, no time
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for member in members:
            assert (member.uid, member.gid, member.uname, member.gname, member.mtime) == (0, 0, "", "", 0)
            assert (member.mode, member.type, member.pax_headers) == (0o600, tarfile.REGTYPE, {})


def test_tar_gives_the_run_folders_back(results: Path, tmp_path: Path) -> None:
    (path,) = write_bundle(Bundle(find_runs([results])), tmp_path / "x.tar.gz")
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "xzf", str(path), "-C", str(out)], check=True)
    for folder in find_runs([results]):
        run = read_run(folder).open.run
        for name in ("measurements.jsonl", "bodies.warc.gz"):
            assert (out / run / name).read_bytes() == (folder / name).read_bytes()
    assert sorted(path.name for path in out.iterdir()) == ["0123456789abcdef", OTHER, "bundle.json"]


def test_only_evidence_goes_in(results: Path, tmp_path: Path) -> None:
    folder = find_runs([results])[0]
    (folder / "checkpoints").mkdir()
    (folder / "timestamps").mkdir()
    for name in ("checkpoint", "checkpoint.sig", "checkpoints/3", "timestamps/tsa.example-0011.tsr"):
        (folder / name).write_bytes(name.encode())
    for name in ("exported", "diary.txt", "checkpoints/x", "timestamps/A.tsr", "bodies.warc.gz.part"):
        (folder / name).write_bytes(b"mine")
    bundle = Bundle([folder])
    assert [file.name for file in bundle.list.runs[0].files] == [
        "measurements.jsonl", "bodies.warc.gz", "checkpoint", "checkpoint.sig", "checkpoints/3",
        "timestamps/tsa.example-0011.tsr",
    ]  # fmt: skip
    left = {path.relative_to(folder).as_posix() for path in bundle.left_out}
    assert left == {"diary.txt", "checkpoints/x", "timestamps/A.tsr"}
    write_bundle(bundle, tmp_path / "x.tar.gz")
    with opened_runs([tmp_path / "x.tar.gz"]) as (run,):
        assert (run / "timestamps/tsa.example-0011.tsr").read_bytes() == b"timestamps/tsa.example-0011.tsr"


def test_it_carries_no_other_files_off(results: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "1").write_bytes(b"a diary")
    for inner, target in (("checkpoint", "secret/1"), ("checkpoints", "secret")):
        folder = make_run(tmp_path / f"link-{inner}")
        (folder / inner).symlink_to(tmp_path / target)
        with pytest.raises(EvidenceError, match="link"):
            Bundle([folder])
    folder = make_run(tmp_path / "pipe")
    os.mkfifo(folder / "checkpoint")
    with pytest.raises(EvidenceError, match="not a file"):
        Bundle([folder])


def test_two_different_runs_of_one_id(results: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", 1)
    with pytest.raises(UsageError, match="two different runs"):
        Bundle([*find_runs([results]), other])


def test_a_run_that_is_being_written(tmp_path: Path) -> None:
    whole = make_run(tmp_path / "whole", 4)
    folder = make_run(tmp_path / "results", 2, close=False)
    bundle = Bundle([folder])
    for name in ("bodies.warc.gz", "measurements.jsonl"):
        shutil.copyfile(whole / name, folder / name)
    with (tmp_path / "x.tar.gz").open("wb") as file:
        file.writelines(bundle.packed())
    with opened_runs([tmp_path / "x.tar.gz"]) as (run,):
        assert len(list(read_run(run).measurements)) == 2
    (folder / "bodies.warc.gz").write_bytes(b"another")
    with pytest.raises(EvidenceError, match=r"became shorter|was changed"):
        list(bundle.packed())


def test_what_compresses_too_well_is_stored_as_it_is(tmp_path: Path) -> None:
    """Otherwise its reader would take it for a bomb."""
    folder = make_run(tmp_path / "results", 1, close=False)
    line = b'{"x":"%s"}\n' % (b"a" * 7_000_000)
    with (folder / "measurements.jsonl").open("ab") as log:
        log.write(line * 3)
    bundle = Bundle([folder])
    with pytest.raises(TooTight):
        list(bundle.packed())
    (path,) = write_bundle(bundle, tmp_path / "x.tar.gz")
    assert 3 * len(line) <= MAX_RATIO * path.stat().st_size + ALLOWANCE
    (tmp_path / "out").mkdir()
    with path.open("rb") as file:
        unpack(file, tmp_path / "out", "x")
    assert not list(tmp_path.glob(".*"))


def test_the_tombstones_that_the_chain_leads_to(tmp_path: Path) -> None:
    results = tmp_path / "results"
    roots: list[str | None] = [None]
    for number in range(4):
        writer = RunWriter(results)
        writer.open(run_open(f"{number:016x}", previous_root=roots[-1], started=number * 1_000_000))
        writer.close(run_close())
        roots.append(read_run(writer.folder).root())
    stray = make_run(results, run="f" * 16)
    first, second, third, last = (next(results.glob(f"*-{number:016x}")) for number in range(4))
    for folder in (second, third, stray):
        forget_run(folder, None, "2026-11-22T06:40:00Z")
    assert [path.name for path in tombstones_for([last])] == [f"{n:016x}" for n in (1, 2)]
    assert tombstones_for([first]) == []
    bundle = Bundle([last, first], tombstones_for([last, first]))
    write_bundle(bundle, tmp_path / "x.tar.gz")
    with opened_runs([tmp_path / "x.tar.gz"]) as runs:
        assert [run.name for run in runs] == [first.name, last.name]
        assert len(list((runs[0].parent / "forgotten").iterdir())) == 2


def test_a_head_is_what_tar_makes_of_it() -> None:
    for name, size in (("a", 0), ("x" * 100, 8**11 - 1), ("0123456789abcdef/bodies.warc.gz", 12_345)):
        info = tarfile.TarInfo.frombuf(tarform.head(name, size), "ascii", "strict")
        assert (info.name, info.size, info.mode, info.type) == (name, size, 0o600, tarfile.REGTYPE)
    for name, size in (("", 0), ("x" * 101, 0), ("a", -1), ("a", 8**11), ("é", 0)):
        with pytest.raises(ValueError, match=r"does not fit|ascii"):
            tarform.head(name, size)


# Parts.


@settings(max_examples=50, deadline=None)
@given(content=st.binary(min_size=1, max_size=5_000), size=st.integers(HEAD + 1, 2_000))
def test_parts_join_to_the_whole(content: bytes, size: int) -> None:
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"blockwatch-parts-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    try:
        outcome = Outcome(folder / "x", size)
        for at in range(0, len(content), 700):
            outcome.write(content[at : at + 700])
        paths = outcome.finish()
        parts = [read_part(path) for path in paths]
        assert [part.number for part in parts] == list(range(1, len(paths) + 1))
        assert {(part.of, part.size, part.whole) for part in parts} == {
            (len(paths), len(content), parts[0].whole)
        }
        assert b"".join(piece for path in paths for piece in payload(path)) == content
        assert all(path.stat().st_size <= size for path in paths)
        joined = subprocess.run(
            ["sh", "-c", f'for part in x.*; do tail -c +{HEAD + 1} "$part"; done'],
            cwd=folder, capture_output=True, check=True,
        )  # fmt: skip
        assert len(paths) > 999 or joined.stdout == content
        assert sorted(folder.iterdir()) == sorted(paths)
    finally:
        shutil.rmtree(folder)


def test_a_damaged_part_has_a_name(tmp_path: Path) -> None:
    outcome = Outcome(tmp_path / "x", 400)
    outcome.write(bytes(range(256)) * 2)
    paths = outcome.finish()
    for path, number in ((paths[0], 1), (paths[2], 3)):
        raw = bytearray(path.read_bytes())
        raw[300] ^= 1
        path.write_bytes(raw)
        with pytest.raises(EvidenceError, match=rf"part {number} of 4 is damaged"):
            read_part(path)
    paths[1].write_bytes(paths[1].read_bytes()[:-1])
    with pytest.raises(EvidenceError, match="part 2 of 4 is damaged or was cut short"):
        read_part(paths[1])
    paths[3].write_bytes(paths[3].read_bytes()[:100])
    with pytest.raises(EvidenceError, match="damaged head"):
        read_part(paths[3])
    assert not paths[0].read_bytes()[:HEAD].lower().count(b"blockwatch")
