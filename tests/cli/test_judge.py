"""``blockwatch judge``: explanations, older rulesets, and control vantages, as the command gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import blockwatch as api
from blockwatch.model import Measured
from blockwatch.run import Vantage
from blockwatch.store import RunWriter
from tests.cli.command import blockwatch, kept_run, no_traceback
from tests.judge.test_control_runs import CLEAN, DEAD, KAZAKH, MINUTE_US, SWEDE, run_of
from tests.judge.world import World

HERE, ABROAD = "f" * 16, "1" * 16


def kept(results: Path, run: tuple[Any, ...]) -> Path:
    """Write a played run; its folder."""
    open_, made, close = run
    writer = RunWriter(results)
    writer.open(open_)
    for measurement in made:
        writer.write(Measured(measurement=measurement))
    writer.close(close)
    return writer.folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A run in which the site's address is dead, and one made abroad three minutes before."""
    here = kept(tmp_path / "results", run_of(World(**DEAD), HERE, KAZAKH))
    return here, kept(tmp_path / "abroad", run_of(CLEAN, ABROAD, SWEDE, -3 * MINUTE_US))


def final(out: str) -> dict[str, Any]:
    found: dict[str, Any] = [
        line for line in map(json.loads, out.splitlines()) if line["final"] and line["target"] == "site"
    ][-1]
    return found


def test_an_explanation_for_people_names_steps_and_what_is_missing(folders: tuple[Path, Path]) -> None:
    done = blockwatch("judge", "--explain", folders[0], cwd=folders[0])
    assert done.returncode == 0, done.stderr
    for words in (
        "tcp.alone  [inconclusive]",
        "tcp: 62.122.1.1 port 443: generic_timeout_error",
        "looked, found nothing",
        "no evidence",
        "a control: line.helper tcp.down tcp.blocked",
        "a control: a test helper",
    ):
        assert words in done.stdout, words


def test_an_explanation_is_harmless_to_a_terminal(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    for options in (["--explain"], ["--explain", "--json"]):
        done = blockwatch("judge", *options, tmp_path / "results", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "\\x1b[2J" in done.stdout.replace("\\\\", "\\")
        assert all(character.isprintable() or character == "\n" for character in done.stdout)


def test_an_explanation_for_programs(folders: tuple[Path, Path]) -> None:
    plain = blockwatch("judge", "--json", folders[0], cwd=folders[0])
    done = blockwatch("judge", "--json", "--explain", folders[0], cwd=folders[0])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    explanations = [line.pop("explain") for line in lines]
    assert lines == [json.loads(line) for line in plain.stdout.splitlines()]
    for line, told in zip(lines, explanations, strict=True):
        assert line["why"] == [f"{spoke['rule']}: {spoke['text']}" for spoke in told["spoke"]]
        assert all(w["step"] != "not at hand" for spoke in told["spoke"] for w in spoke["witnesses"])
        assert {asked["said"] for asked in told["asked"]} <= {
            *("decides", "notes", "looked", "missing", "not asked")
        }
    assert explanations[-1].keys() == {"spoke", "asked", "line", "lift"}


def test_older_rulesets_are_asked_and_unknown_ones_refused(folders: tuple[Path, Path]) -> None:
    for number in (1, 2):
        done = blockwatch("judge", "--json", "--ruleset", str(number), folders[0], cwd=folders[0])
        assert final(done.stdout)["ruleset"] == str(number)
    refused = blockwatch("judge", "--ruleset", "99", folders[0], cwd=folders[0])
    assert refused.returncode == 2
    assert "99 is none of the rulesets that this version has: 1, 2" in refused.stderr
    early = blockwatch("judge", "--ruleset", "1", "--control-run", folders[1], folders[0], cwd=folders[0])
    assert early.returncode == 2


def test_a_control_run_settles_what_was_open_everywhere(folders: tuple[Path, Path]) -> None:
    here, abroad = folders
    assert final(blockwatch("judge", "--json", here, cwd=here).stdout)["state"] == "inconclusive"
    done = blockwatch("judge", "--json", "--explain", here, "--control-run", abroad, cwd=here)
    line = final(done.stdout)
    assert (line["state"], line["grade"]) == ("blocked", "signs")
    (told,) = {fact for fact in line["why"] if fact.startswith("control.run") and "3 min" in fact} or {""}
    assert f"{ABROAD}-" in told
    witnesses = [w for spoke in line["explain"]["spoke"] for w in spoke["witnesses"]]
    assert any(w["ref"].startswith(ABROAD) and "200" in w["step"] for w in witnesses)

    table = blockwatch(
        "summarise", here, "--control-run", abroad.parent, "--by", "target", "--format", "csv", cwd=here
    )
    rows = [row.split(",") for row in table.stdout.splitlines()]
    site = dict(zip(rows[0], next(row for row in rows if row[0] == "site"), strict=True))
    assert (site["blocked"], site["signs"]) == ("1", "1")
    exported = blockwatch("export", here, "--format", "csv", "--control-run", abroad, cwd=here)
    assert "tcp.timeout" in exported.stdout
    frame = api.load(here, control=abroad)
    assert set(frame[frame["target"] == "site"]["state"]) == {"blocked"}
    far = api.load(here, control=abroad, control_hours=1)
    assert set(far[far["target"] == "site"]["state"]) == {"blocked"}
    assert set(api.load(here)["state"]) == {"ok", "inconclusive"}


def test_a_control_run_that_cannot_be_one_is_named(folders: tuple[Path, Path]) -> None:
    here, _ = folders
    unknown = kept(here.parent / "unknown", run_of(CLEAN, "2" * 16, Vantage(ipv4=True)))
    done = blockwatch("judge", "--json", here, "--control-run", unknown, cwd=here)
    assert final(done.stdout)["state"] == "inconclusive"
    assert f"control run {'2' * 16} is not used: the network it was made on is not known" in done.stderr
    with pytest.warns(UserWarning, match="is not used"):
        api.load(here, control=unknown)


@pytest.mark.parametrize("path", ["empty", "nowhere"])
def test_a_control_run_that_is_not_there_is_wrong_usage(folders: tuple[Path, Path], path: str) -> None:
    (folders[0].parent / "empty").mkdir()
    done = blockwatch("judge", folders[0], "--control-run", folders[0].parent / path, cwd=folders[0])
    assert done.returncode == 2
    assert no_traceback(done)


def test_the_records_themselves_have_no_control(folders: tuple[Path, Path]) -> None:
    done = blockwatch("export", folders[0], "--format", "jsonl", "--control-run", folders[1], cwd=folders[0])
    assert done.returncode == 2


def test_where_runs_lie_one_step_further_down_is_said(tmp_path: Path) -> None:
    for name in ("spring", "autumn", "aside"):
        kept_run(tmp_path / "results" / name)
    for command in (["judge"], ["summarise"], ["export", "--format", "csv"]):
        done = blockwatch(*command, "results", cwd=tmp_path)
        assert done.returncode == 2
        assert "There are runs in results/autumn, results/spring: name that." in done.stderr
