"""OONI's measurements judged as they are read: the verdicts are those of an import."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from blockwatch.cli.commands import blockwatch
from blockwatch.errors import UsageError
from blockwatch.judge import judge_run, recorded
from blockwatch.judge.recorded import few_collections, judge_records
from blockwatch.ooni import Damage, Record, records, to_ooni
from blockwatch.ooni.lines import decode
from blockwatch.store import find_runs, read_run
from blockwatch.verdict import Verdict

SAMPLE = Path(__file__).parents[2] / "results" / "sample"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """The sample run in OONI's form, as two reports and three measurements that name none."""
    (folder,) = find_runs([SAMPLE])
    run = read_run(folder)
    found = [
        to_ooni(run.open, one, lambda step, one=one: run.body(one, step))
        for one in run.measurements
        if one.valid and one.url.startswith("http")
    ]
    for position, row in enumerate(found):
        row["report_id"] = "" if position < 3 else ("one", "two")[position % 2]
    return found


def told(verdicts: Iterator[Verdict] | list[Verdict]) -> list[tuple[Any, ...]]:
    """What verdicts say, whatever run they stand in."""
    return sorted(
        (v.url, v.started, v.state, v.grade, v.mechanism, v.final, [(r.rule, r.text) for r in v.why])
        for v in verdicts
    )


def read(rows: list[dict[str, Any]]) -> Iterator[Record | Damage]:
    return (decode(f"file:{n}", msgspec.json.encode(row)) for n, row in enumerate(rows))


def test_the_verdicts_are_those_of_an_import(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    results = str(tmp_path / "results")
    done = CliRunner().invoke(blockwatch, ["import", "--format", "ooni", str(file), "--results", results])
    assert done.exit_code == 0
    runs = [read_run(folder) for folder in find_runs([tmp_path / "results"])]
    assert len(runs) == 5
    kept = [v for run in runs for v in judge_run(run.open, tuple(run.measurements), run.close, run.body)]
    assert told(judge_records(records(file))) == told(kept)


def test_the_command_says_the_same_and_keeps_nothing(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    done = CliRunner().invoke(blockwatch, ["judge", "--format", "ooni", "--json", str(file)])
    assert done.exit_code == 0
    said = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    expected = [(v.id, v.state, v.mechanism) for v in judge_records(records(file))]
    assert [(one["id"], one["state"], one.get("mechanism")) for one in said] == expected
    table = CliRunner().invoke(blockwatch, ["judge", "--format", "ooni", str(file)])
    assert rows[0]["input"] in table.stdout
    assert list(tmp_path.iterdir()) == [file]


def test_the_command_names_what_it_cannot_read(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(msgspec.json.encode(rows[0]) + b"\n{torn\n")
    done = CliRunner().invoke(blockwatch, ["judge", "--format", "ooni", "--json", str(file)])
    assert done.exit_code == 3
    assert len(done.stdout.splitlines()) == 1
    assert "rows.jsonl:2: skipped: not JSON" in done.stderr
    both = CliRunner().invoke(blockwatch, ["judge", "--format", "ooni", "--explain", str(file)])
    assert isinstance(both.exception, UsageError)


def test_what_cannot_be_judged_is_told(rows: list[dict[str, Any]]) -> None:
    skipped: list[tuple[str, str]] = []
    found = [Damage("file:9", "torn"), *read([{**rows[0], "test_name": "ndt"}, rows[1]])]
    verdicts = judge_records(found, on_skip=lambda where, why: skipped.append((where, why)))
    assert len(list(verdicts)) == 1
    assert skipped == [("file:9", "torn"), ("file:0", "not web_connectivity: 'ndt'")]


def test_no_more_is_held_than_the_bound(rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred times as many measurements: those not judged yet stay as few."""
    monkeypatch.setattr(recorded, "MOST_BYTES", 100_000)
    ahead = most = 0
    named = [{**row, "report_id": "one"} for row in rows]
    largest = max(len(msgspec.json.encode(row)) for row in named)

    def source() -> Iterator[Record]:
        nonlocal ahead, most
        for turn in range(100):
            for record in read(
                [{**row, "measurement_start_time": f"2026-11-22 05:{turn % 60:02}:00"} for row in named]
            ):
                assert isinstance(record, Record)
                ahead += len(record.raw)
                most = max(most, ahead)
                yield record

    judged = 0
    for _ in judge_records(source()):
        judged += 1
        ahead = 0
    assert judged == 100 * len(rows)
    assert most <= 100_000 + 2 * largest


def test_a_report_that_begins_earlier_than_it_seemed_is_begun_anew(rows: list[dict[str, Any]]) -> None:
    early = {
        **rows[-1],
        "measurement_start_time": "2001-01-01 00:00:00",
        "test_start_time": "2001-01-01 00:00:00",
    }
    both = [rows[-1], {**early, "report_id": rows[-1]["report_id"]}]
    assert [verdict.started for verdict in judge_records(read(both))][1] < 10**15


def test_collections_are_as_often_as_before_in_the_end() -> None:
    before = gc.get_threshold()
    with few_collections():
        assert gc.get_threshold() > before
    assert gc.get_threshold() == before
