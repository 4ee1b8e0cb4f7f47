"""The proof of one record: one measurement, shown alone, that anybody can hold against a run's seal.

Rules of this file:

* a proof holds the record, its captured bytes, the run's first line (network, clock), what others said
  of the seal, and nothing else;
* it is made only of what the newest checkpoint covers, and checked as a stranger would before it is given;
* a reader trusts no size, count or hash in it; what does not hold is an ``EvidenceError`` that says what.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from blockwatch.codec import canonical, decode_record
from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence.checkpoint import (
    Checkpoint,
    checkpoint_files,
    parse_checkpoint,
    read_checkpoint,
    seal_in,
)
from blockwatch.evidence.merkle import inclusion_proof, leaf_hash, verify_inclusion
from blockwatch.evidence.note import MAX_NOTE, VerifierKey, parse_campaign_key
from blockwatch.evidence.reading import Run
from blockwatch.evidence.timestamps import stamp_paths, stamps_over
from blockwatch.evidence.warc import read_stored
from blockwatch.model import HttpStep, Measurement, Noun, WarcRef
from blockwatch.run import Record, RunOpen

PROOF_TYPE = "blockwatch proof"
MAX_PROOF = 67_108_864  # bytes of the file
_LONGEST_NOTE = 6 * MAX_NOTE  # as JSON, in which a character may take six bytes
_PIECE = 1_048_576


class ProofLine(Noun, frozen=True, kw_only=True):
    """One line of the log and its place in the tree."""

    index: int
    line: str
    path: tuple[bytes, ...] = ()


class ProofMember(Noun, frozen=True, kw_only=True):
    """Captured bytes as stored."""

    sha256: str
    data: bytes


class ProofStamp(Noun, frozen=True, kw_only=True):
    """What somebody outside said of the checkpoint, as it lies in ``timestamps/``."""

    name: str
    data: bytes


class Proof(Noun, frozen=True, kw_only=True):
    """What the file says."""

    type: str
    format: int = 1
    key: str
    checkpoint: str
    run_open: ProofLine
    record: ProofLine
    members: tuple[ProofMember, ...] = ()
    stamps: tuple[ProofStamp, ...] = ()


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof that holds has shown."""

    key: VerifierKey  # who sealed it; whether that is to be believed is another question
    checkpoint: Checkpoint
    run_open: RunOpen
    record: Measurement
    index: int
    members: dict[str, bytes]  # SHA-256 (hex) → gzip member as stored, for ``warc.parse_member``


def make_proof(folder: Path, record: str) -> bytes:
    """The file for one record: its id, or its number in the run.

    Raises ``UsageError`` where there is no such record, ``EvidenceError`` where it cannot be proved.
    """
    run = Run(folder)
    sealed = newest_seal(run)
    wanted = f"{run.open.run}-{int(record):06d}" if re.fullmatch("[0-9]{1,9}", record) else record
    leaves: list[bytes] = []
    first = found = None
    for line, said in run.lines():
        if len(leaves) == sealed.size:
            break
        if isinstance(said, Measurement) and said.id == wanted:
            found = (len(leaves), line, said)
        first = first or line
        leaves.append(leaf_hash(line))
    if found is None or first is None:
        raise UsageError(
            f"there is no record {wanted[:60]!r} among the {sealed.size} lines that are sealed",
            where=str(folder),
            remedy="`blockwatch judge --json` shows the ids. What came after the last seal has no proof.",
        )
    index, line, measurement = found
    sealed = _stamped_seal(run, index) or sealed
    del leaves[sealed.size :]
    note = seal_in(sealed.path, run.open.key)
    stamps = stamps_over(folder, sha256(note).hexdigest())
    proof = Proof(
        type=PROOF_TYPE,
        key=run.open.key or "",
        checkpoint=note.decode(),
        run_open=ProofLine(index=0, line=first.decode(), path=tuple(inclusion_proof(leaves, 0))),
        record=ProofLine(index=index, line=line.decode(), path=tuple(inclusion_proof(leaves, index))),
        members=tuple(_members(folder, measurement)),
        stamps=tuple(ProofStamp(name=name, data=data) for name, data in stamps),
    )
    raw = canonical(proof) + b"\n"
    check_proof(raw, str(folder))  # a damaged run must not give a proof that fails elsewhere
    return raw


def _stamped_seal(run: Run, index: int) -> Checkpoint | None:
    """The newest seal over a leaf that others saw, of an authority first; ``None``: nobody did."""
    promised = None
    for path in reversed(checkpoint_files(run.folder) if stamp_paths(run.folder) else []):
        seal = read_checkpoint(path)
        if seal.size <= index:
            break
        names = [name for name, _ in stamps_over(run.folder, sha256(seal_in(path, run.open.key)).hexdigest())]
        if any(name.endswith(".tsr") for name in names):
            return seal
        promised = promised or (seal if names else None)
    return promised


def newest_seal(run: Run) -> Checkpoint:
    """The newest seal of a run; raises ``EvidenceError`` where there is none."""
    files = checkpoint_files(run.folder)
    if run.open.key is None or not files:
        raise EvidenceError(
            "this run is not sealed, so nothing can be proved of one record alone",
            where=str(run.folder),
            remedy="Hand over the whole run: blockwatch bundle.",
        )
    return read_checkpoint(files[-1])


def _members(folder: Path, measurement: Measurement) -> Iterator[ProofMember]:
    size = 0
    for ref in _refs(measurement):
        size += ref.length
        if size > MAX_PROOF // 2:
            what = f"the captured bytes of this record do not fit into {MAX_PROOF} bytes"
            raise UsageError(what, remedy="Hand on the whole run: blockwatch bundle.")
        yield ProofMember(sha256=ref.sha256, data=read_stored(folder, ref))


def _refs(measurement: Measurement) -> list[WarcRef]:
    """What a measurement refers to, step by step, response before request, each member once."""
    refs = (
        ref
        for step in measurement.observations
        if isinstance(step, HttpStep)
        for ref in (step.response, step.request)
        if ref
    )
    return list({ref.sha256: ref for ref in refs}.values())


class _Seal(msgspec.Struct):
    """As much of the file as tells how long a field is that may not be, before anything is made of it."""

    checkpoint: msgspec.Raw


def check_proof(raw: bytes, where: str = "") -> Shown:
    """Check a proof by what is in it alone; raises ``EvidenceError`` that says what does not hold."""
    return shown_by(read_proof(raw, where), where)


def read_proof(raw: bytes, where: str = "") -> Proof:
    """What the file says; raises ``EvidenceError`` where it is none, and takes little more memory than it."""
    if len(raw) > MAX_PROOF:
        raise EvidenceError(f"a proof of more than {MAX_PROOF} bytes", where=where)
    try:
        utf8 = codecs.getincrementaldecoder("utf-8")()  # also names that are skipped are UTF-8
        for at in range(0, len(raw) + 1, _PIECE):
            utf8.decode(raw[at : at + _PIECE], final=at + _PIECE > len(raw))
        if len(memoryview(msgspec.json.decode(raw, type=_Seal).checkpoint)) > _LONGEST_NOTE:
            raise EvidenceError(f"a proof whose seal has more than {MAX_NOTE} bytes", where=where)
        proof = msgspec.json.decode(raw, type=Proof)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        words = " ".join(str(error).split())[:300]
        raise EvidenceError(f"not the proof of a record ({words})", where=where) from error
    if proof.type != PROOF_TYPE:
        raise EvidenceError("not the proof of a record (another type)", where=where)
    if proof.format != 1:
        raise EvidenceError(f"a proof of format {proof.format}, which is not known here", where=where)
    return proof


def shown_by(proof: Proof, where: str = "") -> Shown:
    """Check what a proof says; raises ``EvidenceError`` that says what does not hold."""
    key = parse_campaign_key(proof.key, where)
    sealed = parse_checkpoint(proof.checkpoint.encode("utf-8", "replace"), Path(where))
    if sealed.signed_by(key) is not True:
        raise EvidenceError("the seal is not signed by the key that is named", where=where)
    opened = _included(proof.run_open, sealed, "the run's first line", where)
    record = _included(proof.record, sealed, "the record", where)
    if not isinstance(opened, RunOpen) or proof.run_open.index or opened.run != sealed.run:
        raise EvidenceError("the first line is not that of the run that was sealed", where=where)
    if opened.key != proof.key:
        raise EvidenceError("the run was to be sealed by another key", where=where)
    if not isinstance(record, Measurement) or not record.id.startswith(f"{opened.run}-"):
        raise EvidenceError("the record is not a measurement of the run", where=where)
    return Shown(
        key=key,
        checkpoint=sealed,
        run_open=opened,
        record=record,
        index=proof.record.index,
        members=_checked(proof, record, where),
    )


def _included(line: ProofLine, sealed: Checkpoint, what: str, where: str) -> Record:
    leaf = line.line.encode("utf-8", "replace")
    if not verify_inclusion(leaf_hash(leaf), line.index, sealed.size, line.path, sealed.root):
        raise EvidenceError(f"{what} is not in the log that was sealed", where=where)
    try:
        return decode_record(leaf)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError(f"{what} cannot be read", where=where) from error


def _checked(proof: Proof, record: Measurement, where: str) -> dict[str, bytes]:
    """The members, which are exactly those that the record refers to; none is unpacked here."""
    if [member.sha256 for member in proof.members] != [ref.sha256 for ref in _refs(record)]:
        raise EvidenceError("the captured bytes are not those that the record refers to", where=where)
    for member in proof.members:
        if sha256(member.data).hexdigest() != member.sha256:
            raise EvidenceError("captured bytes that were altered", where=where)
    return {member.sha256: member.data for member in proof.members}
