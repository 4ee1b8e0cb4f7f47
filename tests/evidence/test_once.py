"""Of a run that is named several times one copy is read, the one that seals speak for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import blockwatch
from blockwatch.errors import ConfigError, EvidenceError
from blockwatch.evidence.allow import read_allow_list
from blockwatch.evidence.once import one_copy_each
from tests.cli.command import blockwatch as command
from tests.cli.command import no_traceback
from tests.evidence.assets.world import (
    FIRST,
    OURS,
    SECOND,
    THEIRS,
    in_record,
    log_of,
    put_log,
    sealed_again,
    unseal,
    write_run,
)


def chosen(*folders: Path) -> tuple[list[Path], list[str], list[str]]:
    """What is read, what is damaged, and what is told."""
    damage: list[str] = []
    notes: list[str] = []
    found = one_copy_each(folders, on_damage=lambda error: damage.append(str(error)), on_note=notes.append)
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
        one_copy_each([run, other], on_damage=None, on_note=lambda _: None)


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


@pytest.fixture
def allow(tmp_path: Path) -> Path:
    """A list with our key alone."""
    (tmp_path / "keys").write_text(f"{OURS.key} us\n")
    return tmp_path / "keys"


def test_where_a_list_is_given_a_strangers_copy_has_no_say(tmp_path: Path, run: Path, allow: Path) -> None:
    forged = write_run(tmp_path / "forged", FIRST, signer=THEIRS)
    assert chosen(forged, run)[0] == []  # two keys, two stories: nobody here can tell
    notes: list[str] = []
    keys = read_allow_list(allow)
    for named in ((run, forged), (forged, run)):
        assert one_copy_each(named, on_damage=None, on_note=notes.append, allowed=keys) == [run]
    assert notes == [f"left out, as it is by no key of the list: {forged}"] * 2


@pytest.mark.parametrize(
    "words",
    [["judge", "--json"], ["export", "--format", "jsonl"], ["summarise", "--format", "json"]],
    ids=lambda words: words[0],
)
def test_commands_count_runs_of_the_list_alone(
    tmp_path: Path, run: Path, allow: Path, words: list[str]
) -> None:
    write_run(tmp_path / "more", SECOND, signer=THEIRS)
    alone = command(*words, "results", cwd=tmp_path)
    both = command(*words, "results", "more", "--allow", allow, cwd=tmp_path)
    assert (both.returncode, both.stdout) == (0, alone.stdout), both.stderr
    assert "by no key of the list" in both.stderr
    no_traceback(both)


def test_one_that_names_a_key_of_the_list_is_not_sealed_by_it(tmp_path: Path, run: Path, allow: Path) -> None:
    unseal(run)
    done = command("summarise", "results", "--allow", allow, cwd=tmp_path)
    assert done.returncode == 2
    assert "names a key of the list that did not seal it" in done.stderr
    assert "there is no run here that a key of" in done.stderr


def test_frames_take_a_list_too(tmp_path: Path, run: Path, allow: Path) -> None:
    other = write_run(tmp_path / "more", SECOND, signer=THEIRS)
    notes: list[str] = []
    frame = blockwatch.load(run, other, allow=allow, on_note=notes.append)
    assert (len(frame), len(notes)) == (len(blockwatch.load(run)), 1)
    with pytest.warns(UserWarning, match="by no key of the list"):
        assert len(blockwatch.observations(run, other, allow=allow)) == len(blockwatch.observations(run))
    allow.write_text("no key\n")
    with pytest.raises(ConfigError):
        blockwatch.load(run, allow=allow)


def test_of_a_run_of_the_list_only_sealed_lines_count(tmp_path: Path, run: Path, allow: Path) -> None:
    """Whoever has a run that was sealed up to a line can write more behind it."""
    whole = shutil.copytree(run, tmp_path / "whole" / "run")
    sealed_again(run, OURS, size=3)
    in_record(4, lambda said: said.update(us=said["us"] + 1))(run)
    notes: list[str] = []
    steps = blockwatch.load(run, allow=allow, on_note=notes.append)
    assert (len(steps), steps["sealed"].all()) == (2, True)
    assert any("lines are left out, which no seal covers" in note for note in notes)
    lines = command("export", "results", "--format", "jsonl", "--allow", allow, cwd=tmp_path).stdout
    assert lines.encode().splitlines() == log_of(whole)[:3]
    both = command("judge", "--json", "whole", "results", "--allow", allow, cwd=tmp_path)
    assert (both.returncode, both.stdout) == (0, command("judge", "--json", "whole", cwd=tmp_path).stdout)


def test_a_card_is_of_the_copy_that_is_sealed_and_tells_of_the_other(tmp_path: Path, run: Path) -> None:
    other = shutil.copytree(run, tmp_path / "results" / f"00000000T000000Z-{FIRST}")
    unseal(other)
    in_record(2, lambda said: said.update(us=said["us"] + 1))(other)
    done = command("show", f"{FIRST}-000001", cwd=tmp_path)
    assert done.returncode == 9
    assert f"{run.name}/measurements.jsonl line 2" in "".join(done.stdout.split("\n"))
    assert "another history" in done.stderr
