"""OONI's measurements: read, and judged. The corpus is ours in their format: theirs is not ours to ship."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec

from blockwatch.codec import canonical
from blockwatch.judge import judge_run
from blockwatch.judge.recorded import judge_records
from blockwatch.ooni import Damage, Record, Unreadable, digest, head_of, read_measurement, records, to_ooni
from blockwatch.store import read_run
from tests.evidence.made import RUN
from tools.fuzz.readers.made import JUDGE, run_folder, worlds
from tools.fuzz.target import Target

_MODULES = tuple(
    f"blockwatch.ooni.{name}"
    for name in [
        "lines",
        "head",
        "read",
        "fields",
        "flows",
        "lookups",
        "responses",
        "rows",
        "answer",
        "traffic",
    ]
)


def _ours(work: Path) -> list[bytes]:
    run = read_run(run_folder(work))
    measurements = tuple(run.measurements)
    verdicts = judge_run(run.open, measurements, run.close, run.body)
    return (
        [
            msgspec.json.encode(to_ooni(run.open, one, lambda step, one=one: run.body(one, step), verdict))  # type: ignore[misc]
            for one, verdict in zip(measurements, verdicts, strict=True)
        ][:6]
        + [
            msgspec.json.encode(to_ooni(one.open, judged, lambda step: None, one.verdicts[-1]))
            for one in worlds()
            for judged in one.measurements
            if judged.id == one.verdicts[-1].id and judged.probe == "web"
        ]
    )


def _read(work: Path) -> Target:
    file = work / "ooni.jsonl"

    def read(raw: bytes) -> None:
        file.write_bytes(raw)
        for record in records(file):
            if isinstance(record, Record):
                try:
                    head = head_of(record.object)
                except Unreadable:
                    continue
                known = digest(record.object).hex()
                found = read_measurement(record.object, head, run=RUN, seq=1, run_started=0, source=known)
                canonical(found.measured.measurement)

    ours = _ours(work)
    return Target(
        [*ours[:3], *ours[6:], b"\n".join(ours[3:6]), gzip.compress(ours[0], mtime=0), _envelope(ours[1])],
        read,
        _MODULES,
        is_json=True,
    )


def _envelope(raw: bytes) -> bytes:
    return json.dumps({"format": "json", "content": json.loads(raw)}, indent=1).encode()


def _judge(work: Path) -> Target:
    file = work / "ooni.jsonl"

    def read(raw: bytes) -> None:
        file.write_bytes(raw)
        found: list[Record | Damage] = list(records(file))
        for verdict in judge_records(found, on_skip=lambda where, why: None):
            canonical(verdict)

    return Target(_ours(work), read, JUDGE, is_json=True)


READERS = {"OONI file": _read, "OONI file that is judged": _judge}
