"""What the commands say of kept runs: to programs, to people, of damage, to a reader who goes away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from blockwatch.target import Order, Search
from tests.cli.command import BLOCKWATCH, HOSTILE, NO_NETWORK, RUN_ID, blockwatch, kept_run, no_traceback


def test_verdicts_as_lines_for_programs(tmp_path: Path) -> None:
    folder = kept_run(tmp_path / "results")
    done = blockwatch("judge", "--json", folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["id"] for line in lines] == [f"{RUN_ID}-000001", f"{RUN_ID}-000002"]
    assert [line["final"] for line in lines] == [False, True]
    for line in lines:
        assert list(line) == [
            *("id", "target", "url", "probe", "asn", "started", "state", "grade", "mechanism", "failed_step"),
            *("why", "ruleset", "final", "sealed"),
        ]
        assert (line["target"], line["url"], line["probe"], line["asn"]) == (
            "site",
            "http://example.org/",
            "web",
            9198,
        )
        assert line["started"].startswith("2026-11-22T")
        assert line["started"].endswith("Z")
        assert all(isinstance(fact, str) for fact in line["why"])


def test_verdicts_as_a_table_for_people(tmp_path: Path) -> None:
    folder = kept_run(tmp_path / "results", close=False)
    done = blockwatch("judge", tmp_path / "results", "--explain", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "killed before its end" in done.stdout
    assert "AS9198" in done.stdout
    assert "http://example.org/" in done.stdout
    assert f"measurement {RUN_ID}-000002" in done.stdout
    assert "#2  http: GET http://example.org/" in done.stdout
    assert folder.is_dir()


def test_a_card_escapes_what_strangers_wrote(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    done = blockwatch("show", f"{RUN_ID}-000001", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    joined = "".join(done.stdout.split())
    assert "[bold]stop[/bold]" in joined
    assert "\\x1b[2J" in joined
    assert HOSTILE not in done.stdout
    for words in (
        "2026-11-22",
        "UTC",
        "AS9198",
        "measurements.jsonl line 2",
        "bodies.warc.gz from byte",
        "SHA-256",
    ):
        assert words in done.stdout


def test_a_card_out_of_a_run_under_another_name(tmp_path: Path) -> None:
    kept_run(tmp_path / "results").rename(tmp_path / "mine")
    done = blockwatch("show", f"{RUN_ID}-000001", "--results", "mine", cwd=tmp_path)
    assert (done.returncode, "http://example.org/" in done.stdout) == (0, True)


def test_a_damaged_run_is_exit_9(tmp_path: Path) -> None:
    folder = kept_run(tmp_path / "results")
    log = folder / "measurements.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"run_open"', b'"run_opem"', 1))
    done = blockwatch("judge", folder, cwd=tmp_path)
    assert done.returncode == 9
    assert no_traceback(done)


def test_a_summary_in_every_form(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    table = blockwatch("summarise", "results", cwd=tmp_path)
    assert table.returncode == 0, table.stderr
    assert "site" in table.stdout
    csv = blockwatch("summarise", "results", "--format", "csv", "--by", "target", cwd=tmp_path)
    assert csv.stdout.splitlines()[0].startswith("target,")
    assert len(csv.stdout.splitlines()) == 2
    assert (
        json.loads(blockwatch("summarise", "results", "--format", "json", cwd=tmp_path).stdout)[0]["n"] == 1
    )
    assert blockwatch("summarise", "results", "--by", "nonsense", cwd=tmp_path).returncode == 2
    assert blockwatch("summarise", "results", "--from", "nonsense", cwd=tmp_path).returncode == 2


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    for number in range(3):
        kept_run(tmp_path / "results", run=f"{number:016x}")
    process = subprocess.Popen(
        [*BLOCKWATCH, "judge", "--json", str(tmp_path / "results")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")


def test_a_table_for_people_fits_a_page(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    table = blockwatch("summarise", "results", cwd=tmp_path).stdout
    assert max(map(len, table.splitlines())) < 160
    assert "site" in table
    full = blockwatch("summarise", "results", "--format", "csv", cwd=tmp_path).stdout
    assert "blocked_low" in full
    assert "blocked_low" not in table


@pytest.mark.parametrize("command", [["judge"], ["summarise"], ["verify"], ["bundle"], ["forget"]])
def test_where_runs_lie_one_step_deeper_is_said(tmp_path: Path, command: list[str]) -> None:
    kept_run(tmp_path / "results" / "demo")
    done = blockwatch(*command, "results", cwd=tmp_path)
    assert done.returncode == 2
    assert "There are runs in results/demo: name that." in done.stderr


def test_a_line_of_cron_is_told_nothing_where_nothing_is_left(tmp_path: Path) -> None:
    """Exit code 2 says it; words would be a letter each time."""
    (tmp_path / "list.txt").write_text("https://example.com/\n")
    words = ["run", "--resume", "--targets", "list.txt", "--yes"]
    for quiet, said in ((["--quiet"], ""), ([], "there is no run of yours to resume here")):
        done = _without_network(tmp_path, *words, *quiet)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
        assert bool(done.stderr) == bool(said)


def _without_network(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that would end if it touched the network."""
    script = f"{NO_NETWORK}from blockwatch.cli.main import main\nmain(sys.argv[1:])\n"
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=cwd,
        env={"BLOCKWATCH_STATE": str(cwd / "state")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_show_tells_what_the_list_knows_of_orders(tmp_path: Path) -> None:
    known = {
        "targets": ("site",),
        "kind": "court",
        "checked_on": "2026-11-22",
        "source": "https://x.example/",
    }
    orders = (
        Order(id="now", issuer="A \x1b[2J court", number="2-123", effective_from="2012-12-05", **known),
        Order(
            id="then",
            effective_from="2012",
            effective_to="2013-03-05",
            scope="host",
            names=("example.org",),
            **known,
        ),
    )
    searches = (Search(targets=("site",), source="https://y.example/", on="2026-11-20", found="none"),)
    kept_run(tmp_path / "results", orders=orders, searches=searches)
    card = " ".join(blockwatch("show", f"{RUN_ID}-000001", cwd=tmp_path).stdout.split())
    unclear = "(whether in force here then the list does not say)"
    assert f"now: court, A \\x1b[2J court, 2-123, 2012-12-05 to an unknown day {unclear}" in card
    over = "(not in force here then, by the list)"
    assert f"then: court, host example.org, 2012 to 2013-03-05 {over}, https://x.example/" in card
    assert "searched 2026-11-20: none, https://y.example/" in card
