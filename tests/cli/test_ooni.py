"""``blockwatch import`` and ``blockwatch export``, run as a shell would."""

from __future__ import annotations

import csv
import gzip
import io
import ipaddress
import json
import os
from pathlib import Path
from typing import Any

import pytest

from blockwatch.store import find_runs, read_run
from tests.cli.command import blockwatch, kept_run, no_traceback
from tests.runner.test_scrub_forms import forms_of


def exported(folder: Path, results: Path) -> list[dict[str, Any]]:
    done = blockwatch("export", results, "--format", "ooni", cwd=folder)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_there_and_back_and_not_twice(tmp_path: Path) -> None:
    kept_run(tmp_path / "ours")
    file = tmp_path / "theirs.jsonl.gz"
    lines = [json.dumps(one) for one in exported(tmp_path, tmp_path / "ours")]
    assert len(lines) == 2
    file.write_bytes(gzip.compress("\n".join([*lines, "{torn", '{"test_name": "ndt"}', *lines]).encode()))
    done = blockwatch("import", "--format", "ooni", file, "--results", "new", "--json", cwd=tmp_path)
    assert done.returncode == 3
    assert json.loads(done.stdout) == {
        "read": 5, "kept": 2, "already": 2, "runs": 1, "left_out": {},
        "skipped": {"not JSON": 1, "not web_connectivity: 'ndt'": 1},
    }  # fmt: skip
    assert f"{file}:3: skipped: not JSON" in done.stderr
    assert f"{file}:4: skipped: not web_connectivity" in done.stderr
    (folder,) = find_runs([tmp_path / "new"])
    run = read_run(folder)
    assert run.open.imported is not None
    assert run.open.vantage.asn == 9198
    assert run.close is not None
    assert run.close.reason == "done"
    again = blockwatch("import", "--format", "ooni", file, "--results", "new", cwd=tmp_path)
    assert "5 read, 0 kept in 0 runs, 4 already there" in again.stdout
    assert find_runs([tmp_path / "new"]) == [folder]
    assert not list((tmp_path / "new").glob(".import-*"))


def test_a_report_that_grew_gets_a_run_for_what_is_new(tmp_path: Path) -> None:
    kept_run(tmp_path / "ours")
    one, other = exported(tmp_path, tmp_path / "ours")
    for count, lines in enumerate([[one], [one, other]], start=1):
        file = tmp_path / "grown.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = blockwatch("import", "--format", "ooni", file, "--results", "new", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        runs = [read_run(folder) for folder in find_runs([tmp_path / "new"])]
        assert len(runs) == count
    assert sorted(sum(1 for _ in run.measurements) for run in runs) == [1, 1]
    assert len({run.open.imported for run in runs}) == 1


def test_imported_runs_are_judged(tmp_path: Path) -> None:
    kept_run(tmp_path / "ours")
    file = tmp_path / "theirs.json"
    file.write_text(json.dumps(exported(tmp_path, tmp_path / "ours")[0], indent=4))
    assert blockwatch("import", "--format", "ooni", file, "--results", "new", cwd=tmp_path).returncode == 0
    done = blockwatch("judge", "--json", "new", cwd=tmp_path)
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["url"] == "http://example.org/"


@pytest.mark.parametrize("probe", ["95.56.8.20", "2a03:32c0:1f:2::9"])
def test_no_form_of_the_probes_address_is_kept(probe: str, tmp_path: Path) -> None:
    address = ipaddress.ip_address(probe)
    forms = [form(address) for form in forms_of(address)]
    lines = [json.dumps(_telling(probe, number, form)) for number, form in enumerate(forms)]
    (tmp_path / "old.jsonl").write_text("\n".join(lines))
    done = blockwatch("import", "--format", "ooni", "old.jsonl", "--results", "new", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["kept"] == len(forms)
    (folder,) = find_runs([tmp_path / "new"])
    kept = (folder / "measurements.jsonl").read_text()
    kept += gzip.decompress((folder / "bodies.warc.gz").read_bytes()).decode()
    assert [form for form in forms if json.dumps(form)[1:-1] in kept or form in kept] == []
    assert "it says" in kept  # around it all stays
    assert blockwatch("verify", folder, cwd=tmp_path).returncode == 0


def test_the_resolver_of_the_line_is_not_kept(tmp_path: Path) -> None:
    told = _telling("127.0.0.1", 1, "resolver 95.56.0.53, and 95.56.0.54") | {"resolver_ip": "95.56.0.53"}
    world = _telling("127.0.0.1", 2, "resolver 8.8.8.8") | {"resolver_ip": "8.8.8.8"}
    met = _telling("127.0.0.1", 3, "go to 95.56.0.53") | {"resolver_ip": "95.56.0.53"}
    met["test_keys"]["tcp_connect"] = [{"ip": "95.56.0.53", "port": 80, "status": {"success": True}}]
    (tmp_path / "new.jsonl").write_text("\n".join(map(json.dumps, (told, world, met))))
    done = blockwatch("import", "--format", "ooni", "new.jsonl", "--results", "new", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["kept"] == 3
    (folder,) = find_runs([tmp_path / "new"])
    kept = gzip.decompress((folder / "bodies.warc.gz").read_bytes()).decode()
    for text in ("resolver [scrubbed], and 95.56.0.54", "resolver 8.8.8.8", "go to 95.56.0.53"):
        assert text in kept


def _telling(probe: str, number: int, form: str) -> dict[str, Any]:
    """A record as old probes wrote it, of a server that tells its visitor who it is."""
    url = f"http://e{number}.example/"
    said = f"it says: {form} ."
    response = {"code": 200, "body": said, "headers": {"X-You": said}}
    return {
        "test_name": "web_connectivity", "report_id": "old", "input": url, "probe_ip": probe,
        "measurement_start_time": "2016-03-04 05:06:07",
        "test_keys": {"requests": [{"request": {"url": url}, "response": response}]},
    }  # fmt: skip


def test_what_cannot_be_imported(tmp_path: Path) -> None:
    hostile = tmp_path / "bad\x1b[2J.json"
    hostile.write_text('{"test_name": "\\u001b[2Jx"}')
    done = blockwatch("import", "--format", "ooni", hostile, tmp_path / "none", cwd=tmp_path)
    assert done.returncode == 3
    assert "\x1b" not in done.stdout + done.stderr
    assert "no such file" in done.stderr
    assert no_traceback(done)
    assert blockwatch("import", "--format", "warc", hostile, cwd=tmp_path).returncode == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none", "there is no such file"),
        ("folder", "this is a folder"),
        ("pipe", "this is no ordinary file"),
        ("-", "standard input is not read"),
        ("empty", "the file is empty"),
        ("notes.txt", "notes.txt:1: skipped: not JSON"),
        ("other.json", "it names no test"),
    ],
)
def test_what_is_no_data_of_oonis_is_no_empty_answer(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "notes.txt").write_text("hello\n")
    (tmp_path / "other.json").write_text('{"a": 1}')
    done = blockwatch("judge", "--format", "ooni", name, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.splitlines()[-2].startswith(f"blockwatch: {name}: ")
    assert done.stderr.splitlines()[-1].startswith("  ")  # what to do
    assert done.stdout == ""


def test_files_of_other_tests_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "ndt.json").write_text('{"test_name": "ndt"}')
    done = blockwatch("judge", "--format", "ooni", "ndt.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "ndt.json:1: skipped: not web_connectivity" in done.stderr


def test_an_import_that_finds_nothing_says_what_to_name(tmp_path: Path) -> None:
    done = blockwatch("import", "none", cwd=tmp_path)
    assert done.returncode == 2
    assert "or OONI's measurements" in done.stderr


def test_export_as_records_and_as_a_table(tmp_path: Path) -> None:
    folder = kept_run(tmp_path / "results")
    done = blockwatch("export", folder, "--format", "jsonl", "-o", "records.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "records.jsonl").read_bytes() == (folder / "measurements.jsonl").read_bytes()
    table = blockwatch("export", folder, "--format", "csv", cwd=tmp_path)
    rows = list(csv.DictReader(io.StringIO(table.stdout)))
    assert [row["url"] for row in rows] == ["http://example.org/"] * 2
    nowhere = blockwatch("export", folder, "--format", "csv", "-o", "no/such/folder.csv", cwd=tmp_path)
    assert nowhere.returncode == 5
    assert no_traceback(nowhere)
