"""``run.json`` and ``verdicts.jsonl`` may be missing, and may not say otherwise than the evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blockwatch.evidence.report import Level
from tests.cli.command import blockwatch
from tests.evidence.verified import verified


@pytest.mark.parametrize(
    ("field", "value"),
    [("root", "0" * 64), ("lines", 7), ("measurements", 1), ("asn", 1), ("ended", None), ("key", "x"),
     ("files", []), ("label", "else"), ("previous_root", "0" * 64), ("format", 2)],
)  # fmt: skip
def test_a_summary_that_says_otherwise_is_found(run: Path, field: str, value: object) -> None:
    told = json.loads((run / "run.json").read_bytes())
    told[field] = value
    (run / "run.json").write_text(json.dumps(told))
    (report,) = verified(run)
    assert [finding.where for finding in report.findings] == ["run.json"]
    assert field in report.findings[0].what


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 5_000, b"{" * 2_000_000])
def test_a_summary_that_is_none_is_found(run: Path, content: bytes) -> None:
    (run / "run.json").write_bytes(content)
    assert verified(run)[0].findings[0].where == "run.json"


@pytest.mark.parametrize("name", ["run.json", "verdicts.jsonl"])
@pytest.mark.parametrize("content", [b"made up", None])
def test_what_anybody_can_write_beside_a_run_takes_no_grade_from_it(
    run: Path, name: str, content: bytes | None
) -> None:
    (run / name).unlink()
    if content is None:
        (run / name).symlink_to("nowhere")
    else:
        (run / name).write_bytes(content)
    (report,) = verified(run)
    assert [finding.kind for finding in report.findings] == ["derived"]
    assert (report.sound, report.level) == (True, Level.SEALED)
    done = blockwatch("verify", run, cwd=run.parent)
    assert (done.returncode, "NOT WHAT THE EVIDENCE SAYS" in done.stdout) == (9, True)
    assert "sealed: nobody without the key has altered it" in done.stdout


@pytest.mark.parametrize(
    "line", [b'{"id":"aaaaaaaaaaaaaaaa-000005"}', b'{"id":"bbbbbbbbbbbbbbbb-000001"}', b"x", b"{}"]
)
def test_a_verdict_on_nothing_is_found(run: Path, line: bytes) -> None:
    with (run / "verdicts.jsonl").open("ab") as file:
        file.write(line + b"\n")
    assert verified(run)[0].findings[0].where == "verdicts.jsonl:5"


def test_that_verdicts_were_not_held_against_the_evidence_is_said(run: Path) -> None:
    word = "verdicts.jsonl is under no seal"
    assert any(word in note for note in verified(run)[0].notes)
    (run / "verdicts.jsonl").unlink()
    assert not any(word in note for note in verified(run)[0].notes)
