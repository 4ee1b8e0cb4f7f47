"""Bundles, the writing half: the evidence of runs in one file that says nothing of who made it.

Rules of this file (format: docs/evidence.md, "Bundles"; why it is so: docs/decisions/0012):

* the same runs give the same bytes, wherever, whenever and by whomever they are bundled;
* names inside are run ids and fixed names; no label, campaign, host, user or time is a name or in a head;
* only evidence goes in; what can be derived from it, and what is not ours, stays out;
* of a run that is being written, what is there at this moment goes in: a shorter, valid run; it is not
  locked, so what refers to something is read before what it refers to.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from blockwatch.codec import canonical
from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence.crypt import encrypt
from blockwatch.evidence.naming import MAX_VOUCHER, RUN_ID, evidence_order, most_bytes
from blockwatch.evidence.parts import Outcome
from blockwatch.evidence.reading import read_run
from blockwatch.evidence.snapshot import FOLDERS, Source, content, is_foreign, measured, snapshot
from blockwatch.evidence.snapshot import BundledFile as BundledFile
from blockwatch.evidence.tarform import END, MAX_SIZE, head, padding
from blockwatch.evidence.tombstone import FORGOTTEN_FOLDER, read_tombstones
from blockwatch.model import Noun

LIST_FILE = "bundle.json"
KIND = "blockwatch bundle"
MAX_LIST = 8_388_608  # bytes of the list of files
MAX_RUNS = 10_000
MAX_FILES = 65_536
MAX_RATIO = 100  # a bundle is never more than this times smaller than what is in it …
ALLOWANCE = 16_777_216  # … beyond this many bytes
_LEVEL = 6


class BundledRun(Noun, frozen=True, kw_only=True):
    """One run of a bundle."""

    run: str  # run id
    files: tuple[BundledFile, ...]


class BundleList(Noun, frozen=True, kw_only=True):
    """``bundle.json``: the first file of a bundle."""

    format: int = 1
    kind: str  # always KIND
    runs: tuple[BundledRun, ...]
    forgotten: tuple[BundledFile, ...] = ()  # tombstones that the chain of these runs leads to


class TooTight(Exception):
    """The bundle became so small that whoever reads it must take it for a bomb."""


class Bundle:
    """What will be in a bundle: fixed when made, written as often as wanted."""

    def __init__(self, folders: Iterable[Path], tombstones: Iterable[Path] = ()) -> None:
        """Look at every file; raises ``EvidenceError`` and ``UsageError``."""
        self.left_out: list[Path] = []  # files that are no evidence
        self._sources: list[Source] = []
        self.list = BundleList(kind=KIND, runs=self._runs(folders), forgotten=self._forgotten(tombstones))
        self._head = canonical(self.list)
        if len(self._head) > MAX_LIST or len(self._sources) > MAX_FILES or len(self.list.runs) > MAX_RUNS:
            raise UsageError("too many runs for one bundle", remedy="Make several, of some of the runs each.")

    @property
    def name(self) -> str:
        """A name for the file that says nothing but that it is this one."""
        return sha256(self._head).hexdigest()[:12]

    def packed(self, level: int = _LEVEL) -> Iterator[bytes]:
        """The bytes of the bundle; ``EvidenceError`` where a file is not what it was.

        ``TooTight`` at the end where a reader would take it for a bomb: then again with ``level`` 0.
        """
        zipped = zlib.compressobj(level, wbits=31)
        given = taken = 0
        for piece in self._archive():
            given += len(piece)
            if out := zipped.compress(piece):
                taken += len(out)
                yield out
        last = zipped.flush()
        if given > MAX_RATIO * (taken + len(last)) + ALLOWANCE:
            raise TooTight
        yield last

    def _archive(self) -> Iterator[bytes]:
        yield head(LIST_FILE, len(self._head)) + self._head + padding(len(self._head))
        for source in self._sources:
            yield head(source.inside, source.file.bytes)
            yield from content(source)
            yield padding(source.file.bytes)
        yield END

    def _runs(self, folders: Iterable[Path]) -> tuple[BundledRun, ...]:
        found: dict[str, tuple[Path, BundledRun]] = {}
        for folder in folders:
            run = read_run(folder).open.run
            if RUN_ID.fullmatch(run) is None:
                raise EvidenceError("this is no run id", where=str(folder))
            bundled = BundledRun(run=run, files=tuple(self._files(folder, run)))
            other, known = found.setdefault(run, (folder, bundled))
            if known != bundled:
                raise UsageError(
                    f"two different runs have the id {run}",
                    where=f"{other} and {folder}",
                    remedy="Name one of them, and look into both with: blockwatch verify",
                )
        self._sources.sort(key=lambda source: source.inside.partition("/")[0])  # stable: files stay in order
        return tuple(bundled for _, (_, bundled) in sorted(found.items()))

    def _files(self, folder: Path, run: str) -> list[BundledFile]:
        """The evidence in a run's folder, as of one moment also where the run is going on."""
        for inner in FOLDERS:
            if (folder / inner).is_symlink():
                raise EvidenceError("a link, where a folder should be", where=str(folder / inner))
        sources = list(snapshot(folder, run))
        self.left_out += (path for path in folder.iterdir() if is_foreign(path))
        for inner in FOLDERS:
            self.left_out += (path for path in folder.glob(f"{inner}/*") if is_foreign(path, f"{inner}/"))
        sources.sort(key=lambda source: evidence_order(source.file.name) or (-1, ""))
        if not any(source.inside.startswith(f"{run}/") for source in self._sources):
            self._sources += sources
        return [source.file for source in sources]

    def _forgotten(self, tombstones: Iterable[Path]) -> tuple[BundledFile, ...]:
        found = [(path, measured(path, path.name, MAX_VOUCHER)) for path in sorted(tombstones)]
        self._sources += [Source(path, f"{FORGOTTEN_FOLDER}/{path.name}", file) for path, file in found]
        return tuple(file for _, file in found)


def list_run(folder: Path, run: str) -> BundledRun:
    """The evidence in one run's folder, as it would be listed; raises ``EvidenceError``."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    order = sorted((place, name) for name in names if (place := evidence_order(name)) is not None)
    files = (measured(folder / name, name, most_bytes(name) or MAX_SIZE) for _, name in order)
    return BundledRun(run=run, files=tuple(files))


def tombstones_for(folders: Iterable[Path]) -> list[Path]:
    """Tombstones beside these runs that stand in their chain: they explain a gap; no others are told."""
    found: set[Path] = set()
    by_results: dict[Path, set[str]] = {}
    for folder in folders:
        previous = read_run(folder).open.previous_root
        if previous is not None:
            by_results.setdefault(folder.resolve().parent, set()).add(previous)
    for results, named in by_results.items():
        stones = {stone.root: stone for stone in read_tombstones(results)}
        while named:
            stone = stones.pop(named.pop(), None)
            if stone is not None:
                found.add(results / FORGOTTEN_FOLDER / stone.run)
                named |= {stone.previous} if stone.previous else set()
    return sorted(found)


def write_bundle(
    bundle: Bundle, path: Path, *, recipients: list[Any] | None = None, part_bytes: int | None = None
) -> list[Path]:
    """Write it to ``path``, or to ``path.001`` and so on; encrypted where there are recipients."""
    try:
        return write_pieces(bundle.packed(), path, recipients=recipients, part_bytes=part_bytes)
    except TooTight:
        return write_pieces(bundle.packed(0), path, recipients=recipients, part_bytes=part_bytes)


def write_pieces(
    pieces: Iterator[bytes],
    path: Path,
    *,
    recipients: list[Any] | None = None,
    part_bytes: int | None = None,
) -> list[Path]:
    """Write these bytes as a whole or not at all; gives the files."""
    outcome = Outcome(path, part_bytes)
    try:
        if recipients:
            encrypt(pieces, outcome, recipients)
        else:
            for piece in pieces:
                outcome.write(piece)
        return outcome.finish()
    except BaseException:
        outcome.discard()
        raise
