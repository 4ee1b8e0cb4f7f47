"""Checking the proof of one record, alone: the same checks as in its run, as far as one record allows.

Rules of this file: what does not hold is a finding; a proof is sealed or it is nothing; outside time for the
run is not in it, so its grade is never above ``sealed``.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.evidence.allow import allowed_by
from blockwatch.evidence.proof import MAX_PROOF, Proof, Shown, check_proof
from blockwatch.evidence.report import Finding, Level, Report
from blockwatch.evidence.timestamps import read_bounded
from blockwatch.evidence.verify import Reader
from blockwatch.evidence.verify_bytes import oddity
from blockwatch.evidence.verify_log import decode_canonical
from blockwatch.evidence.warc import parse_member
from blockwatch.model import HttpStep

_BEGIN = 4_096


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
        shown = _checked(path)
    except EvidenceError as error:
        finding = Finding(kind="damage", where=path.name, what=error.what)
        return Report(path=str(path), kind="proof", findings=(finding,))
    key = str(shown.key)
    allowed = allowed_by(reader.keys, shown.key, shown.run_open.started) if reader.keys is not None else None
    findings: tuple[Finding, ...] = ()
    if reader.keys is not None and allowed is None:
        what = "sealed by a key that you did not name, or not for that day"
        findings = (Finding(kind="signer", where=path.name, what=what, record=shown.record.id),)
    size = shown.checkpoint.size
    return Report(
        path=str(path),
        kind="proof",
        run=shown.run_open.run,
        level=Level.SEALED,
        key=key,
        signer=allowed.name if allowed else None,
        lines=1,
        measurements=1,
        sealed=1,
        started=shown.record.started,
        asn=shown.run_open.vantage.asn,
        clock_offset_us=shown.run_open.clock_offset_us,
        imported=shown.run_open.imported is not None,
        findings=findings,
        notes=(f"record {shown.record.id} is line {shown.index + 1} of the {size} lines that were sealed",),
    )


def _checked(path: Path) -> Shown:
    raw = read_bounded(path, MAX_PROOF)
    shown = check_proof(raw, str(path))
    proof = msgspec.json.decode(raw, type=Proof)
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
    return shown
