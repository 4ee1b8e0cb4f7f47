"""Nothing that is there already is written over, whatever a command is told to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import blockwatch, kept_run, no_traceback

RUN = "RUN"  # stands for the run's folder
COMMANDS = {
    "bundle": ["bundle", RUN, "-o"],
    "parts": ["bundle", RUN, "--split", "0.01", "-o"],
    "web archive": ["bundle", RUN, "--wacz", "-o"],
    "OONI": ["export", RUN, "--format", "ooni", "-o"],
    "records": ["export", RUN, "--format", "jsonl", "-o"],
    "rotation": ["key", "rotate", "--announce"],
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_file_that_is_there_stays(tmp_path: Path, words: list[str]) -> None:
    folder = kept_run(tmp_path / "results")
    log = folder / "measurements.jsonl"
    before = log.read_bytes()
    done = blockwatch(*(folder if word == RUN else word for word in words), log, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "there already" in done.stderr
    no_traceback(done)
    assert log.read_bytes() == before
    assert not (folder / "exported").exists()


def test_neither_do_the_parts_of_a_bundle_give_way(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    (tmp_path / "x.001").write_bytes(b"of another bundle")
    done = blockwatch("bundle", "results", "--split", "0.01", "-o", "x", cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert (tmp_path / "x.001").read_bytes() == b"of another bundle"


def test_a_folder_that_is_not_there_is_not_taken_for_a_file(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    done = blockwatch("bundle", "results", "-o", "stick/", cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "no such folder" in done.stderr
    assert not (tmp_path / "stick").exists()


def test_the_same_bundle_may_be_made_again_under_its_own_name(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    first, second = (blockwatch("bundle", "results", cwd=tmp_path) for _ in range(2))
    assert (first.returncode, first.stdout) == (second.returncode, second.stdout) == (0, first.stdout)
