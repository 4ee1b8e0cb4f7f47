"""Judging, summing up, showing, exporting: each says what a seal covers, and refuses what was altered."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

import blockwatch
from blockwatch.codec import canonical
from tests.cli.command import blockwatch as command
from tests.evidence.assets.world import FIRST, OURS, log_of, put_log, replace_in, unseal, write_run

ADDRESS = "https://planted.example.org/"


def planted(results: Path) -> Path:
    """A killed run, sealed to line 3 of 5, to which somebody without a key adds what suits him."""
    run = write_run(results, close=False)
    lines = log_of(run)
    said: dict[str, Any] = json.loads(lines[-1])
    said |= {"seq": 5, "id": f"{FIRST}-000005", "url": ADDRESS, "target": "planted"}
    for step in said["observations"]:
        step.pop("request", None)
        step.pop("response", None)
    put_log(run, [*lines, canonical(said)])
    return run


def altered(results: Path) -> Path:
    """One digit is another one, under the seal."""
    run = write_run(results)
    replace_in(run, "measurements.jsonl", b'"us":400000', b'"us":400001')
    return run


def test_what_no_seal_covers_is_told(tmp_path: Path) -> None:
    results = tmp_path / "results"
    planted(results)
    told = "NO SEAL covers lines 4 to 6: anybody may have written what is there; lines 1 to 3 are under a"
    judge = command("judge", results, "--json", cwd=tmp_path)
    assert judge.returncode == 0
    assert told in judge.stderr
    said = [json.loads(line) for line in judge.stdout.splitlines()]
    assert [one["sealed"] for one in said] == [True, True, False, False, False]
    assert said[-1]["url"] == ADDRESS
    explained = command("judge", results, "--json", "--explain", cwd=tmp_path)
    assert [json.loads(line)["sealed"] for line in explained.stdout.splitlines()] == [
        one["sealed"] for one in said
    ]
    assert "sealed up to line 3 of 6" in command("judge", results, cwd=tmp_path).stdout
    summary = command("summarise", results, cwd=tmp_path)
    assert "2 of 5 records are under a good seal" in summary.stderr
    assert f"run {FIRST}: 3 of its records are under NO SEAL" in summary.stderr
    card = command("show", f"{FIRST}-000005", "--results", results, cwd=tmp_path)
    assert "seal       NO SEAL covers line 6" in card.stdout
    card = command("show", f"{FIRST}-000002", "--results", results, cwd=tmp_path)
    assert f"seal       line 3 is under a good seal of {OURS.key.name}" in card.stdout


def test_a_whole_run_is_said_to_be_sealed(tmp_path: Path) -> None:
    write_run(tmp_path / "results")
    told = command("judge", "results", cwd=tmp_path)
    assert f"seal: all 6 lines are under a good seal of {OURS.key.name}" in told.stderr
    assert "sealed" not in told.stdout
    summary = command("summarise", "results", cwd=tmp_path)
    assert "4 of 4 records are under a good seal" in summary.stderr
    assert "NO SEAL" not in summary.stderr


def test_so_is_one_that_nobody_signed(tmp_path: Path) -> None:
    unseal(write_run(tmp_path / "results"))
    told = command("judge", "results", cwd=tmp_path)
    assert told.returncode == 0
    assert "NO SEAL covers any line of it" in told.stderr
    assert "not sealed" in told.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("judge", "results"), ("judge", "--explain", "results"), ("summarise", "results"),
        ("show", f"{FIRST}-000004", "--results", "results"), ("export", "results", "--format", "csv"),
        ("export", "results", "--format", "ooni"), ("export", "results", "--format", "jsonl"),
        ("retest", "--from", "results/run"), ("judge", "fine", "--control-run", "results"),
    ],
)  # fmt: skip
def test_what_was_altered_under_a_seal_is_damage(words: tuple[str, ...], tmp_path: Path) -> None:
    altered(tmp_path / "results").rename(tmp_path / "results" / "run")
    write_run(tmp_path / "fine", "c" * 16)
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 9, done
    assert "measurements.jsonl:1: lines 1 to 3 are not those that were sealed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_table_of_verdicts_says_which_are_sealed(tmp_path: Path) -> None:
    planted(tmp_path / "results")
    frame = blockwatch.load(tmp_path / "results")
    assert frame["sealed"].tolist() == [True, True, False, False, False]
    table = command("export", "results", "--format", "csv", cwd=tmp_path)
    assert [row["sealed"] for row in csv.DictReader(io.StringIO(table.stdout))] == ["True"] * 2 + [
        "False"
    ] * 3
