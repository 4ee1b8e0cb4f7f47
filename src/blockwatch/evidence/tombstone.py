"""Forgetting a run on purpose: the run goes, a signed statement stays in its place in the chain.

Rules of this file:

* the statement is on the disk before anything is deleted, and the run loses its name before its bytes go:
  stopped at any moment there is a whole run, or a tombstone, or both;
* it says which run, its root, size and predecessor, and when it was forgotten; nothing of what it measured;
* a run that was read from another program's records, or was put aside, is in no chain and leaves none;
* of a run encrypted as it was written the size is not known here: its tombstone has size 0.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Protocol

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.evidence.checkpoint import read_kept_note
from blockwatch.evidence.disk import in_words, replace_file, sync_folder
from blockwatch.evidence.log import read_lines
from blockwatch.evidence.merkle import Tree, leaf_hash
from blockwatch.evidence.naming import (
    ENCRYPTED_FILE,
    EXPORTED_FILE,
    NO_FOLDER,
    evidence_order,
    is_plain,
    no_folder,
)
from blockwatch.evidence.note import (
    VerifierKey,
    as_signed,
    parse_campaign_key,
    parse_note,
)
from blockwatch.evidence.reading import Run
from blockwatch.evidence.signing import Signer

FORGOTTEN_FOLDER = "forgotten"
_RUN_ID = re.compile(r"[0-9a-f]{16}")
_ASIDE = "aside"  # what an import put aside (merge.py)
_PUT_ASIDE = re.compile(r"[0-9a-f]{16}-[0-9a-f]{12}")
_ROOT = re.compile(r"[0-9a-f]{64}")
_TEXT = re.compile(
    r"blockwatch/forgotten\nrun ([0-9a-f]{16})\nkey (?:none|(\S+))\nsize (0|[1-9][0-9]{0,15})\n"
    r"root ([0-9a-f]{64})\nprevious (?:none|([0-9a-f]{64}))\nwhen ([0-9T:Z-]{20})\n"
)


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a forgotten run."""

    run: str
    key: VerifierKey | None  # of the run; None: it was unsigned
    size: int  # lines; 0: not known, the run was encrypted
    root: str  # lower-case hex, as in previous_root
    previous: str | None
    when: str  # RFC 3339, UTC
    signed: bool  # by the key of the run


class Noted(Protocol):
    """What an encrypted run says of itself in the clear (``rootnote.RootNote``)."""

    @property
    def run(self) -> str:
        """Its id."""

    @property
    def key(self) -> VerifierKey | None:
        """``None``: it is unsigned."""

    @property
    def root(self) -> str:
        """Lower-case hex."""

    @property
    def previous(self) -> str | None:
        """Root of the run before it, lower-case hex."""


def tombstone_text(run: Run, when: str) -> bytes:
    """The text to be signed; a damaged log counts as far as it can be read."""
    tree = Tree()
    try:
        for line in read_lines(run.log, []):
            tree.append(leaf_hash(line))
    except EvidenceError:
        pass  # forgetting must not need a whole log; what follows the damage is not vouched for
    before = run.open.previous_root or ""
    previous = before if _ROOT.fullmatch(before) else "none"
    return (
        f"blockwatch/forgotten\nrun {run.open.run}\nkey {_key_of(run) or 'none'}\nsize {tree.size}\n"
        f"root {tree.root().hex()}\nprevious {previous}\nwhen {when}\n"
    ).encode()


def _key_of(run: Run) -> VerifierKey | None:
    """The key the run names, if it is one: a stranger may have written the run."""
    try:
        return parse_campaign_key(run.open.key or "")
    except EvidenceError:
        return None


def parse_tombstone(raw: bytes, where: str = "") -> Tombstone:
    """Read a tombstone, signed or bare; raises ``EvidenceError``, also where its signature does not hold."""
    bare = b"\n\n" not in raw
    note = None if bare else parse_note(raw, where)
    text = raw if note is None else note.text
    match = _TEXT.fullmatch(text.decode("utf-8", "replace"))
    if match is None:
        raise EvidenceError("not the tombstone of a run", where=where)
    key = parse_campaign_key(match[2], where) if match[2] else None
    signed = note is not None and key is not None and as_signed(note, key) is not None
    if note is not None and not signed:
        raise EvidenceError("a tombstone with a signature that does not hold", where=where)
    return Tombstone(
        run=match[1],
        key=key,
        size=int(match[3]),
        root=match[4],
        previous=match[5],
        when=match[6],
        signed=signed,
    )


def read_tombstones(results: Path) -> list[Tombstone]:
    """The tombstones of a results folder, in order of forgetting; raises ``EvidenceError`` for a bad one."""
    folder = results / FORGOTTEN_FOLDER
    found = []
    if no_folder(folder):
        raise EvidenceError(NO_FOLDER, where=str(folder))
    try:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if _RUN_ID.fullmatch(path.name):
                stone = parse_tombstone(read_kept_note(path), str(path))
                if stone.run != path.name:
                    raise EvidenceError("a tombstone under another run's name", where=str(path))
                found.append(stone)
    except OSError as error:
        raise EvidenceError(f"cannot be read ({error.strerror})", where=str(folder)) from error
    return sorted(found, key=lambda stone: (stone.when, stone.run))


def forget_run(folder: Path, signer: Signer | None, when: str) -> Path | None:
    """Delete a run and leave its tombstone, signed where ``signer`` holds the run's key.

    Gives the tombstone's path, ``None`` for a run that is in no chain. Raises ``DiskError``, and
    ``EvidenceError`` where the first line of its log cannot be read.
    """
    stone = None
    results = results_of(folder)
    if not is_aside(folder):
        run = Run(folder)
        if not _RUN_ID.fullmatch(run.open.run):
            raise EvidenceError("a run whose id is none", where=str(folder))
        if run.open.imported is None:
            ours = signer is not None and str(signer.key) == run.open.key
            stone = _erect(results, run.open.run, tombstone_text(run, when), signer if ours else None)
    _delete(folder.resolve(), results)
    return stone


def forget_encrypted(folder: Path, noted: Noted | None, signer: Signer | None, when: str) -> Path | None:
    """The same for a run that was encrypted as it was written.

    ``noted``: what it left in the clear when it ended; ``None``: it was killed, and no run names it.
    """
    stone = None
    results = results_of(folder)
    if noted is not None:
        text = (
            f"blockwatch/forgotten\nrun {noted.run}\nkey {noted.key or 'none'}\nsize 0\n"
            f"root {noted.root}\nprevious {noted.previous or 'none'}\nwhen {when}\n"
        ).encode()
        ours = signer is not None and signer.key == noted.key
        stone = _erect(results, noted.run, text, signer if ours else None)
    _delete(folder.resolve(), results)
    return stone


def is_aside(folder: Path) -> bool:
    """Whether a run was put aside when it came: it is a copy, and in no chain here."""
    folder = folder.resolve()
    return folder.parent.name == _ASIDE and _PUT_ASIDE.fullmatch(folder.name) is not None


def results_of(folder: Path) -> Path:
    """The results folder that a run is in, also one that was put aside."""
    parent = folder.resolve().parent
    return parent.parent if is_aside(folder) else parent


def _erect(results: Path, run: str, text: bytes, signer: Signer | None) -> Path:
    stone = results / FORGOTTEN_FOLDER / run
    if no_folder(stone.parent):
        raise EvidenceError(NO_FOLDER, where=str(stone.parent))
    with in_words(stone.parent):
        stone.parent.mkdir(mode=0o700, exist_ok=True)
    replace_file(stone, signer.note(text) if signer else text)
    return stone


def _delete(folder: Path, results: Path) -> None:
    """Take the name away in one step, then the bytes; finishes what an earlier attempt left."""
    with in_words(results):
        folder.rename(results / f".forgotten-{folder.name}")
        sync_folder(results)
        for left in results.glob(".forgotten-*"):
            shutil.rmtree(left)
        sync_folder(results)


def extent(folder: Path) -> str:
    """How much evidence a run's folder holds, in words that change with whatever is added to it."""
    paths = [path for path in folder.rglob("*") if is_plain(path)]
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    sizes = [
        path.stat().st_size
        for name, path in names.items()
        if name == ENCRYPTED_FILE or evidence_order(name) is not None
    ]
    return f"{len(sizes)} files, {sum(sizes)} bytes"


def mark_exported(folder: Path, when: str, held: str) -> None:
    """Note that a run has been put in a bundle (RFC 3339, UTC) as far as it went then (:func:`extent`)."""
    path = folder / EXPORTED_FILE
    before = path.read_bytes() if is_plain(path) else b""
    replace_file(path, before[-10_000:] + f"bundled {when}: {held}\n".encode())


def was_exported(folder: Path) -> bool:
    """Whether all that a run's folder holds has been put in a bundle on this machine."""
    path = folder / EXPORTED_FILE
    if not is_plain(path):
        return False
    return path.read_bytes()[-20_000:].endswith(f": {extent(folder)}\n".encode())
