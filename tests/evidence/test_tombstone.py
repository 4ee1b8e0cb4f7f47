"""Forgetting on purpose: the run goes, its place in the chain stays, at whatever moment it is stopped."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from blockwatch.errors import DiskError, EvidenceError
from blockwatch.evidence.log import log_root
from blockwatch.evidence.rootnote import read_root
from blockwatch.evidence.signing import Signer, new_signer
from blockwatch.evidence.tombstone import (
    EXPORTED_FILE,
    FORGOTTEN_FOLDER,
    extent,
    forget_encrypted,
    forget_run,
    mark_exported,
    parse_tombstone,
    read_tombstones,
    was_exported,
)
from blockwatch.evidence.verify import Reader
from blockwatch.evidence.verify_paths import verify_paths
from blockwatch.store import RunWriter, find_runs, last_root, read_run
from tests.evidence.collector import SIGNER
from tests.evidence.made import STARTED, measured, run_close, run_open
from tests.evidence.test_encrypted import encrypted

WHEN = "2026-11-22T06:40:00Z"
KEY = new_signer()


def add(results: Path, number: int, signer: Signer | None = KEY, **changes: object) -> Path:
    """One run of one measurement, in its place in the chain."""
    writer = RunWriter(results, signer=signer, label="home")
    run = f"{number:016x}"
    previous = last_root(results, str(signer.key) if signer else None)
    writer.open(run_open(run, started=STARTED + number * 60_000_000, previous_root=previous, **changes))
    writer.write(measured(1, run=run))
    writer.close(run_close(1))
    return writer.folder


def test_a_forgotten_run_keeps_its_place(tmp_path: Path) -> None:
    folders = [add(tmp_path, number) for number in (1, 2, 3)]
    roots = [read_run(folder).root() for folder in folders]
    stone = forget_run(folders[1], KEY, WHEN)
    assert stone == tmp_path / FORGOTTEN_FOLDER / f"{2:016x}"
    assert sorted(os.listdir(tmp_path)) == sorted([folders[0].name, folders[2].name, FORGOTTEN_FOLDER])
    (found,) = read_tombstones(tmp_path)
    assert (found.run, found.key, found.size, found.root, found.previous, found.when, found.signed) == (
        f"{2:016x}", KEY.key, 3, roots[1], roots[0], WHEN, True
    )  # fmt: skip
    assert read_run(folders[2]).open.previous_root == found.root
    assert last_root(tmp_path, str(KEY.key)) == roots[2]


def test_the_bytes_are_as_documented(tmp_path: Path) -> None:
    folder = add(tmp_path, 1)
    root = log_root(folder / "measurements.jsonl")[1]
    stone = forget_run(folder, KEY, WHEN)
    assert stone is not None
    text, _, signature = stone.read_text().partition("\n\n")
    lines = dict(line.split(" ", 1) for line in text.split("\n")[1:])
    assert text.startswith("blockwatch/forgotten\n")
    assert list(lines) == ["run", "key", "size", "root", "previous", "when"]
    assert (lines["key"], lines["previous"], lines["when"]) == (str(KEY.key), "none", WHEN)
    assert lines["root"] == root
    assert re.fullmatch(rf"— {KEY.key.name} \S{{92}}\n", signature)


def test_forgetting_the_newest_and_all(tmp_path: Path) -> None:
    folders = [add(tmp_path, number) for number in (1, 2, 3)]
    roots = [read_run(folder).root() for folder in folders]
    key = str(KEY.key)
    forget_run(folders[2], KEY, WHEN)
    assert last_root(tmp_path, key) == roots[2]
    forget_run(folders[0], KEY, WHEN)
    assert last_root(tmp_path, key) == roots[2]
    forget_run(folders[1], KEY, WHEN)
    assert last_root(tmp_path, key) == roots[2]
    assert read_run(add(tmp_path, 4)).open.previous_root == roots[2]
    assert last_root(tmp_path) is None


def test_verify_tells_of_what_was_forgotten(tmp_path: Path) -> None:
    folders = [add(tmp_path, number) for number in (1, 2)]
    kept = tmp_path.with_name(f"{tmp_path.name}-kept")
    shutil.copytree(folders[0], kept / folders[0].name)
    for folder, signer in zip(folders, (KEY, None), strict=True):
        forget_run(folder, signer, WHEN)
    (all_gone,) = verify_paths([tmp_path], Reader())
    says = [f"says that run {number:016x} was forgotten on purpose, {WHEN}" for number in (1, 2)]
    assert all_gone.findings == ()
    assert all_gone.notes == (f"its key {says[0]}", f"an unsigned note {says[1]}")
    shutil.copytree(kept / folders[0].name, folders[0])
    (back,) = verify_paths([tmp_path], Reader())
    assert back.sound
    assert f"its key {says[0]}: it was put back, or was being forgotten" in back.notes


def test_a_chain_without_key_has_bare_tombstones(tmp_path: Path) -> None:
    folder = add(tmp_path, 1, None)
    root = read_run(folder).root()
    forget_run(folder, KEY, WHEN)
    (found,) = read_tombstones(tmp_path)
    assert (found.key, found.signed) == (None, False)
    assert last_root(tmp_path) == root
    assert last_root(tmp_path, str(KEY.key)) is None


@pytest.mark.parametrize("signer", [None, new_signer()])
def test_another_key_does_not_sign_for_the_lost_one(tmp_path: Path, signer: Signer | None) -> None:
    folder = add(tmp_path, 1)
    forget_run(folder, signer, WHEN)
    (found,) = read_tombstones(tmp_path)
    assert (found.key, found.signed) == (KEY.key, False)
    if signer is not None:
        assert signer.key.name not in (tmp_path / FORGOTTEN_FOLDER / f"{1:016x}").read_text()


def test_imported_runs_leave_none(tmp_path: Path) -> None:
    folder = add(tmp_path, 1, None, imported="ooni 20261122_abc")
    assert forget_run(folder, KEY, WHEN) is None
    assert os.listdir(tmp_path) == []


def test_a_forgotten_encrypted_run_keeps_its_place(tmp_path: Path) -> None:
    """Its size is in nobody's hands but the collector's; what the chain needs is in the clear."""
    key = str(SIGNER.key)
    before = read_run(add(tmp_path, 0, SIGNER)).root()
    folder = encrypted(tmp_path, started=STARTED + 60_000_000, previous_root=before)
    root = last_root(tmp_path, key)
    assert root not in (None, before)
    forget_encrypted(folder, read_root(folder), SIGNER, WHEN)
    assert not folder.exists()
    (found,) = read_tombstones(tmp_path)
    assert (found.size, found.root, found.previous, found.signed) == (0, root, before, True)
    assert last_root(tmp_path, key) == root
    later = add(tmp_path, 2, SIGNER)
    assert read_run(later).open.previous_root == root
    told = next(each for each in verify_paths([tmp_path], Reader()) if each.path == str(later))
    assert any("was forgotten on purpose" in note for note in told.notes)


def test_a_killed_encrypted_run_leaves_nothing(tmp_path: Path) -> None:
    folder = encrypted(tmp_path, close=False)
    assert forget_encrypted(folder, None, SIGNER, WHEN) is None
    assert os.listdir(tmp_path) == []


def test_killed_and_damaged_runs_can_be_forgotten(tmp_path: Path) -> None:
    folder = add(tmp_path, 1)
    log = folder / "measurements.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole[:-20])
    root = log_root(log)[1]
    forget_run(folder, KEY, WHEN)
    assert read_tombstones(tmp_path)[0].root == root
    damaged = add(tmp_path, 2)
    log = damaged / "measurements.jsonl"
    log.write_bytes(log.read_bytes() + b"a" * 9_000_000)
    forget_run(damaged, KEY, WHEN)
    assert [stone.size for stone in read_tombstones(tmp_path)] == [2, 3]


def test_a_stranger_s_run_cannot_write_into_the_tombstone(tmp_path: Path) -> None:
    """What a run says of itself may be anything."""
    for number, changes in enumerate(
        ({"key": "a\nb+c"}, {"previous_root": "x\ny"}, {"previous_root": "ab"}), 1
    ):
        writer = RunWriter(tmp_path)
        writer.open(run_open(f"{number:016x}", **changes))  # type: ignore[arg-type]
        writer.close(run_close())
        forget_run(writer.folder, KEY, WHEN)
    assert [(stone.key, stone.previous) for stone in read_tombstones(tmp_path)] == [(None, None)] * 3
    writer = RunWriter(tmp_path)
    writer.open(run_open(f"{9:016x}"))
    writer.close(run_close())
    log = writer.folder / "measurements.jsonl"
    log.write_bytes(log.read_bytes().replace(f"{9:016x}".encode(), b"../../../evil123"))
    with pytest.raises(EvidenceError, match="id is none"):
        forget_run(writer.folder, KEY, WHEN)
    assert writer.folder.is_dir()


def test_stopped_at_any_step_nothing_is_lost_unsaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fails at each step in turn: a whole run, its tombstone, or both; a second attempt ends it."""
    names = ("mkdir", "fsync", "replace", "rename", "unlink", "rmdir")
    point, done = 0, False
    while not done:
        point += 1
        results = tmp_path / str(point)
        folder = add(results, 1)
        root = read_run(folder).root()
        calls = 0

        def fail(real, point=point):  # type: ignore[no-untyped-def]
            def call(*arguments, **named):  # type: ignore[no-untyped-def]
                nonlocal calls
                calls += 1
                if calls == point:
                    raise OSError(5, "Input/output error")
                return real(*arguments, **named)

            return call

        with monkeypatch.context() as patched:
            for name in names:
                patched.setattr(os, name, fail(getattr(os, name)))
            try:
                forget_run(folder, KEY, WHEN)
                done = calls < point
            except DiskError:
                pass
        there = [read_run(each).root() for each in find_runs([results])]
        stones = [stone.root for stone in read_tombstones(results)]
        assert root in there + stones
        assert set(there + stones) == {root}
        assert last_root(results, str(KEY.key)) == root
        for run in find_runs([results]):
            forget_run(run, KEY, WHEN)
        forget_run(add(results, 2), KEY, WHEN)
        assert os.listdir(results) == [FORGOTTEN_FOLDER]
    assert point > 8


BROKEN = {
    "a bit of the root": lambda raw: raw.replace(b"root ", b"root A", 1)[:-1],
    "another run": lambda raw: raw.replace(b"run 0", b"run 1", 1),
    "another time": lambda raw: raw.replace(b"2026", b"2025", 1),
    "another key": lambda raw: raw.replace(str(KEY.key).encode(), str(new_signer().key).encode()),
    "no key": lambda raw: raw.replace(str(KEY.key).encode(), b"none"),
    "torn": lambda raw: raw[:-30],
    "a line more": lambda raw: raw.replace(b"\n\n", b"\nmore 1\n\n"),
    "empty": lambda raw: b"",
    "a size of nothing": lambda raw: raw.replace(b"size 3", b"size 0"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_false_tombstone_is_refused(tmp_path: Path, name: str) -> None:
    stone = forget_run(add(tmp_path, 1), KEY, WHEN)
    assert stone is not None
    raw = stone.read_bytes()
    assert parse_tombstone(raw).signed
    with pytest.raises(EvidenceError):
        parse_tombstone(BROKEN[name](raw))
    stone.write_bytes(BROKEN[name](raw))
    with pytest.raises(EvidenceError):
        read_tombstones(tmp_path)
    assert last_root(tmp_path, str(KEY.key)) is None  # passed over: the gap will show


def test_a_tombstone_under_another_name_is_refused(tmp_path: Path) -> None:
    stone = forget_run(add(tmp_path, 1), KEY, WHEN)
    assert stone is not None
    stone.rename(stone.with_name("f" * 16))
    with pytest.raises(EvidenceError, match="another run's name"):
        read_tombstones(tmp_path)


def test_what_was_handed_on_is_noted(tmp_path: Path) -> None:
    folder = add(tmp_path, 1)
    assert not was_exported(folder)
    held = extent(folder)
    for _ in range(2):
        mark_exported(folder, WHEN, held)
        assert was_exported(folder)
    assert (folder / EXPORTED_FILE).read_text() == f"bundled {WHEN}: {held}\n" * 2


@pytest.mark.parametrize("name", ["measurements.jsonl", "checkpoint", "timestamps/a.tsr"])
def test_what_came_after_the_bundle_was_not_handed_on(tmp_path: Path, name: str) -> None:
    folder = add(tmp_path, 1)
    mark_exported(folder, WHEN, extent(folder))
    (folder / name).parent.mkdir(exist_ok=True)
    with (folder / name).open("ab") as file:
        file.write(b"x")
    assert not was_exported(folder)
    mark_exported(folder, WHEN, extent(folder))
    assert was_exported(folder)
