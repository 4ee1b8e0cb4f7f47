"""``timestamps/``: what others saw of a run's checkpoints, and when.

Rules of this file:

* a stamp speaks of the bytes of ``checkpoint`` or of an earlier one in ``checkpoints/``; one that speaks
  of anything else, or does not hold, is no good, and says nothing against the run: anybody can put it there;
* a reply of an authority is kept byte for byte; a calendar's proof may be replaced by one that says more;
* time counts only on the word of somebody whom the reader named: an authority's root certificate, or
  the header of a Bitcoin block. Anything else is told, and proves nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cryptography import x509

from blockwatch.errors import EvidenceError
from blockwatch.evidence.authority import authority_path
from blockwatch.evidence.checkpoint import CHECKPOINT_FILE, seal_in
from blockwatch.evidence.disk import in_words, replace_file
from blockwatch.evidence.naming import NO_FOLDER, no_folder
from blockwatch.evidence.ots import MAX_PROOF, Node, read_proof
from blockwatch.evidence.reading import Run
from blockwatch.evidence.tsp import MAX_REPLY, Token, read_reply
from blockwatch.model import Noun

STAMPS = "timestamps"
MAX_STAMPS = 256  # files in the folder that are looked at
_BLOCK_SLACK = 7_200_000_000  # a block's own time may be two hours off


class Trust(Noun, frozen=True, kw_only=True):
    """Whose word on time the reader takes."""

    roots: tuple[x509.Certificate, ...] = ()
    blocks: Mapping[int, tuple[bytes, int]] = {}  # height → (Merkle root, microseconds since the epoch)


class Stamp(Noun, frozen=True, kw_only=True):
    """What one file in ``timestamps/`` shows."""

    file: str  # "timestamps/<name>"
    lines: int  # of the log that the stamped checkpoint seals
    by: str  # who says so, as that one calls itself
    not_after: int | None = None  # microseconds since the epoch; null: proves no time to this reader
    claimed: int | None = None  # the same where nobody the reader named vouches for it
    why_not: str | None = None  # why it proves nothing to this reader


def stamp_name(url: str, digest: bytes, suffix: str) -> str:
    """Name the file that keeps what ``url``, and no other one, said of ``digest``: each time the same."""
    place = re.sub(r"[^a-z0-9.-]+", "_", url.partition("://")[2].lower()).strip("_.-")[:40].rstrip("_.-")
    return f"{place}-{sha256(url.encode()).hexdigest()[:8]}-{digest.hex()[:16]}{suffix}"


def stamped_by(folder: Path, name: str, digest: bytes) -> str | None:
    """Who has stamped this seal already in the file ``name``, or beside it where a bad one has its name."""
    for path in sorted((folder / STAMPS).glob(f"{name.removesuffix('.tsr')}*.tsr")):
        with suppress(EvidenceError):
            token = read_reply(read_bounded(path, MAX_REPLY))
            if token.imprint == digest.hex():
                return token.authority
    return None


def free_name(folder: Path, name: str) -> str:
    """The name for a stamp; another one where something has it that is not to be written over."""
    if not os.path.lexists(folder / STAMPS / name):
        return name
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{os.urandom(3).hex()}.{suffix}"


def stamp_paths(folder: Path) -> list[Path]:
    """Files of ``timestamps/`` in order of their names; a reader looks at the first ``MAX_STAMPS``."""
    stamps = folder / STAMPS
    if not stamps.is_dir():
        return []
    return sorted(path for path in stamps.iterdir() if path.suffix in (".tsr", ".ots"))


def keep_stamp(folder: Path, name: str, content: bytes) -> Path:
    """Write a stamp beside the run; raises ``DiskError``, or ``EvidenceError``: it would go elsewhere."""
    path = folder / STAMPS / name
    if no_folder(path.parent):
        raise EvidenceError(NO_FOLDER, where=str(path.parent))
    with in_words(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
    replace_file(path, content)
    return path


def check_reply(reply: bytes, digest: bytes, nonce: int) -> Token:
    """Whether an authority answered what it was asked; raises ``EvidenceError``."""
    token = read_reply(reply)
    if token.imprint != digest.hex():
        raise EvidenceError("the authority stamped something else than it was asked to")
    if token.nonce != nonce:
        raise EvidenceError("the reply belongs to another request (its random number is not ours)")
    return token


def read_stamp(path: Path, digests: Mapping[str, int], trust: Trust) -> list[Stamp]:
    """What one file shows; ``digests``: SHA-256 (hex) of a checkpoint → lines it seals.

    Raises ``EvidenceError`` where it is damaged or contradicts the run.
    """
    content = read_bounded(path, MAX_REPLY if path.suffix == ".tsr" else MAX_PROOF)
    return read_content(path.name, content, digests, trust)


def read_content(name: str, content: bytes, digests: Mapping[str, int], trust: Trust) -> list[Stamp]:
    """Do the same with the content of a file of this name."""
    place = f"{STAMPS}/{name}"
    if name.endswith(".tsr"):
        return [_of_authority(place, read_reply(content), digests, trust.roots)]
    return list(_of_calendar(place, read_proof(content), digests, trust.blocks))


def stamps_over(folder: Path, digest: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of the stamps of a run that are over this seal (SHA-256, hex)."""
    for path in stamp_paths(folder)[:MAX_STAMPS]:
        try:
            content = read_bounded(path, MAX_PROOF)
            read_content(path.name, content, {digest: 1}, Trust())
        except EvidenceError:
            continue  # over an earlier seal, or damaged: it would not vouch for anything here
        yield path.name, content


def read_bounded(path: Path, most: int) -> bytes:
    """Read a small file; what has more than ``most`` bytes comes one byte longer, to be refused."""
    try:
        if path.is_symlink() or not path.is_file():  # a pipe would be waited for
            raise EvidenceError("not a file")
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise EvidenceError(f"cannot be read ({error.strerror})") from error


def _lines(imprint: str, digests: Mapping[str, int]) -> int:
    if imprint not in digests:
        raise EvidenceError("a stamp over something else than this run's checkpoints")
    return digests[imprint]


def _of_authority(
    name: str, token: Token, digests: Mapping[str, int], roots: Sequence[x509.Certificate]
) -> Stamp:
    moment = token.time + (token.accuracy or 0)
    lines = _lines(token.imprint, digests)
    try:
        if not roots:
            raise EvidenceError("you named no authority that you trust")
        authority_path(token, roots)
    except EvidenceError as error:
        return Stamp(file=name, lines=lines, by=token.authority, claimed=moment, why_not=error.what)
    return Stamp(file=name, lines=lines, by=token.authority, not_after=moment)


def _of_calendar(
    name: str, proof: Node, digests: Mapping[str, int], blocks: Mapping[int, tuple[bytes, int]]
) -> Iterator[Stamp]:
    lines = _lines((proof.message or b"").hex(), digests)
    for node, attestation in proof.attested():
        height, calendar = attestation.height, attestation.calendar
        if height is not None:
            by = f"Bitcoin block {height}"
            if height not in blocks:
                yield Stamp(file=name, lines=lines, by=by, why_not="you gave no header of that block")
            elif node.message is None:
                yield Stamp(file=name, lines=lines, by=by, why_not="this machine lacks a hash on its way")
            elif node.message != blocks[height][0]:
                raise EvidenceError(f"does not lead to the header of block {height} that you gave")
            else:
                yield Stamp(file=name, lines=lines, by=by, not_after=blocks[height][1] + _BLOCK_SLACK)
        elif calendar is not None:
            yield Stamp(file=name, lines=lines, by=calendar, why_not="a promise, not yet in a block")
        else:
            yield Stamp(
                file=name, lines=lines, by="an attestation of an unknown kind", why_not="not understood"
            )


def digest_of(folder: Path) -> bytes:
    """SHA-256 of the newest seal of a run, which is what is stamped; raises ``EvidenceError``."""
    return sha256(seal_in(folder / CHECKPOINT_FILE, Run(folder).open.key)).digest()
