"""What goes into a bundle of a run's folder, looked at as of one moment.

Rules of this file:

* a run that is being written is not locked: what refers to something is read before what it refers to;
* only regular files that no link leads to, and of each no more than was there when it was measured.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple

from blockwatch.errors import EvidenceError
from blockwatch.evidence.checkpoint import CHECKPOINT_FILE, EARLIER_FOLDER, SSH_FILE, lines_of
from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.naming import MAX_VOUCHER, NO_EVIDENCE, STAMPS_FOLDER, evidence_order, most_bytes
from blockwatch.evidence.tarform import MAX_SIZE
from blockwatch.evidence.warc import WARC_FILE
from blockwatch.model import Noun

FOLDERS = frozenset({EARLIER_FOLDER, STAMPS_FOLDER})
_PIECE = 262_144


class BundledFile(Noun, frozen=True, kw_only=True):
    """One file of a run."""

    name: str  # within the run's folder
    bytes: int
    sha256: str  # lower-case hex, of the whole file


class Source(NamedTuple):
    """One file of a bundle."""

    path: Path
    inside: str  # name in the archive
    file: BundledFile
    content: bytes | None = None  # of a file that may be replaced meanwhile


def snapshot(folder: Path, run: str) -> Iterator[Source]:
    """Look at what the writer writes last first, so that each file finds there what it refers to.

    A stamp is over a seal that is there, ``checkpoint.sig`` over the last seal, a seal over lines that are
    in the log, a line over captured bytes that are stored. What was added meanwhile is more, and does no
    harm, but for an earlier seal beyond the newest one seen.
    """
    for path in _named(folder, f"{STAMPS_FOLDER}/*"):
        yield _source(folder, path, run)
    for path in _named(folder, SSH_FILE):
        yield _source(folder, path, run)
    newest = None
    for path in _named(folder, CHECKPOINT_FILE):
        content = b"".join(_whole(path))
        newest = lines_of(content)
        yield _source(folder, path, run, content)
    for path in _named(folder, f"{EARLIER_FOLDER}/*"):
        if newest is None or int(path.name) <= newest:
            yield _source(folder, path, run)
    for name in (LOG_FILE, WARC_FILE):
        for path in _named(folder, name):
            yield _source(folder, path, run)


def _named(folder: Path, pattern: str) -> list[Path]:
    """Files of evidence that match, as of now."""
    found = (path for path in folder.glob(pattern) if not path.name.endswith(".part"))
    return [path for path in found if evidence_order(path.relative_to(folder).as_posix())]


def is_foreign(path: Path, inside: str = "") -> bool:
    """Whether something in a run's folder is no evidence and nothing that we put there."""
    name = inside + path.name
    ours = name in NO_EVIDENCE or name in FOLDERS or name.endswith(".part")
    return not ours and evidence_order(name) is None


def _source(folder: Path, path: Path, run: str, content: bytes | None = None) -> Source:
    """``content``: what was read of a file that may be replaced."""
    name = path.relative_to(folder).as_posix()
    if content is None:
        file = measured(path, name, most_bytes(name) or MAX_SIZE)
    else:
        file = BundledFile(name=name, bytes=len(content), sha256=sha256(content).hexdigest())
    return Source(path, f"{run}/{name}", file, content)


def _whole(path: Path) -> Iterator[bytes]:
    """A small file at one moment."""
    with _open(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_VOUCHER:
            raise EvidenceError(f"more than {MAX_VOUCHER} bytes do not go into a bundle", where=str(path))
        yield from _pieces(file, size, path)


def _open(path: Path) -> BinaryIO:
    """A regular file, and not one that a link leads to: a bundle must not carry off other files."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise EvidenceError(f"cannot be read ({error.strerror})", where=str(path)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise EvidenceError("not a file", where=str(path))
    return os.fdopen(descriptor, "rb", buffering=0)


def measured(path: Path, name: str, most: int) -> BundledFile:
    """Size and hash as of now; what is added later is for the next bundle."""
    with _open(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise EvidenceError(f"more than {most} bytes do not go into a bundle", where=str(path))
        digest = sha256()
        for piece in _pieces(file, size, path):
            digest.update(piece)
    return BundledFile(name=name, bytes=size, sha256=digest.hexdigest())


def content(source: Source) -> Iterator[bytes]:
    """Its bytes; ``EvidenceError`` where they are not what was measured."""
    if source.content is not None:
        yield source.content
        return
    digest = sha256()
    with _open(source.path) as file:
        for piece in _pieces(file, source.file.bytes, source.path):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != source.file.sha256:
        raise EvidenceError("was changed while it was bundled", where=str(source.path), remedy="Try again.")


def _pieces(file: BinaryIO, size: int, path: Path) -> Iterator[bytes]:
    while size:
        try:
            piece = file.read(min(size, _PIECE))
        except OSError as error:
            raise EvidenceError(f"cannot be read ({error.strerror})", where=str(path)) from error
        if not piece:
            raise EvidenceError("became shorter while it was read", where=str(path))
        size -= len(piece)
        yield piece
