"""``run.age``: a run that is encrypted as it is written, chunk by chunk, to keys of other people.

Rules of this file (format: docs/evidence.md, "Runs encrypted as they are written"):

* a chunk is one age file after a line with its number and length; it holds pieces of the run's files;
* numbers and the run's id are inside, so a chunk that was left out, moved or put in from elsewhere shows;
* a chunk is filled up with zero bytes to one of few sizes, so that its length tells little of what is in it;
* what a killed writer leaves behind, a last chunk that is not whole, is not part of the run;
* who reads one believes nothing: names are those of evidence, the log and the captured bytes only grow.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import EvidenceError
from blockwatch.evidence.crypt import decrypt, sealed
from blockwatch.evidence.disk import in_words
from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.naming import MAX_VOUCHER, RUN_ID, evidence_order
from blockwatch.evidence.warc import WARC_FILE
from blockwatch.model import Noun

MAX_CHUNK = 67_108_864  # bytes of one age file
_MAX_HEAD = 65_536  # bytes of the line that says what is in a chunk
_MAX_FILES = 65_536
_LEAST = 16_384  # bytes of a chunk before it is encrypted; others are twice, four times, … as long
_PIECE = 262_144
_LINE = re.compile(rb"chunk ([1-9][0-9]{0,15}) ([1-9][0-9]{0,8})\n")
_LONGEST_LINE = 40
_GROWING = (LOG_FILE, WARC_FILE)


class Piece(Noun, frozen=True, kw_only=True):
    """A piece of one file of the run."""

    name: str
    at: int  # where it belongs: the end of the log or of the captured bytes; 0: the whole of another file
    bytes: int


class ChunkHead(Noun, frozen=True, kw_only=True):
    """The first line of a decrypted chunk; the contents of the pieces follow it, in their order."""

    run: str
    number: int  # from 1
    pieces: tuple[Piece, ...]


def chunk(run: str, number: int, pieces: Sequence[tuple[str, int, bytes]], recipients: list[Any]) -> bytes:
    """One chunk of (name, place, content), ready to be appended."""
    head = ChunkHead(
        run=run,
        number=number,
        pieces=tuple(Piece(name=name, at=at, bytes=len(content)) for name, at, content in pieces),
    )
    plain = b"".join([canonical(head), b"\n", *(content for _, _, content in pieces)])
    age = sealed(plain.ljust(_filled(len(plain)), b"\0"), recipients)
    return b"chunk %d %d\n" % (number, len(age)) + age


def _filled(size: int) -> int:
    """The length that so many bytes are filled up to; what would become too long stays as it is."""
    whole = max(_LEAST, 1 << (size - 1).bit_length())
    return whole if whole < MAX_CHUNK else size


def looks_like_chunks(begin: bytes) -> bool:
    """Whether a file that begins so is a run encrypted as it was written."""
    return begin.startswith(b"chunk 1 ")


def unseal(file: BinaryIO, target: Path, identities: list[Any], where: str) -> str:
    """Write the files of the run below ``target``, ``<run id>/…``; gives the run id.

    Raises as ``crypt.decrypt`` does, and ``EvidenceError`` for what no writer of ours leaves.
    """
    return _Unsealer(file, target, identities, where).run()


class _Unsealer:
    def __init__(self, file: BinaryIO, target: Path, identities: list[Any], where: str) -> None:
        self._file, self._target, self._identities, self._where = file, target, identities, where
        self._size = os.fstat(file.fileno()).st_size
        self._id: str | None = None
        self._names: set[str] = set()

    def run(self) -> str:
        number = 0
        while (length := self._next_length(number + 1)) is not None:
            number += 1
            begin = self._file.tell()
            self._take(number, length)
            self._file.seek(begin + length)
        if self._id is None:
            raise EvidenceError("no chunk of it is whole", where=self._where)
        return self._id

    def _next_length(self, number: int) -> int | None:
        """Length of the chunk that follows; ``None``: the end, or what a killed writer left."""
        begin = self._file.tell()
        line = self._file.readline(_LONGEST_LINE)
        found = _LINE.fullmatch(line)
        if found is None:
            left = self._size - begin
            if left <= MAX_CHUNK + _LONGEST_LINE and (line[-1:] != b"\n" or line.startswith(b"\0")):
                return None
            raise EvidenceError(f"something else stands where chunk {number} should", where=self._where)
        length = int(found[2])
        if int(found[1]) != number or length > MAX_CHUNK:
            raise EvidenceError(
                f"chunk {int(found[1])} stands where chunk {number} should", where=self._where
            )
        return length if self._file.tell() + length <= self._size else None

    def _take(self, number: int, length: int) -> None:
        where = f"{self._where}, chunk {number}"
        plain = self._target / "chunk"
        with in_words(plain), plain.open("w+b") as out:
            decrypt(_Window(self._file, length), out, self._identities, where)
            out.seek(0)
            head = self._head(out.readline(_MAX_HEAD), number, where)
            for piece in head.pieces:
                self._put(head.run, piece, out, where)
            if any(piece.strip(b"\0") for piece in iter(lambda: out.read(_PIECE), b"")):
                raise EvidenceError("it holds more than it says", where=where)
        plain.unlink()

    def _head(self, line: bytes, number: int, where: str) -> ChunkHead:
        try:
            head = msgspec.json.decode(line, type=ChunkHead)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise EvidenceError("its first line cannot be read", where=where) from error
        if RUN_ID.fullmatch(head.run) is None or head.run != (self._id or head.run) or head.number != number:
            raise EvidenceError("it belongs to another run or another place", where=where)
        if self._id is None:
            self._id = head.run
            (self._target / head.run).mkdir(mode=0o700)
        return head

    def _put(self, run: str, piece: Piece, plain: BinaryIO, where: str) -> None:
        if evidence_order(piece.name) is None:
            raise EvidenceError(f"{piece.name[:60]!a} is no file of a run", where=where)
        path = self._target / run / piece.name
        self._names.add(piece.name)
        growing = piece.name in _GROWING
        if growing:
            fits = piece.at == (path.stat().st_size if path.exists() else 0)
        else:
            fits = piece.at == 0 and piece.bytes <= MAX_VOUCHER
        if not fits or piece.bytes < 0 or len(self._names) > _MAX_FILES:
            raise EvidenceError(f"a piece of {piece.name} has an impossible place or size", where=where)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_APPEND if growing else os.O_TRUNC)
        with os.fdopen(os.open(path, flags, 0o600), "wb" if not growing else "ab") as out:
            rest = piece.bytes
            while rest:
                content = plain.read(min(rest, _PIECE))
                if not content:
                    raise EvidenceError("it holds less than it says", where=where)
                out.write(content)
                rest -= len(content)
            out.flush()
            os.fsync(out.fileno())


class _Window:
    """The next ``length`` bytes of a file, as a file."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file, self._left, self._begin = file, length, file.tell()
        self._length = length

    def read(self, count: int = -1) -> bytes:
        """At most ``count`` bytes."""
        content = self._file.read(self._left if count < 0 else min(count, self._left))
        self._left -= len(content)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the window."""
        at = self._length - self._left if whence == os.SEEK_CUR else 0
        self._left = self._length - at - offset
        return self._file.seek(self._begin + at + offset) - self._begin
