"""Recorded measurements of OONI's probes, judged: simulated ones with their truth, and real ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blockwatch.model import DnsStep, TlsStep
from blockwatch.ooni import Record, Unreadable, records
from blockwatch.verdict import State
from tests.ooni.data import QA, REAL, judged, needs_qa, needs_real

TRUTH = json.loads((QA / "truth.json").read_text())["table"] if QA.is_dir() else []


def the_record(name: str) -> Record:
    (record,) = records(QA / name)
    assert isinstance(record, Record)
    return record


@needs_qa
@pytest.mark.parametrize("row", TRUTH, ids=lambda row: row["name"])
def test_simulated_measurements_get_a_verdict_that_their_truth_allows(row: dict[str, Any]) -> None:
    verdict, _ = judged(the_record(row["file"]))
    truth = row["truth"]
    assert verdict.state in truth["states_allowed"], verdict.why
    mechanism = verdict.mechanism or ""
    if verdict.state is State.BLOCKED:
        assert mechanism.startswith(tuple(truth["mechanisms_allowed"]))
    for part in truth["must_report"]:
        assert mechanism.startswith(part) or any(reason.rule.startswith(part) for reason in verdict.why)


def real() -> list[Record]:
    found = list(records(REAL / "measurements.jsonl.gz"))
    assert all(isinstance(record, Record) for record in found)
    return [record for record in found if isinstance(record, Record)]


@needs_real
def test_real_measurements_are_read_or_said_to_be_of_another_test() -> None:
    other = 0
    for record in real():
        if record.object.get("test_name") == "web_connectivity":
            verdict, measured = judged(record)
            assert verdict.id == measured.measurement.id
        else:
            other += 1
            with pytest.raises(Unreadable, match="not web_connectivity"):
                judged(record)
    assert other == 42


@needs_real
def test_no_real_site_that_valid_tls_proves_reachable_is_called_blocked() -> None:
    proven = 0
    for record in real():
        if record.object.get("test_name") != "web_connectivity":
            continue
        verdict, measured = judged(record)
        steps = measured.measurement.observations
        given = {a for s in steps if isinstance(s, DnsStep) and s.resolver == "system" for a in s.addresses}
        valid = [s for s in steps if isinstance(s, TlsStep) and s.failure is None and s.trust is None]
        own = [s for s in valid if s.address in given and s.hop == 0]
        if own and measured.measurement.url.startswith("https://"):
            proven += 1
            assert verdict.state is not State.BLOCKED
    assert proven >= 4


@needs_real
def test_real_block_pages_are_found() -> None:
    found = {
        judged(record)[0].url: judged(record)[0].mechanism
        for record in real()
        if record.object.get("test_name") == "web_connectivity" and judged(record)[0].state is State.BLOCKED
    }
    assert found == {"http://rutor.org/": "http.redirect", "http://archive.org": "http.redirect"}


@needs_real
def test_no_address_of_a_probe_gets_into_a_run() -> None:
    for record in real():
        own = record.object.get("probe_ip")
        if record.object.get("test_name") != "web_connectivity" or own in (None, "", "127.0.0.1"):
            continue
        _, measured = judged(record)
        assert own not in repr(measured)
