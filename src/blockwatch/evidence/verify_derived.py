"""Checking what was derived from a run: ``run.json`` and ``verdicts.jsonl`` must not say otherwise.

Rules of this file:

* both may be missing; neither is evidence; one that contradicts the log misleads, and is a finding;
* a verdict is held against the log only in what is not a judgement: that there is such a measurement; that
  the rest of it was not looked at is said, as it is what people open first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import DiskError, EvidenceError
from blockwatch.evidence.log import MAX_LINE
from blockwatch.evidence.naming import NO_FILE, SUMMARY_FILE, VERDICTS_FILE, is_plain, stands
from blockwatch.evidence.report import Finding, kind_of
from blockwatch.evidence.summary import RunSummary, summary_of
from blockwatch.evidence.timestamps import read_bounded
from blockwatch.evidence.verify_log import LogCheck

_NOT_HELD = (
    f"{VERDICTS_FILE} is under no seal, and whether the verdicts in it are those of the evidence was not "
    "checked: `blockwatch judge` makes them anew"
)
_MAX_SUMMARY = 1_048_576
_ID = re.compile(r"([0-9a-f]{16})-([0-9]{6,16})")


def derived_findings(folder: Path, log: LogCheck) -> Iterator[Finding]:
    """Yield what the derived files say otherwise than the log, which was read whole."""
    if stands(folder / SUMMARY_FILE):
        try:
            yield from _of_summary(folder, log)
        except EvidenceError as error:
            yield Finding(kind=kind_of(error, "derived"), where=SUMMARY_FILE, what=error.what)
    if stands(folder / VERDICTS_FILE):
        log.notes.append(_NOT_HELD)
        try:
            yield from _of_verdicts(folder / VERDICTS_FILE, log)
        except EvidenceError as error:
            yield Finding(kind=kind_of(error, "derived"), where=VERDICTS_FILE, what=error.what)


def _of_summary(folder: Path, log: LogCheck) -> Iterator[Finding]:
    raw = read_bounded(folder / SUMMARY_FILE, _MAX_SUMMARY)
    try:
        told = msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError("not a JSON object") from error
    assert log.open is not None  # noqa: S101, the log was read
    try:
        summary = summary_of(folder, log.open, log.close, log.lines, log.roots[log.lines].hex())
    except DiskError as error:
        raise EvidenceError(f"cannot be compared ({error.what})") from error
    true = msgspec.json.decode(canonical(summary), type=dict[str, object])
    for field in RunSummary.__struct_fields__:
        default = {"format": 1, "versions": [], "files": []}.get(field)
        if told.get(field, default) != true.get(field, default):
            what = f"its field {field} says otherwise than the run"
            yield Finding(kind="derived", where=SUMMARY_FILE, what=what)
            return


def _of_verdicts(path: Path, log: LogCheck) -> Iterator[Finding]:
    run = log.open.run if log.open else ""
    try:
        if not is_plain(path):  # a pipe would be waited for
            raise EvidenceError(NO_FILE)
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 1):
                where = f"{VERDICTS_FILE}:{number}"
                try:
                    told = msgspec.json.decode(line, type=dict[str, object]).get("id")
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    yield Finding(kind="derived", where=where, what="not a verdict")
                    return
                found = _ID.fullmatch(told) if isinstance(told, str) else None
                if found is None or found[1] != run or int(found[2]) not in log.seen:
                    what = "a verdict on a measurement that is not in the log"
                    yield Finding(kind="derived", where=where, what=what)
                    return
    except OSError as error:
        raise EvidenceError(f"cannot be read ({error.strerror})") from error
