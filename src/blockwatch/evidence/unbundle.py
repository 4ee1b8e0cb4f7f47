"""Bundles, the reading half: from a stranger's file to run folders in a private place.

Rules of this file:

* nothing in the file is believed: the list at its beginning says what must follow, every name in it
  must be one of ours, and every head, size and hash is compared with what really comes;
* names of folders and files that are made are ours: patterns of lower-case ASCII, never a path;
* memory is bounded by the list (8 MiB), the disk by what a file of this size can honestly hold;
* one deviation refuses the whole file; what was unpacked until then is the caller's to remove.
"""

from __future__ import annotations

import os
import re
import shutil
import zlib
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NoReturn

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import DiskError, EvidenceError
from blockwatch.evidence.bundle import (
    ALLOWANCE,
    KIND,
    LIST_FILE,
    MAX_FILES,
    MAX_LIST,
    MAX_RATIO,
    MAX_RUNS,
    BundledFile,
    BundleList,
)
from blockwatch.evidence.disk import in_words, sync_folder
from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.naming import RUN_ID, evidence_order, most_bytes
from blockwatch.evidence.tarform import BLOCK, END, MAX_SIZE, head, oddity, padding
from blockwatch.evidence.tombstone import FORGOTTEN_FOLDER

_PIECE = 262_144
_HASH = re.compile(r"[0-9a-f]{64}")
_SIZE_FIELD = slice(124, 136)
_REMEDY = "Nothing of it was kept. Ask for the file again; if it is the same, do not trust its sender."


def looks_like_a_bundle(begin: bytes) -> bool:
    """Whether a file that begins so (some kB) is one of ours, unencrypted."""
    try:
        return zlib.decompressobj(31).decompress(begin, BLOCK).startswith(LIST_FILE.encode() + b"\0")
    except zlib.error:
        return False


def unpack(file: BinaryIO, target: Path, where: str) -> BundleList:
    """Unpack a bundle into the empty folder ``target``: ``<run id>/…`` and ``forgotten/…``.

    ``where`` names the file in messages. Raises ``EvidenceError`` for anything that is not as we
    write it, ``DiskError`` where there is no room.
    """
    return _Reader(file, where).unpack(target)


class _Reader:
    def __init__(self, file: BinaryIO, where: str) -> None:
        self._file, self._where = file, where
        self._size = os.fstat(file.fileno()).st_size
        self._unzip = zlib.decompressobj(31)
        self._given = 0

    def unpack(self, target: Path) -> BundleList:
        listed = self._list()
        every = [file for run in listed.runs for file in run.files] + list(listed.forgotten)
        total = sum(file.bytes for file in every)
        with in_words(target):
            if shutil.disk_usage(target).free < total:
                raise DiskError(
                    f"there is no room for {total} bytes", where=str(target), remedy="Free some space."
                )
            for run in listed.runs:
                self._files(target / run.run, f"{run.run}/", run.files)
            if listed.forgotten:
                self._files(target / FORGOTTEN_FOLDER, f"{FORGOTTEN_FOLDER}/", listed.forgotten)
            if self._take(len(END)) != END:
                self._refuse("it holds more than its list says")
            if self._take(1):
                self._refuse("something follows its end")
            if not self._unzip.eof:
                self._refuse("it ends before its end")
            if self._unzip.unused_data or self._file.read(1):
                self._refuse("something follows its end")
            sync_folder(target)
        return listed

    def _refuse(self, why: str) -> NoReturn:
        raise EvidenceError(f"refused as a bundle: {why}", where=self._where, remedy=_REMEDY)

    # The list.

    def _list(self) -> BundleList:
        block = self._take(BLOCK)
        found = re.fullmatch(rb"([0-7]{11})\0", block[_SIZE_FIELD])
        size = int(found[1], 8) if found else -1
        if not 0 < size <= MAX_LIST or block != head(LIST_FILE, size):
            self._refuse(f"it does not begin with a list of at most {MAX_LIST} bytes")
        raw = self._take(size)
        if len(raw) != size or self._take(len(padding(size))) != padding(size):
            self._refuse("it ends before its end")
        try:
            listed = msgspec.json.decode(raw, type=BundleList)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._refuse(f"its list cannot be read ({' '.join(str(error).split())[:200]})")
        if listed.format != 1 or listed.kind != KIND:
            self._refuse("its format is unknown; a newer blockwatch may read it")
        if canonical(listed) != raw:
            self._refuse("its list is not written as we write it")
        self._check(listed)
        return listed

    def _check(self, listed: BundleList) -> None:
        """Every name one of ours, each once and in order; sizes that a file of this size can hold."""
        runs = [run.run for run in listed.runs]
        every = [file for run in listed.runs for file in run.files] + list(listed.forgotten)
        if len(runs) > MAX_RUNS or len(every) > MAX_FILES:
            self._refuse(f"it lists more than {MAX_RUNS} runs or {MAX_FILES} files")
        for run in listed.runs:
            self._check_names(run.run, [file.name for file in run.files])
        self._in_order(runs, "run")
        tombstones = [file.name for file in listed.forgotten]
        for name in (*runs, *tombstones):
            if RUN_ID.fullmatch(name) is None:
                self._refuse(f"{_shown(name)} is no run id")
        self._in_order(tombstones, "forgotten run")
        for file in every:
            most = most_bytes(file.name) or MAX_SIZE
            if not 0 <= file.bytes <= most or _HASH.fullmatch(file.sha256) is None:
                self._refuse(f"{_shown(file.name)} has an impossible size or hash in its list")
        self._check_room(sum(file.bytes + BLOCK for file in every))

    def _check_names(self, run: str, names: list[str]) -> None:
        before = (-1, "")
        for name in names:
            place = evidence_order(name)
            if place is None:
                self._refuse(f"{_shown(name)} is not the name of a file of a run")
            if before >= place:
                self._refuse(f"{_shown(name)} of run {_shown(run)} comes twice or out of order")
            before = place
        if LOG_FILE not in names:
            self._refuse(f"run {_shown(run)} has no {LOG_FILE}")

    def _in_order(self, names: list[str], what: str) -> None:
        for before, after in pairwise(names):
            if before >= after:
                self._refuse(f"{what} {_shown(after)} comes twice or out of order")

    def _check_room(self, total: int) -> None:
        if total > self._most():
            self._refuse(f"it claims to hold {total} bytes, which a file of {self._size} bytes cannot")

    def _most(self) -> int:
        return MAX_RATIO * self._size + ALLOWANCE

    # The files.

    def _files(self, folder: Path, prefix: str, files: tuple[BundledFile, ...]) -> None:
        folder.mkdir(mode=0o700)
        for file in files:
            inner, _, _ = file.name.rpartition("/")
            if inner:
                (folder / inner).mkdir(mode=0o700, exist_ok=True)
            block = self._take(BLOCK)
            if block != head(prefix + file.name, file.bytes):
                self._refuse(oddity(block, prefix + file.name, file.bytes))
            self._copy(file, folder / file.name)
            sync_folder((folder / file.name).parent)

    def _copy(self, file: BundledFile, path: Path) -> None:
        digest, rest = sha256(), file.bytes
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            while rest:
                piece = self._take(min(rest, _PIECE))
                if not piece:
                    self._refuse("it ends before its end")
                rest -= len(piece)
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        if self._take(len(padding(file.bytes))) != padding(file.bytes):
            self._refuse(f"after {file.name} it is not as we write it")
        if digest.hexdigest() != file.sha256:
            self._refuse(f"{file.name} is not the one in its list: it was damaged or changed on the way")

    def _take(self, count: int) -> bytes:
        """The next ``count`` unpacked bytes, fewer only where they end."""
        pieces: list[bytes] = []
        while count and not self._unzip.eof:
            packed = self._unzip.unconsumed_tail or self._file.read(_PIECE)
            try:
                piece = self._unzip.decompress(packed, count)
            except zlib.error as error:
                self._refuse(f"it is damaged ({error})")
            if not packed and not piece:
                break
            self._given += len(piece)
            if self._given > self._most():
                self._refuse(f"it unpacks to more than a file of {self._size} bytes can honestly hold")
            count -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)


def _shown(name: str) -> str:
    return ascii(name[:120])
