"""What ``verify`` says of which run or record it looked at, and what its words do not hide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blockwatch.evidence.growth import make_growth
from blockwatch.evidence.proof import make_proof
from blockwatch.evidence.report import Level, Report
from blockwatch.evidence.tombstone import forget_run
from blockwatch.evidence.which import is_named_otherwise, which
from tests.cli.command import blockwatch
from tests.evidence.assets.world import FIRST, HOUR, OURS, SECOND, STARTED, in_record, sealed_again, write_run
from tests.evidence.verified import verified


def test_a_transcript_says_which_run_it_is_about(tmp_path: Path) -> None:
    run = write_run(tmp_path / "results")
    root = json.loads((run / "run.json").read_bytes())["root"]
    run.rename(tmp_path / "20200202T000000Z-court-ffffffffffffffff")
    done = blockwatch("verify", "20200202T000000Z-court-ffffffffffffffff", cwd=tmp_path)
    assert done.returncode == 0
    times = "2020-01-01 00:00:00 UTC to 2020-01-01 00:00:09 UTC by its own clock"
    assert f"  run {FIRST}, {times}, AS9198, 4 measurements, root {root}\n" in done.stdout
    assert "  the name of its folder says another run or another time than what is inside\n" in done.stdout


def test_so_do_those_of_proofs(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    root = json.loads((run / "run.json").read_bytes())["root"]
    (tmp_path / "proof.json").write_bytes(make_proof(run, "2"))
    (told,) = verified(tmp_path / "proof.json")
    times = "2020-01-01 00:00:00 UTC to 2020-01-01 00:00:00 UTC by its own clock"
    assert which(told) == (
        f"record {FIRST}-000002 of run {FIRST}, {times}, AS9198, root {root}: https://site.example.org/"
    )
    (tmp_path / "growth.json").write_bytes(make_growth(run, run / "checkpoints" / "3"))
    (told,) = verified(tmp_path / "growth.json")
    assert which(told) == f"run {FIRST}, 6 lines, root {root}"


def test_of_a_killed_run_no_end_is_known(tmp_path: Path) -> None:
    (told,) = verified(write_run(tmp_path, close=False, asn=None))
    assert " to no known end by its own clock, AS unknown, 4 measurements, " in str(which(told))
    assert which(Report(path="x", kind="run")) is None


@pytest.mark.parametrize(
    ("name", "otherwise"),
    [
        (f"20200101T000000Z-{FIRST}", False), (f"20200101T000000Z-a-b-{FIRST}", False), ("mine", False),
        (f"20200101T000001Z-home-{FIRST}", True), (f"20200101T000000Z-home-{SECOND}", True),
        (f"20310109T000000Z-x\ny-{FIRST}", True), (f"{FIRST}-0123456789ab", False),
    ],
)  # fmt: skip
def test_a_name_is_held_against_what_is_inside(name: str, otherwise: bool) -> None:
    told = Report(path="x", kind="run", run=FIRST, started=STARTED)
    assert is_named_otherwise(name, told) == otherwise


def test_a_gap_that_only_an_unsigned_note_fills_satisfies_no_requirement(tmp_path: Path) -> None:
    """The run that was withheld had a key; whoever withheld it has none, and writes what he likes."""
    first = write_run(tmp_path)
    write_run(tmp_path, SECOND, started=STARTED + HOUR)
    stone = forget_run(first, None, "2026-11-22T06:40:00Z")
    assert stone is not None
    (told,) = verified(tmp_path)
    assert told.sound
    assert not told.reaches(Level.SEALED)
    assert not any("was forgotten on purpose" in note and "says that" not in note for note in told.notes)
    (note,) = [note for note in told.notes if "only by an unsigned note" in note]
    assert f"forgotten/{FIRST}, which says that it was forgotten on purpose, 2026-11-22T06:40:00Z" in note
    stone.write_bytes(OURS.note(stone.read_bytes()))
    (told,) = verified(tmp_path)
    assert told.reaches(Level.SEALED)
    assert f"the run before it ({FIRST}) was forgotten on purpose, 2026-11-22T06:40:00Z" in told.notes


def test_the_name_of_a_key_is_said_to_be_no_key(tmp_path: Path) -> None:
    write_run(tmp_path)
    done = blockwatch("verify", tmp_path, "--key", OURS.key.name, cwd=tmp_path)
    assert done.returncode == 6
    assert "this is only the name of a key; its owner has the whole line" in done.stderr


def test_what_only_shows_less_than_was_asked_for_is_not_called_wrong(tmp_path: Path) -> None:
    write_run(tmp_path)
    done = blockwatch("verify", tmp_path, "--require", "timed", cwd=tmp_path)
    assert done.returncode == 9
    assert "Nothing is wrong with it; it shows less than was asked for" in done.stderr
    assert "another copy" not in done.stderr


def test_no_long_address_hides_which_record_it_is(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    in_record(3, lambda said: said.update(url="https://a.example/" + "x" * 3_000))(run)
    sealed_again(run)
    (tmp_path / "proof.json").write_bytes(make_proof(run, "2"))
    (told,) = verified(tmp_path / "proof.json")
    done = blockwatch("verify", tmp_path / "proof.json", cwd=tmp_path)
    assert f"AS9198, root {told.root}: https://a.example/xxx" in done.stdout
