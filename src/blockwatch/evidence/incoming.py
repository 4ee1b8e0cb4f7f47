"""Files that others send: recognised, decrypted, put together, unpacked, merged, receipted.

Rules of this file:

* the caller holds the lock of the results folder; whatever is unfinished lies in a hidden folder there,
  which the next import removes if this one is killed;
* parts wait in ``.parts/`` until their set is complete, so that only a missing one need be sent again; how
  many sets and bytes may wait there is bounded, because anybody can send parts of what never comes;
* a file that is refused leaves nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence.allow import Allowed
from blockwatch.evidence.bundle import KIND as LISTED
from blockwatch.evidence.bundle import BundleList, list_run
from blockwatch.evidence.bury import bury
from blockwatch.evidence.chunks import looks_like_chunks, unseal
from blockwatch.evidence.crypt import decrypt, looks_encrypted
from blockwatch.evidence.disk import in_words, sync_folder
from blockwatch.evidence.interrupted import note_coming, receipt_what_came
from blockwatch.evidence.merge import Kept, Placed
from blockwatch.evidence.naming import ENCRYPTED_FILE, no_folder
from blockwatch.evidence.parts import HEAD, Part, looks_like_a_part, payload, read_part
from blockwatch.evidence.reading import refuse_ways_out
from blockwatch.evidence.receipt import KIND, Buried, Receipt, read_receipt, receipts_of, write_receipt
from blockwatch.evidence.tombstone import FORGOTTEN_FOLDER
from blockwatch.evidence.unbundle import looks_like_a_bundle, unpack

PARTS = ".parts"
MOST_SETS = 64  # of parts, that wait for others
MOST_WAITING = 17_179_869_184  # bytes of all parts that wait
_STAGING = ".import-"
_BEGIN = 65_536  # bytes that tell what a file is
_REMEDY = "Name files that blockwatch bundle made, or OONI's measurements. Runs made here need no import."


class Waiting(NamedTuple):
    """A part came, and others of its set are still missing."""

    part: Part
    missing: tuple[int, ...]
    already: bool  # it had come before


class Imported(NamedTuple):
    """A whole file came."""

    receipt: Receipt
    path: Path  # of the receipt


def kind_of(path: Path) -> str | None:
    """What a file is as it begins: "bundle", "encrypted", "encrypted run" or "part"; ``None``: neither."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            begin = file.read(_BEGIN)
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})", where=str(path), remedy=_REMEDY) from error
    if looks_like_a_part(begin):
        return "part"
    if looks_encrypted(begin):
        return "encrypted"
    if looks_like_chunks(begin):
        return "encrypted run"
    return "bundle" if looks_like_a_bundle(begin) else None


def _no_file(path: Path) -> str:
    if path.is_dir():
        return "this folder is no run that was encrypted as it was written"
    return "this is no ordinary file" if path.exists() else "there is no such file"


class Incoming:
    """Takes files into a results folder that the caller has locked."""

    def __init__(
        self, results: Path, identities: list[Any], software: str, allowed: Sequence[Allowed] = ()
    ) -> None:
        """``allowed``: keys whose copy of a run is kept rather than another one's."""
        self.results, self._identities, self._software = results, identities, software
        refuse_ways_out(results)
        self._kept = Kept(results, allowed)
        for left in (path for path in results.glob(f"{_STAGING}*") if not no_folder(path)):
            receipt_what_came(left, self._kept)  # of an import that was killed; we hold the lock
            shutil.rmtree(left)
        self._sets: dict[Path, Part] = {}  # folders of parts that came now
        self._waiting: int | None = None  # bytes of all parts that wait; null: not yet counted

    def take(self, path: Path) -> Imported | Waiting:
        """Take one file; raises ``EvidenceError`` (refused), ``UsageError`` (no key) or ``DiskError``."""
        if (path / ENCRYPTED_FILE).is_file():
            path = path / ENCRYPTED_FILE
        if not path.is_file():
            raise UsageError(_no_file(path), where=str(path), remedy=_REMEDY)
        if kind_of(path) == "part":
            return self._take_part(path)
        with in_words(path), path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        return self._take_whole(path, path, digest)

    # Parts.

    def _take_part(self, path: Path) -> Imported | Waiting:
        part = read_part(path)
        folder = self.results / PARTS / f"{part.whole}-{part.of}-{part.size}"
        if not folder.is_dir() and self._is_here(part.whole):
            return Waiting(part, (), already=True)
        place = folder / f"{part.number:04}"
        already = place.is_file()
        if not already:
            self._make_room(path, folder, part)
        self._sets[folder] = part
        if already and read_part(place) != part:
            raise EvidenceError(
                f"part {part.number} of {part.of} came twice, with different contents",
                where=str(path),
                remedy=f"The first one was kept. If you trust this one, delete {folder} and import all.",
            )
        if not already:
            with in_words(folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _copy(path, place)
            self._waiting = (self._waiting or 0) + place.stat().st_size
        if missing := part.missing_in(folder):
            return Waiting(part, missing, already)
        return self._take_set(path, folder, part)

    def _is_here(self, whole: str) -> bool:
        """Whether a file of this SHA-256 was imported, and all that it brought is still here."""
        receipts = receipts_of(self.results, whole)
        if not receipts:
            return False
        try:
            runs = read_receipt(receipts[-1]).runs
        except EvidenceError:
            return False
        return all(
            (self.results / run.folder).is_dir()
            if run.outcome == "aside" and run.folder
            else run.run in self._kept
            for run in runs
        )

    def _make_room(self, path: Path, folder: Path, part: Part) -> None:
        """Refuse a part where too much waits already, or its set holds more than it says it is."""
        size, waiting = path.stat().st_size, self.results / PARTS
        with in_words(waiting):
            sets = list(waiting.iterdir()) if waiting.is_dir() else []
            if self._waiting is None:
                self._waiting = sum(one.stat().st_size for inner in sets for one in inner.iterdir())
            whole = [
                one for one in folder.glob("*") if one.name.isdecimal()
            ]  # else of an import that was killed
            own = sum(one.stat().st_size - HEAD for one in whole)
        if own + size - HEAD > part.size:
            raise EvidenceError(
                "the parts of this set are longer than the file that they name: one of them is forged",
                where=str(path),
                remedy=f"If you trust this one, delete {folder} and import all.",
            )
        if self._waiting + size > MOST_WAITING or (folder not in sets and len(sets) >= MOST_SETS):
            raise UsageError(
                f"too much waits for parts that did not come ({len(sets)} sets, {self._waiting} bytes)",
                where=str(waiting),
                remedy="Delete in there the sets that you no longer wait for, then import this part again.",
            )

    def incomplete(self) -> Iterator[Waiting]:
        """Of the sets of which a part came now, those that still wait for others."""
        for folder, part in self._sets.items():
            if folder.is_dir() and (missing := part.missing_in(folder)):
                yield Waiting(part, missing, already=True)

    def _take_set(self, path: Path, folder: Path, part: Part) -> Imported:
        """All parts are there: put them together."""
        try:
            with self._staging() as staging:
                digest = sha256()
                with in_words(staging), (staging / "whole").open("wb") as out:
                    for number in range(1, part.of + 1):
                        for piece in payload(folder / f"{number:04}"):
                            digest.update(piece)
                            out.write(piece)
                if digest.hexdigest() != part.whole:
                    raise EvidenceError(
                        f"the {part.of} parts do not make the file that they name: one of them is forged",
                        where=str(path),
                        remedy="None of them was kept. Ask for all of them again.",
                    )
                imported = self._take_whole(staging / "whole", path, part.whole, parts=part.of)
        except EvidenceError:
            self._drop(folder)
            raise
        self._drop(folder)
        return imported

    def _drop(self, folder: Path) -> None:
        shutil.rmtree(folder)
        self._waiting = None

    # Whole files.

    def _take_whole(self, content: Path, path: Path, digest: str, parts: int | None = None) -> Imported:
        kind = kind_of(content)
        with self._staging() as staging:
            (staging / "runs").mkdir(mode=0o700)
            if kind == "encrypted run":
                listed = self._unseal(content, staging / "runs", path)
            else:
                listed = self._unpack(content, kind, staging, path)
            draft = Receipt(
                kind=KIND,
                received=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                software=self._software,
                sha256=digest,
                bytes=content.stat().st_size,
                parts=parts,
                encrypted=kind != "bundle",
                runs=tuple(Placed(run=run.run, outcome="new", files=run.files) for run in listed.runs),
                forgotten=tuple(Buried(run=file.name, outcome="new") for file in listed.forgotten),
            )
            note_coming(staging, draft, self._kept)
            placed = tuple(self._kept.place(staging / "runs" / run.run, run) for run in listed.runs)
            stones = staging / "runs" / FORGOTTEN_FOLDER
            buried = tuple(bury(stones, self.results, file.name) for file in listed.forgotten)
            receipt = msgspec.structs.replace(draft, runs=placed, forgotten=buried)
            path = write_receipt(self.results, receipt)
            self._kept.settle(run.run for run in placed)
        return Imported(receipt, path)

    def _unpack(self, content: Path, kind: str | None, staging: Path, path: Path) -> BundleList:
        inside = content
        if kind == "encrypted":
            inside = staging / "plain"
            self._decrypt(content, inside, path)
        if kind_of(inside) != "bundle":
            raise EvidenceError(
                "this is no bundle", where=str(path), remedy="Give a file that blockwatch bundle made."
            )
        with in_words(inside), inside.open("rb") as file:
            return unpack(file, staging / "runs", str(path))

    def _unseal(self, content: Path, runs: Path, path: Path) -> BundleList:
        with in_words(runs), content.open("rb") as file:
            run = unseal(file, runs, self._identities, str(path))
        return BundleList(kind=LISTED, runs=(list_run(runs / run, run),))

    def _decrypt(self, content: Path, plain: Path, path: Path) -> None:
        with in_words(plain), content.open("rb") as file, plain.open("wb") as out:
            decrypt(file, out, self._identities, str(path))

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        with in_words(self.results):
            folder = Path(tempfile.mkdtemp(prefix=_STAGING, dir=self.results))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def _copy(source: Path, place: Path) -> None:
    part = place.with_name(f"{place.name}.part")
    with in_words(place):
        part.unlink(missing_ok=True)  # whatever leads elsewhere from here
        shutil.copyfile(source, part)
        part.replace(place)
        sync_folder(place.parent)
