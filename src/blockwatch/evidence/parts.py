"""A file in parts, for mail and messengers: each says which it is, so that a missing one has a name.

Rules of this file (format: docs/evidence.md, "Parts"):

* a part is 256 bytes of head, then the next bytes of the whole; cut off the heads, join the rest, and
  the whole is there, without this program;
* the head names the whole by its SHA-256, so parts of different files never mix, and has the part's
  own SHA-256, so a damaged one is known before the others have come;
* nothing in it says what the file is or whose;
* files appear under their names only when all are complete.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from hashlib import file_digest, sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple

from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence.disk import in_words, sync_folder

HEAD = 256
MAX_PARTS = 9_999
_MAGIC = b"split/1 "
_FORM = re.compile(
    rb"split/1 ([0-9a-f]{64}) ([1-9][0-9]{0,3}) ([1-9][0-9]{0,3}) ([1-9][0-9]{0,15}) ([0-9a-f]{64}) +\n"
)
_PIECE = 262_144


class Part(NamedTuple):
    """What the head of a part says."""

    whole: str  # SHA-256 of the whole, lower-case hex
    number: int  # from 1
    of: int
    size: int  # bytes of the whole
    sha256: str  # of the bytes after the head

    def head(self) -> bytes:
        """The first 256 bytes of the part."""
        line = f"split/1 {self.whole} {self.number} {self.of} {self.size} {self.sha256} "
        return line.ljust(HEAD - 1).encode("ascii") + b"\n"

    def missing_in(self, folder: Path) -> tuple[int, ...]:
        """Numbers of the parts of its set that have not come into a folder where they wait."""
        there = {int(one.name) for one in folder.iterdir() if one.name.isdecimal()}
        return tuple(sorted(set(range(1, self.of + 1)) - there))


class Outcome:
    """Takes the bytes of one file and leaves it, whole or in parts, under its name when finished."""

    def __init__(self, path: Path, part_bytes: int | None) -> None:
        self._path, self._part_bytes = path, part_bytes
        self._digest, self._size = sha256(), 0
        self._open: BinaryIO | None = None
        self._room = 0
        self._drafts: list[Path] = []
        self._digests: list[str] = []
        self._part_digest = sha256()

    def write(self, content: bytes) -> int:
        """Take some bytes; raises ``DiskError``."""
        self._digest.update(content)
        self._size += len(content)
        rest = memoryview(content)
        with in_words(self._path):
            while rest:
                draft = self._open
                if draft is None or (self._part_bytes is not None and self._room == 0):
                    draft = self._next()
                piece = rest if self._part_bytes is None else rest[: self._room]
                draft.write(piece)
                self._part_digest.update(piece)
                self._room -= len(piece)
                rest = rest[len(piece) :]
        return len(content)

    def flush(self) -> None:
        """Do nothing: what counts is :meth:`finish`."""

    def _next(self) -> BinaryIO:
        self._end_part()
        if len(self._drafts) >= MAX_PARTS:
            raise UsageError(f"more than {MAX_PARTS} parts", remedy="Give a larger --split.")
        draft = self._path.with_name(f".{self._path.name}.{len(self._drafts) + 1}.part")
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        self._drafts.append(draft)
        self._open = os.fdopen(descriptor, "w+b")
        if self._part_bytes is not None:
            self._open.write(bytes(HEAD))
            self._room = self._part_bytes - HEAD
        return self._open

    def _end_part(self) -> None:
        if self._open is not None:
            self._open.flush()
            os.fsync(self._open.fileno())
            self._open.close()
            self._digests.append(self._part_digest.hexdigest())
            self._open, self._part_digest = None, sha256()

    def finish(self) -> list[Path]:
        """Give the file or its parts their names; raises ``DiskError``."""
        with in_words(self._path):
            self._end_part()
            named = [self._path]
            if self._part_bytes is not None:
                width = max(3, len(str(len(self._drafts))))  # so that the names sort as the numbers do
                named = [
                    self._path.with_name(f"{self._path.name}.{n:0{width}}")
                    for n in range(1, len(self._drafts) + 1)
                ]
                for number, draft in enumerate(self._drafts, 1):
                    self._write_head(draft, number)
            for draft, path in zip(self._drafts, named, strict=True):
                draft.replace(path)
            self._drafts = []
            sync_folder(self._path.parent)
        return named

    def _write_head(self, draft: Path, number: int) -> None:
        part = Part(
            whole=self._digest.hexdigest(),
            number=number,
            of=len(self._digests),
            size=self._size,
            sha256=self._digests[number - 1],
        )
        with draft.open("r+b") as file:
            file.write(part.head())
            file.flush()
            os.fsync(file.fileno())

    def discard(self) -> None:
        """Remove what was written and is not finished."""
        if self._open is not None:
            self._open.close()
        for draft in self._drafts:
            draft.unlink(missing_ok=True)


def looks_like_a_part(begin: bytes) -> bool:
    """Whether a file that begins so is a part."""
    return begin.startswith(_MAGIC)


def read_part(path: Path) -> Part:
    """Read and check one part; ``EvidenceError`` where it is damaged."""
    with in_words(path), path.open("rb") as file:
        found = _FORM.fullmatch(file.read(HEAD))
        digest = file_digest(file, "sha256").hexdigest()
        length = file.tell() - HEAD
    if found is None:
        raise EvidenceError("this part has a damaged head", where=str(path), remedy="Ask for it again.")
    whole, number, of, size, own = found.groups()
    part = Part(whole.decode(), int(number), int(of), int(size), own.decode())
    if part.number > part.of or length > part.size:
        raise EvidenceError(
            "this part says impossible things of itself", where=str(path), remedy="Ask for it again."
        )
    if digest != part.sha256:
        raise EvidenceError(
            f"part {part.number} of {part.of} is damaged or was cut short",
            where=str(path),
            remedy="Ask for this part again; the others need not be sent again.",
        )
    return part


def payload(path: Path) -> Iterator[bytes]:
    """The bytes of a part after its head."""
    with in_words(path), path.open("rb") as file:
        file.seek(HEAD)
        while piece := file.read(_PIECE):
            yield piece
