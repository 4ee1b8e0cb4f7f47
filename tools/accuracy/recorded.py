"""Recorded OONI measurements, judged by the same rules, next to OONI's own verdict.

Read from ``../shared/data`` beside the repository where it is there; nothing of it is copied but the
name of a record, its truth and both verdicts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from blockwatch.judge import judge_run
from blockwatch.ooni import Bodies, Record, head_of, read_measurement, records, run_open_of
from blockwatch.verdict import State, Verdict
from tools.accuracy.trials import ROOT

DATA = ROOT.parent / "shared" / "data"
QA, REAL = DATA / "ooni-qa", DATA / "ooni-real" / "measurements.jsonl.gz"


@dataclass(frozen=True)
class Known:
    """A simulated measurement whose truth is known."""

    name: str
    truth: str
    ours: str
    right: bool
    theirs: str
    theirs_right: bool | None  # null: cannot be said in their terms


@dataclass(frozen=True)
class Real:
    """A measurement of a real network; nobody knows its truth."""

    line: int
    theirs: str
    ours: str


def known() -> list[Known]:
    """Every simulated measurement of the folder; empty where it is not there."""
    if not QA.is_dir():
        return []
    return [_known(row) for row in json.loads((QA / "truth.json").read_text())["table"]]


def _known(row: dict[str, Any]) -> Known:
    (record,) = records(QA / row["file"])
    if not isinstance(record, Record):
        raise TypeError(f"{row['file']}: {record}")
    verdict = judged(record)
    truth, mechanism = row["truth"], verdict.mechanism or ""
    told = [mechanism, *(reason.rule for reason in verdict.why)]
    return Known(
        name=row["name"],
        truth=truth["mechanism"] or truth["state"],
        ours=said(verdict),
        right=verdict.state.value in truth["states_allowed"]
        and (verdict.state is not State.BLOCKED or mechanism.startswith(tuple(truth["mechanisms_allowed"])))
        and all(any(word.startswith(part) for word in told) for part in truth["must_report"]),
        theirs=_theirs(row["ooni"]["blocking"], row["ooni"]["accessible"]),
        theirs_right=row["ooni"]["verdict_correct"],
    )


def real() -> Iterator[Real]:
    """Every web_connectivity measurement of real networks."""
    if not REAL.is_file():
        return
    for line, record in enumerate(records(REAL), 1):
        if isinstance(record, Record) and record.object.get("test_name") == "web_connectivity":
            keys = record.object.get("test_keys") or {}
            theirs = _theirs(keys.get("blocking"), keys.get("accessible"))
            yield Real(line, theirs, said(judged(record)))


def judged(record: Record) -> Verdict:
    """One record judged by itself, as one of a run of its own."""
    head = head_of(record.object)
    run_open = run_open_of("0" * 16, [head])
    measured = read_measurement(
        record.object, head, run=run_open.run, seq=1, run_started=run_open.started
    ).measured
    return judge_run(run_open, (measured.measurement,), None, Bodies(measured))[-1]


def said(verdict: Verdict) -> str:
    """A verdict in a few words."""
    grade = verdict.grade.value if verdict.grade else None
    return " ".join(filter(None, (verdict.state.value, grade, verdict.mechanism)))


def _theirs(blocking: object, accessible: object) -> str:
    if isinstance(blocking, str):
        return f"blocked ({blocking})"
    return {True: "accessible", False: "not accessible, not blocked"}.get(accessible, "no verdict")  # type: ignore[call-overload, no-any-return]
