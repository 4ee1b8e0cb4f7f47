"""Checking the proof of one record, alone: the same checks as in its run, as far as one record allows.

Rules of this file: what does not hold is a finding; a proof is sealed or it is nothing, and timed where it
brings stamps over its seal that count for the reader; witnesses are for whole runs.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.evidence.allow import allowed_by
from blockwatch.evidence.proof import MAX_PROOF, Proof, Shown, check_proof
from blockwatch.evidence.report import Finding, Level, Report
from blockwatch.evidence.timestamps import MAX_STAMPS, Stamp, read_bounded, read_content
from blockwatch.evidence.verify import Reader, of_the_clock, told
from blockwatch.evidence.verify_bytes import oddity
from blockwatch.evidence.verify_log import decode_canonical
from blockwatch.evidence.warc import parse_member
from blockwatch.model import HttpStep

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
        shown, stamps = _checked(path, reader)
    except EvidenceError as error:
        finding = Finding(kind="damage", where=path.name, what=error.what)
        return Report(path=str(path), kind="proof", findings=(finding,))
    allowed = allowed_by(reader.keys, shown.key, shown.run_open.started) if reader.keys is not None else None
    findings: tuple[Finding, ...] = ()
    if reader.keys is not None and allowed is None:
        what = "sealed by a key that you did not name, or not for that day"
        findings = (Finding(kind="signer", where=path.name, what=what, record=shown.record.id),)
    size = shown.checkpoint.size
    place = f"record {shown.record.id} is line {shown.index + 1} of the {size} lines that were sealed"
    moments = [stamp.not_after for stamp in stamps if stamp.not_after is not None]
    report = Report(
        path=str(path),
        kind="proof",
        run=shown.run_open.run,
        level=Level.TIMED if moments else Level.SEALED,
        key=str(shown.key),
        signer=allowed.name if allowed else None,
        lines=1,
        measurements=1,
        sealed=1,
        timed=1 if moments else 0,
        not_after=min(moments, default=None),
        started=shown.record.started,
        asn=shown.run_open.vantage.asn,
        clock_offset_us=shown.run_open.clock_offset_us,
        imported=shown.run_open.imported is not None,
        findings=findings,
        notes=(place, *(told(stamp, size) for stamp in stamps)),
    )
    return msgspec.structs.replace(report, notes=(*report.notes, *of_the_clock(report)))


def _checked(path: Path, reader: Reader) -> tuple[Shown, list[Stamp]]:
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
    return shown, _stamps(proof, shown, reader)


def _stamps(proof: Proof, shown: Shown, reader: Reader) -> list[Stamp]:
    digests = {sha256(proof.checkpoint.encode()).hexdigest(): shown.checkpoint.size}
    if len(proof.stamps) > MAX_STAMPS:
        raise EvidenceError(f"more than {MAX_STAMPS} stamps")
    found: list[Stamp] = []
    for stamp in proof.stamps:
        if not _NAME.fullmatch(stamp.name):
            raise EvidenceError("a stamp whose name is none")
        found += read_content(stamp.name, stamp.data, digests, reader.trust)
    return found
