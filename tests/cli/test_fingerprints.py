"""``--fingerprints``: the same option of every command that judges."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from blockwatch.judge import LATEST
from tests.cli.command import blockwatch, kept_run, no_traceback

HEADER = (
    "name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_countries,source\n"
)
ROW = "xx_1,isp,,body,contains,hello from the registry,5,KZ,somebody\n"


def test_verdicts_say_which_pack_they_rest_on(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    table = tmp_path / "mine.csv"
    table.write_text(HEADER + ROW)
    done = blockwatch("judge", "--json", "--fingerprints", table, "results", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rulesets = {json.loads(line)["ruleset"] for line in done.stdout.splitlines()}
    assert len(rulesets) == 1
    assert rulesets.pop().startswith(f"{LATEST}+ooni:")
    plain = blockwatch("judge", "--json", "results", cwd=tmp_path)
    assert {json.loads(line)["ruleset"] for line in plain.stdout.splitlines()} == {str(LATEST)}
    summary = blockwatch("summarise", "results", "--fingerprints", table, cwd=tmp_path)
    assert summary.returncode == 0, summary.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["judge", "results"],
        ["summarise", "results"],
        ["plan", "--targets", "list.txt"],
        ["run", "--targets", "list.txt", "--yes"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_broken_table_is_refused_before_anything_is_done(arguments: list[str], tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    (tmp_path / "list.txt").write_text("https://example.org/\n")
    (tmp_path / "bad.csv").write_text(HEADER + ROW + "torn\n")
    before = sorted((tmp_path / "results").iterdir())
    done = blockwatch(*arguments, "--fingerprints", "bad.csv", cwd=tmp_path)
    assert done.returncode == 6, done.stderr
    assert "bad.csv:3: 1 columns" in done.stderr
    assert no_traceback(done)
    assert sorted((tmp_path / "results").iterdir()) == before


def test_a_pipe_is_no_table(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = blockwatch("judge", ".", "--fingerprints", "pipe", cwd=tmp_path)
    assert done.returncode == 6
    assert "ordinary file" in done.stderr
