"""Checking what vouches for a log: checkpoints, their signatures, and what others saw of them when.

Rules of this file:

* seals are read before the log, so that one pass over it gives the root at every size they name;
* a seal speaks for the lines it covers and no further; the newest good one says how far a run is sealed;
* what does not belong to this run and key contradicts it; that something is missing does not;
* anybody can put a stamp or a second signature (``checkpoint.sig``) beside a run: one that is not good says
  nothing against it, and nothing rests on it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from blockwatch.errors import EvidenceError
from blockwatch.evidence.checkpoint import (
    CHECKPOINT_FILE,
    SSH_FILE,
    Checkpoint,
    checkpoint_files,
    parse_checkpoint,
    read_note_file,
)
from blockwatch.evidence.note import VerifierKey, parse_campaign_key
from blockwatch.evidence.report import Damage, Finding, kind_of
from blockwatch.evidence.sshsig import is_ssh_signed
from blockwatch.evidence.timestamps import MAX_STAMPS, Stamp, Trust, read_bounded, read_stamp, stamp_paths
from blockwatch.run import RunOpen

_SSH_BYTES = 4_096


class ReadLog(Protocol):
    """What was learnt of a log by reading all of it."""

    open: RunOpen | None
    notes: list[str]  # grows

    @property
    def lines(self) -> int:
        """How many there are."""

    @property
    def roots(self) -> Mapping[int, bytes]:
        """At the sizes that the seals name."""


class Seals:
    """The checkpoints of a run. :meth:`hold` says how far they cover its log."""

    def __init__(self, folder: Path) -> None:
        """Read what they name, and forget the rest: there may be many. Raises ``Damage``."""
        self.folder = folder
        self.digests: dict[str, int] = {}  # SHA-256 (hex) of each seal that holds → lines that it seals
        self.second: Finding | None = None  # what is wrong with ``checkpoint.sig``; known after :meth:`hold`
        self._newest = b""  # what ``checkpoint`` says, as the key wrote it
        self.sizes: dict[str, int] = {}  # file → lines that it seals
        # Of a run that goes on these are replaced while its log is read.
        self._second_there, self._first = os.path.lexists(folder / SSH_FILE), b""
        for name, path in self._files():
            raw, seal = self._read(name, path)
            self._first = raw if name == CHECKPOINT_FILE else self._first
            if name != CHECKPOINT_FILE and str(seal.size) != path.name:
                raise Damage(name, f"it seals {seal.size} lines", kind="contradiction")
            self.sizes[name] = seal.size

    def _files(self) -> list[tuple[str, Path]]:
        try:
            return [(str(path.relative_to(self.folder)), path) for path in checkpoint_files(self.folder)]
        except EvidenceError as error:
            place = error.where.removeprefix(f"{self.folder}/")
            raise Damage(place, error.what) from error

    def _read(self, name: str, path: Path) -> tuple[bytes, Checkpoint]:
        try:
            raw = read_note_file(path)
            return raw, parse_checkpoint(raw, path)
        except EvidenceError as error:
            raise Damage(name, error.what) from error

    def key(self, opened: RunOpen) -> VerifierKey | None:
        """The key of the run; raises ``Damage`` where a seal contradicts it."""
        if opened.key is None:
            for name in self.sizes:
                raise Damage(name, "a seal, and the run names no key", kind="contradiction")
            return None
        try:
            return parse_campaign_key(opened.key)
        except EvidenceError as error:
            raise Damage("measurements.jsonl:1", error.what) from error

    def hold(self, log: ReadLog) -> int:
        """Lines of the log under a good seal; raises ``Damage``."""
        assert log.open is not None  # noqa: S101, it was read
        key = self.key(log.open)
        covered = 0
        for name, size in sorted(self.sizes.items(), key=lambda one: one[1]):
            path = self.folder / name
            kept = name == CHECKPOINT_FILE
            raw, seal = (self._first, parse_checkpoint(self._first, path)) if kept else self._read(name, path)
            if seal.size != size:
                raise Damage(name, "it was changed while it was read")
            content = self._signed(seal, key, log.open.run, name)
            if content != raw:
                log.notes.append(f"{name}: what stands in it beside the seal is not the signer's: left out")
            self.digests[sha256(content).hexdigest()] = size
            self._newest = content if name == CHECKPOINT_FILE else self._newest
            if size > log.lines:
                what = f"{size} lines were sealed, and the log has {log.lines}: some were cut off"
                raise Damage(name, what, kind="contradiction")
            if log.roots[size] != seal.root:
                what = f"lines {covered + 1} to {size} are not those that were sealed ({name})"
                raise Damage(f"measurements.jsonl:{covered + 1}", what)
            covered = size
        self.second = self._second(key)
        if self.sizes.get(CHECKPOINT_FILE, covered) < covered:
            what = f"an earlier seal covers {covered} lines"
            raise Damage(CHECKPOINT_FILE, what, kind="contradiction")
        return covered

    def _signed(self, seal: Checkpoint, key: VerifierKey | None, run: str, where: str) -> bytes:
        content = seal.as_signed(key) if key else None
        if seal.run != run:
            raise Damage(where, f"the seal of another run ({seal.run[:60]})", kind="contradiction")
        if content is None:
            other = key is None or seal.signed_by(key) is None
            why = (
                "sealed by another key than the one the run names" if other else "its signature does not hold"
            )
            raise Damage(where, why, kind="contradiction")
        return content

    def _second(self, key: VerifierKey | None) -> Finding | None:
        if not self._second_there:
            return None
        kind, what = "signature", "its signature does not hold, or is by another key"
        try:
            if key is None or CHECKPOINT_FILE not in self.sizes:
                what = "a signature over a seal that is not there"
            elif is_ssh_signed(self._newest, read_bounded(self.folder / SSH_FILE, _SSH_BYTES), key):
                return None
        except EvidenceError as error:
            kind, what = kind_of(error, kind), error.what
        return Finding(kind=kind, where=SSH_FILE, what=what)

    def stamps(self, trust: Trust) -> Iterator[Stamp | Finding | str]:
        """What others saw, in words where it is not all; a stamp that is not good is a finding of its own."""
        try:
            paths = stamp_paths(self.folder)
        except OSError as error:
            what = f"cannot be read ({error.strerror})"
            yield Finding(kind=kind_of(error), where="timestamps", what=what)
            return
        if len(paths) > MAX_STAMPS:
            yield f"timestamps/ holds {len(paths)} stamps: only the first {MAX_STAMPS} were looked at"
        for path in paths[:MAX_STAMPS]:
            try:
                yield from read_stamp(path, self.digests, trust)
            except EvidenceError as error:
                kind = kind_of(error, "stamp")
                yield Finding(kind=kind, where=f"timestamps/{path.name}", what=error.what)
