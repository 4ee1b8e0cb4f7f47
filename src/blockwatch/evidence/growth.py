"""The proof that a log only grew: for whoever was given an early seal of a run, and holds no line of it.

Rules of this file:

* it holds two seals of one run by its key and the consistency proof between them (RFC 6962, section 2.1.2),
  and no line of the log: nothing that was measured is revealed;
* it is made of a log that fits both seals, and checked as a stranger would before it is given;
* what does not hold is an ``EvidenceError`` that says what.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import EvidenceError
from blockwatch.evidence.checkpoint import Checkpoint, parse_checkpoint, read_checkpoint, seal_in
from blockwatch.evidence.log import read_lines
from blockwatch.evidence.merkle import consistency_proof, leaf_hash, root_of, verify_consistency
from blockwatch.evidence.note import VerifierKey, parse_campaign_key
from blockwatch.evidence.proof import newest_seal
from blockwatch.evidence.reading import Run
from blockwatch.model import Noun

GROWTH_TYPE = "blockwatch growth"
MAX_GROWTH = 262_144  # bytes of the file


class Growth(Noun, frozen=True, kw_only=True):
    """What the file says."""

    type: str
    format: int = 1
    key: str
    earlier: str
    checkpoint: str
    path: tuple[bytes, ...] = ()


class Grown(msgspec.Struct, frozen=True, kw_only=True):
    """What such a proof has shown: the lines under ``earlier`` are the first of those under ``later``."""

    key: VerifierKey
    earlier: Checkpoint
    later: Checkpoint


def make_growth(folder: Path, earlier: Path) -> bytes:
    """The file for one run and an earlier seal of it, wherever that lies.

    Raises ``EvidenceError`` where the log does not fit them both.
    """
    run = Run(folder)
    newest, first = newest_seal(run), read_checkpoint(earlier)
    if first.run != run.open.run:
        raise EvidenceError("the seal of another run", where=str(earlier))
    if first.size > newest.size:
        what = f"it seals {first.size} lines, and the newest seal of the run {newest.size}: some were cut off"
        raise EvidenceError(what, where=str(earlier))
    leaves = []
    for line in read_lines(run.log, []):
        leaves.append(leaf_hash(line))
        if len(leaves) == newest.size:
            break
    for seal in (first, newest):
        if len(leaves) < seal.size or root_of(leaves[: seal.size]) != seal.root:
            raise EvidenceError(f"not a seal of the first {seal.size} lines of the log", where=str(seal.path))
    proof = Growth(
        type=GROWTH_TYPE,
        key=run.open.key or "",
        earlier=seal_in(earlier, run.open.key).decode(),
        checkpoint=seal_in(newest.path, run.open.key).decode(),
        path=tuple(consistency_proof(leaves, first.size)),
    )
    raw = canonical(proof) + b"\n"
    check_growth(raw, str(folder))
    return raw


def check_growth(raw: bytes, where: str = "") -> Grown:
    """Check a proof by what is in it alone; raises ``EvidenceError`` that says what does not hold."""
    if len(raw) > MAX_GROWTH:
        raise EvidenceError(f"a proof of more than {MAX_GROWTH} bytes", where=where)
    try:
        proof = msgspec.json.decode(raw, type=Growth)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        words = " ".join(str(error).split())[:300]
        raise EvidenceError(f"not the proof that a log grew ({words})", where=where) from error
    if (proof.type, proof.format) != (GROWTH_TYPE, 1):
        raise EvidenceError("not the proof that a log grew (another type or format)", where=where)
    key = parse_campaign_key(proof.key, where)
    notes = (proof.earlier, proof.checkpoint)
    earlier, later = (parse_checkpoint(note.encode("utf-8", "replace"), Path(where)) for note in notes)
    for name, seal in (("earlier", earlier), ("newer", later)):
        if seal.signed_by(key) is not True:
            raise EvidenceError(f"the {name} seal is not signed by the key that is named", where=where)
    if earlier.run != later.run:
        raise EvidenceError("the seals are of two runs", where=where)
    if not verify_consistency(earlier.size, later.size, proof.path, earlier.root, later.root):
        raise EvidenceError(
            "the lines under the earlier seal are not the first of the newer one", where=where
        )
    return Grown(key=key, earlier=earlier, later=later)
