"""A folder that was handed over may hold links, pipes and second names: nothing is written through them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blockwatch.errors import DiskError, EvidenceError
from blockwatch.evidence.disk import replace_by_pieces, replace_file
from blockwatch.evidence.lock import ResultsLock
from blockwatch.evidence.timestamps import keep_stamp
from tests.cli.command import blockwatch, no_traceback
from tests.evidence.assets.world import SECOND, write_run

Put = Callable[[Path, Path], None]
WAYS: dict[str, Put] = {
    "a link": lambda place, victim: place.symlink_to(victim),
    "a second name": lambda place, victim: os.link(victim, place),
    "a pipe": lambda place, victim: os.mkfifo(place),
}


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_bytes(b"precious")
    return path


@pytest.mark.parametrize("way", WAYS)
def test_a_file_is_written_anew(tmp_path: Path, victim: Path, way: str) -> None:
    WAYS[way](tmp_path / "note.part", victim)
    replace_file(tmp_path / "note", b"new")
    assert (victim.read_bytes(), (tmp_path / "note").read_bytes()) == (b"precious", b"new")
    assert not (tmp_path / "note").is_symlink()


@pytest.mark.parametrize("way", WAYS)
def test_neither_does_an_export_write_through_them(tmp_path: Path, victim: Path, way: str) -> None:
    write_run(tmp_path / "results")
    WAYS[way](tmp_path / "out.part", victim)
    done = blockwatch("export", "results", "--format", "jsonl", "-o", "out", cwd=tmp_path)
    assert (done.returncode, victim.read_bytes()) == (0, b"precious"), done.stderr
    assert (tmp_path / "out").read_bytes().startswith(b"{")


def test_what_goes_wrong_in_making_a_file_leaves_none_and_is_not_the_disks_doing(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise FileNotFoundError("what it is made of")

    with pytest.raises(FileNotFoundError, match="what it is made of"):
        replace_by_pieces(tmp_path / "note", pieces())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_lock_is_a_file_of_its_own(tmp_path: Path, victim: Path, way: str) -> None:
    WAYS[way](tmp_path / ".lock", victim)
    with pytest.raises(DiskError, match="stands where"):
        ResultsLock(tmp_path).acquire()
    assert victim.read_bytes() == b"precious"
    (tmp_path / ".lock").unlink()
    with ResultsLock(tmp_path):
        pass


@pytest.mark.parametrize("way", WAYS)
def test_the_commands_leave_the_files_of_whoever_gives_them(tmp_path: Path, victim: Path, way: str) -> None:
    run = write_run(tmp_path / "results")
    write_run(tmp_path / "other", SECOND, signer=None)
    WAYS[way](run / "exported.part", victim)
    done = blockwatch("bundle", "results", "-o", "sent", cwd=tmp_path)
    assert (done.returncode, victim.read_bytes()) == (0, b"precious"), done.stderr
    assert blockwatch("bundle", "other", "-o", "came", cwd=tmp_path).returncode == 0
    WAYS[way](run.parent / ".lock", victim)
    for words in (["import", "came", "--results", "results"], ["forget", "results", "--yes"]):
        done = blockwatch(*words, cwd=tmp_path)
        assert no_traceback(done)
        assert "stands where" in done.stderr
    assert victim.read_bytes() == b"precious"


def test_a_stamp_is_not_written_into_another_folder(tmp_path: Path) -> None:
    run = write_run(tmp_path / "results")
    (tmp_path / "elsewhere").mkdir()
    (run / "timestamps").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EvidenceError, match="stands where a folder should"):
        keep_stamp(run, "a.tsr", b"x")
    assert list((tmp_path / "elsewhere").iterdir()) == []
