"""Checking the proof of one record, alone: the same checks as in its run, as far as one record allows.

Rules of this file: what does not hold is a finding; a proof is sealed or it is nothing, and timed where it
brings stamps over its seal that count for the reader; witnesses are for whole runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from json import dumps
from pathlib import Path

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.evidence.allow import allowed_by
from blockwatch.evidence.proof import MAX_PROOF, Proof, Shown, read_proof, shown_by
from blockwatch.evidence.report import Finding, Level, Report
from blockwatch.evidence.timestamps import MAX_STAMPS, Stamp, read_bounded, read_content
from blockwatch.evidence.verify import Reader, of_its_days, of_the_clock, told
from blockwatch.evidence.verify_bytes import oddity
from blockwatch.evidence.verify_log import decode_canonical
from blockwatch.evidence.verify_times import too_early
from blockwatch.evidence.warc import parse_member
from blockwatch.model import HttpStep, Measurement
from blockwatch.run import RunOpen

_NOT_SHOWN = (
    "what else this run measured is not shown: the same address once more, another address, or a control may "
    "say otherwise. Ask for the whole run, or for the proofs of all records of the address"
)
_UNUSUAL = {  # field of a record → what it is in most, and what anything else means
    "valid": (True, "a fault of the program, and no finding"),
    "role": ("target", "not of what was to be measured"),
    "attempt": ("first", "measured once more, and not the only record of this address"),
    "stopped": (None, "steps that were planned are missing"),
}
_BEGIN = 4_096
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,75}\.(tsr|ots)")


def looks_like_a_proof(path: Path) -> bool:
    """Whether a file begins as a proof does."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(_BEGIN).lstrip()[:1] == b"{"
    except OSError:
        return False


def verify_proof(path: Path, reader: Reader) -> Report:
    """Check one file; a fault in it is a finding of the report."""
    try:
        shown, stamps, notes = _checked(path, reader)
    except EvidenceError as error:
        finding = Finding(kind="damage", where=path.name, what=error.what)
        return Report(path=str(path), kind="proof", findings=(finding,))
    allowed = allowed_by(reader.keys, shown.key, shown.run_open.started) if reader.keys is not None else None
    findings = [stamp for stamp in stamps if isinstance(stamp, Finding)]
    good = [stamp for stamp in stamps if isinstance(stamp, Stamp)]
    if reader.keys is not None and allowed is None:
        what = "sealed by a key that you did not name, or not for that day"
        findings.append(Finding(kind="signer", where=path.name, what=what, record=shown.record.id))
    offset = _offset(shown.run_open)
    for stamp in good:
        ended = shown.record.started + shown.record.us
        late, note = too_early(stamp, ended, offset, path.name)
        findings += [late] if late else []
        notes += [note] if note else []
    size = shown.checkpoint.size
    place = f"record {shown.record.id} is line {shown.index + 1} of the {size} lines that were sealed"
    moments = [stamp.not_after for stamp in good if stamp.not_after is not None]
    report = Report(
        path=str(path),
        kind="proof",
        run=shown.run_open.run,
        record=shown.record.id,
        url=shown.record.url,
        level=Level.TIMED if moments else Level.SEALED,
        key=str(shown.key),
        signer=allowed.name if allowed else None,
        lines=1,
        measurements=1,
        sealed=1,
        timed=1 if moments else 0,
        not_after=min(moments, default=None),
        started=shown.record.started,
        ended=shown.record.started + shown.record.us,
        root=shown.checkpoint.root.hex(),
        asn=shown.run_open.vantage.asn,
        clock_offset_us=offset,
        imported=shown.run_open.imported is not None,
        findings=tuple(findings),
        notes=(place, *_unusual(shown.record), _NOT_SHOWN, *notes, *(told(stamp, size) for stamp in good)),
    )
    report = msgspec.structs.replace(report, notes=(*report.notes, *of_the_clock(report)))
    return of_its_days(report, reader, shown.run_open.started)


def _unusual(record: Measurement) -> list[str]:
    """Say of a record what a reader must know who sees no other one."""
    said = ((name, getattr(record, name), *usual) for name, usual in _UNUSUAL.items())
    return [f"{name} is {dumps(value)}: {meaning}" for name, value, usual, meaning in said if value != usual]


def _offset(opened: RunOpen) -> int | None:
    """The largest offset of the clock that the first line tells of; ``None``: nobody told the time."""
    seen = [opened.clock_offset_us, *(check.offset_us for check in opened.checks)]
    return max((one for one in seen if one is not None), key=abs, default=None)


def _checked(path: Path, reader: Reader) -> tuple[Shown, list[Stamp | Finding], list[str]]:
    proof = read_proof(read_bounded(path, MAX_PROOF), str(path))
    shown = shown_by(proof, str(path))
    for line in (proof.run_open.line, proof.record.line):
        decode_canonical(line.encode())
    for step in shown.record.observations:
        if isinstance(step, HttpStep):
            for side, ref in (("response", step.response), ("request", step.request)):
                if ref:
                    member = parse_member(shown.members[ref.sha256], str(path))
                    odd = oddity(shown.record, step, side, member)
                    if odd or len(shown.members[ref.sha256]) != ref.length:
                        raise EvidenceError(f"the {side} of step {step.i}: {odd or 'its length is another'}")
    notes: list[str] = []
    if len(proof.stamps) > MAX_STAMPS:
        notes.append(f"it holds {len(proof.stamps)} stamps: only the first {MAX_STAMPS} were looked at")
    return shown, list(_stamps(proof, shown, reader, path.name)), notes


def _stamps(proof: Proof, shown: Shown, reader: Reader, where: str) -> Iterator[Stamp | Finding]:
    """What others saw; a stamp that is not good is a finding of its own, as in a run."""
    seal = shown.checkpoint.as_signed(shown.key) or b""
    digests = {sha256(seal).hexdigest(): shown.checkpoint.size}
    for stamp in proof.stamps[:MAX_STAMPS]:
        try:
            if not _NAME.fullmatch(stamp.name):
                raise EvidenceError("a stamp whose name is none")
            yield from read_content(stamp.name, stamp.data, digests, reader.trust)
        except EvidenceError as error:
            yield Finding(kind="stamp", where=where, what=f"{stamp.name[:80]}: {error.what}")
