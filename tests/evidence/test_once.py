"""Of a run that is named several times one copy is read, the one that seals speak for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import blockwatch
from blockwatch.errors import EvidenceError
from blockwatch.evidence.once import one_copy_each
from tests.cli.command import blockwatch as command
from tests.cli.command import no_traceback
from tests.evidence.assets.world import in_record, log_of, put_log, unseal, write_run


def chosen(*folders: Path) -> tuple[list[Path], list[str], list[str]]:
    """What is read, what is damaged, and what is told."""
    damage: list[str] = []
    notes: list[str] = []
    found = one_copy_each(folders, lambda error: damage.append(str(error)), notes.append)
    return found, damage, notes


def shorter(whole: Path, at: Path, lines: int) -> Path:
    """A copy without a seal that ends sooner."""
    copy = shutil.copytree(whole, at)
    unseal(copy)
    put_log(copy, log_of(whole)[:lines])
    return copy


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "results")


def test_the_same_run_twice_is_one(tmp_path: Path, run: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    (found, damage, (note,)) = chosen(copy, run)
    assert (found, damage) == ([copy], [])
    assert "in 2 of the places named: it is counted once" in note


def test_the_copy_that_goes_on_is_read(tmp_path: Path, run: Path) -> None:
    short = shorter(run, tmp_path / "short", 2)
    assert chosen(short, run)[0] == chosen(run, short)[0] == [run]


def test_where_they_contradict_each_other_the_seal_decides(tmp_path: Path, run: Path) -> None:
    other = shutil.copytree(run, tmp_path / "other")
    unseal(other)
    in_record(2, lambda said: said.update(us=said["us"] + 1))(other)
    for named in ((run, other), (other, run)):
        found, (damage,), notes = chosen(*named)
        assert (found, notes) == ([run], [])
        assert "another history" in damage
        assert str(other) in damage
    with pytest.raises(EvidenceError, match="another history"):
        one_copy_each([run, other], None, lambda _: None)


def test_where_no_seal_decides_neither_is_read(tmp_path: Path, run: Path) -> None:
    unseal(run)
    other = shutil.copytree(run, tmp_path / "other")
    in_record(2, lambda said: said.update(us=said["us"] + 1))(other)
    found, damage, _ = chosen(run, other)
    assert (found, len(damage)) == ([], 2)


def test_a_damaged_copy_hides_neither_the_good_one_nor_itself(tmp_path: Path, run: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    log = copy / "measurements.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"us":', b'"us":1', 1))
    assert set(chosen(copy, run)[0]) == {run, copy}


@pytest.mark.parametrize(
    "words",
    [["judge", "--json"], ["export", "--format", "jsonl"], ["summarise", "--format", "json"]],
    ids=lambda words: words[0],
)
def test_commands_count_a_bundle_beside_its_run_once(tmp_path: Path, run: Path, words: list[str]) -> None:
    assert command("bundle", "results", "-o", "sent", cwd=tmp_path).returncode == 0
    alone = command(*words, "results", cwd=tmp_path)
    both = command(*words, "results", "sent", cwd=tmp_path)
    assert (both.returncode, both.stdout) == (0, alone.stdout)
    assert "counted once" in both.stderr
    no_traceback(both)


def test_frames_count_it_once_and_warn(tmp_path: Path, run: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    with pytest.warns(UserWarning, match="counted once"):
        frame = blockwatch.load(run, copy)
    with pytest.warns(UserWarning, match="counted once"):
        steps = blockwatch.observations(run, copy)
    assert len(frame) == len(blockwatch.load(run))
    assert len(steps) == len(blockwatch.observations(run))
