"""``root``: what an encrypted run leaves readable of itself, so that the chain goes on without its contents.

Rules of this file:

* it names the run, its key, its root, the root before it and the hash of ``run.age``, and nothing else;
* it is signed by the key of the run, like a tombstone; an unsigned one where the run has a key may be
  anybody's: it is told, and the next run does not build on it;
* what is not exactly that is an ``EvidenceError``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.evidence.checkpoint import read_kept_note
from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.naming import ENCRYPTED_FILE, NO_FILE, ROOT_FILE, is_plain, stands
from blockwatch.evidence.note import (
    VerifierKey,
    as_signed,
    parse_campaign_key,
    parse_note,
)

_TEXT = re.compile(
    r"blockwatch/encrypted\nrun ([0-9a-f]{16})\nkey (?:none|(\S+))\n"
    r"root ([0-9a-f]{64})\nprevious (?:none|([0-9a-f]{64}))\nsha256 ([0-9a-f]{64})\n"
)


class RootNote(msgspec.Struct, frozen=True, kw_only=True):
    """What the note of one encrypted run says."""

    run: str
    key: VerifierKey | None  # of the run; None: it was unsigned
    root: str  # lower-case hex, as in previous_root
    previous: str | None
    sha256: str  # of run.age, lower-case hex
    signed: bool  # by the key of the run


def root_text(run: str, key: str | None, root: str, previous: str | None, sha256: bytes) -> bytes:
    """The text to be signed; ``root`` and ``previous`` in hex."""
    return (
        f"blockwatch/encrypted\nrun {run}\nkey {key or 'none'}\nroot {root}\n"
        f"previous {previous or 'none'}\nsha256 {sha256.hex()}\n"
    ).encode()


def parse_root(raw: bytes, where: str = "") -> RootNote:
    """Read a note, signed or bare; raises ``EvidenceError``, also where its signature does not hold."""
    note = parse_note(raw, where) if b"\n\n" in raw else None
    text = raw if note is None else note.text
    match = _TEXT.fullmatch(text.decode("utf-8", "replace"))
    if match is None:
        raise EvidenceError("not the note of an encrypted run", where=where)
    key = parse_campaign_key(match[2], where) if match[2] else None
    signed = note is not None and key is not None and as_signed(note, key) is not None
    if note is not None and not signed:
        raise EvidenceError("a note with a signature that does not hold", where=where)
    return RootNote(
        run=match[1],
        key=key,
        root=match[3],
        previous=match[4],
        sha256=match[5],
        signed=signed,
    )


def is_encrypted(folder: Path) -> bool:
    """Whether a folder is a run that was encrypted as it was written: one with a log is none."""
    return (folder / ENCRYPTED_FILE).is_file() and not stands(folder / LOG_FILE)


def encrypted_folders(results: Path) -> list[Path]:
    """Encrypted runs directly below ``results``, in order of their names; links are none."""
    return [folder for folder in _encrypted(results) if is_encrypted(folder)]


def _encrypted(results: Path) -> list[Path]:
    """The same, and those where something else stands in the place of ``run.age``."""
    found: list[Path] = []
    for folder in sorted(results.iterdir()) if results.is_dir() else ():
        with suppress(PermissionError):  # of one that may not be looked into ``run_folders`` tells
            if not folder.name.startswith(".") and not folder.is_symlink():
                log = stands(folder / LOG_FILE)
                found += [folder] if stands(folder / ENCRYPTED_FILE) and not log else []
    return found


def read_root(folder: Path) -> RootNote | None:
    """The note of an encrypted run; ``None``: it was killed. Raises ``EvidenceError`` for a bad one."""
    path = folder / ROOT_FILE
    if not stands(path):
        return None
    note = parse_root(read_kept_note(path), str(path))
    if not folder.resolve().name.endswith(note.run):
        raise EvidenceError("the note of another run", where=str(path))
    return note


def root_notes(results: Path) -> Iterator[tuple[Path, RootNote]]:
    """The notes of a results folder; bad ones, and altered runs, are ``EvidenceError``."""
    for folder in _encrypted(results):
        path = folder / ENCRYPTED_FILE
        if not is_plain(path):
            raise EvidenceError(NO_FILE, where=str(path))
        note = read_root(folder)
        if note is not None:
            with path.open("rb") as file:
                if file_digest(file, "sha256").hexdigest() != note.sha256:
                    raise EvidenceError("not the encrypted run that its note names", where=str(path))
            yield folder, note
