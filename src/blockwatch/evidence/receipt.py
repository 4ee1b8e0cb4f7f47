"""``receipts/``: what came into a results folder, when, out of which file, and what became of it.

Rules of this file:

* one file a file that came, named by its hash, so the sender's file can be found by who has it;
* what came again and changed nothing is said by the receipt that is there; nothing is ever overwritten;
* the time is this machine's clock and proves nothing to others.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import EvidenceError
from blockwatch.evidence.disk import in_words, replace_file
from blockwatch.evidence.merge import Placed
from blockwatch.model import Noun

RECEIPTS = "receipts"
KIND = "blockwatch receipt"
_MOST = 67_108_864  # bytes


class Buried(Noun, frozen=True, kw_only=True):
    """What became of one tombstone that came."""

    run: str  # id of the forgotten run
    outcome: str  # "new", "replaced" (an unsigned one), "there already" or "aside"
    why: str | None = None


class Receipt(Noun, frozen=True, kw_only=True):
    """What one file brought."""

    format: int = 1
    kind: str  # always KIND
    received: str  # RFC 3339, UTC
    software: str
    sha256: str  # of the file as it came (of the whole, where it came in parts), lower-case hex
    bytes: int
    parts: int | None = None  # null: it came whole
    encrypted: bool = False
    runs: tuple[Placed, ...] = ()
    forgotten: tuple[Buried, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is here now that was not before."""
        still = ("there already", "older")
        return any(outcome not in still for outcome in self._outcomes())

    @property
    def contradicts(self) -> bool:
        """Whether something was put aside: of what came, or of what was kept here."""
        return "aside" in self._outcomes() or any(run.aside for run in self.runs)

    @property
    def brought(self) -> bool:
        """Whether a run or tombstone that is kept is more than it was before."""
        return bool({"new", "extended", "replaced", "added to"}.intersection(self._outcomes()))

    def _outcomes(self) -> list[str]:
        return [run.outcome for run in self.runs] + [stone.outcome for stone in self.forgotten]


def receipts_of(results: Path, digest: str) -> list[Path]:
    """Receipts here for a file of this SHA-256, oldest first."""
    first = results / RECEIPTS / f"{digest[:32]}.json"
    found = [first] if first.is_file() else []
    while found and (following := _numbered(first, len(found) + 1)).is_file():
        found.append(following)
    return found


def _numbered(first: Path, number: int) -> Path:
    return first.with_name(f"{first.stem}-{number}.json")


def imported_runs(results: Path) -> set[str]:
    """Ids of runs and tombstones that came into a results folder by import; a bad receipt tells of none."""
    found: set[str] = set()
    folder = results / RECEIPTS
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            receipt = read_receipt(path)
        except EvidenceError:
            continue
        found.update(run.run for run in receipt.runs if run.outcome == "new")
        found.update(stone.run for stone in receipt.forgotten if stone.outcome == "new")
    return found


def are_readable(results: Path) -> bool:
    """Whether whoever runs this may read the receipts of a results folder, where it has any."""
    try:
        with os.scandir(results / RECEIPTS) as found:
            return all(os.access(each, os.R_OK) for each in found if each.is_file())
    except OSError as error:
        return not isinstance(error, PermissionError)


def write_receipt(results: Path, receipt: Receipt) -> Path:
    """Keep a receipt; gives the one that is there already where nothing changed. Raises ``DiskError``."""
    found = receipts_of(results, receipt.sha256)
    if found and (not receipt.changed or (not receipt.brought and same_but_for_time(found[-1], receipt))):
        return found[-1]
    first = results / RECEIPTS / f"{receipt.sha256[:32]}.json"
    with in_words(first):
        first.parent.mkdir(mode=0o700, exist_ok=True)
    path = _numbered(first, len(found) + 1) if found else first
    replace_file(path, msgspec.json.format(canonical(receipt), indent=2) + b"\n")
    return path


def same_but_for_time(path: Path, receipt: Receipt) -> bool:
    """Whether a receipt says the same but for the time: a contradiction that came again."""
    try:
        before = read_receipt(path)
    except EvidenceError:
        return False
    return msgspec.structs.replace(before, received=receipt.received, software=receipt.software) == receipt


def read_receipt(path: Path) -> Receipt:
    """Read a receipt; raises ``EvidenceError``."""
    try:
        if not path.is_file():  # a pipe would be waited for
            raise EvidenceError("not a file", where=str(path))
        with path.open("rb") as file:
            raw = file.read(_MOST + 1)
        if len(raw) > _MOST:
            raise EvidenceError("too large for a receipt", where=str(path))
        return msgspec.json.decode(raw, type=Receipt)
    except OSError as error:
        raise EvidenceError(f"cannot be read ({error.strerror})", where=str(path)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        words = " ".join(str(error).split())[:200]
        raise EvidenceError(f"not a receipt ({words})", where=str(path)) from error
