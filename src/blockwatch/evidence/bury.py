"""Tombstones that come from elsewhere: a signed one beats one that anybody may have written.

Rules of this file: nothing is deleted on somebody else's word, no run and no tombstone: of two that say
different things one is kept, the other goes to ``aside/``; the caller holds the lock.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from blockwatch.errors import EvidenceError
from blockwatch.evidence.disk import in_words, replace_file
from blockwatch.evidence.merge import ASIDE
from blockwatch.evidence.receipt import Buried
from blockwatch.evidence.tombstone import FORGOTTEN_FOLDER, Tombstone, parse_tombstone

_UNSIGNED = "an unsigned note says so: anybody could have written it"
_REPLACED = "it is signed by the key that it names, and the unsigned one that was kept here was put aside"
_OTHER = "it says another thing than the tombstone kept here"


def bury(staged: Path, results: Path, run: str) -> Buried:
    """Take the tombstone of ``run`` in ``staged``; gives what became of it. Raises ``DiskError``."""
    raw, place = (staged / run).read_bytes(), results / FORGOTTEN_FOLDER / run
    try:
        came = _parsed(raw, run)
    except EvidenceError as error:
        return _aside(results, run, raw, error.what)
    if place.is_file():
        before = place.read_bytes()
        kept = _kept(before, run)
        if kept == came:
            return Buried(run=run, outcome="there already")
        if not came.signed or (kept is not None and kept.signed):
            return _aside(results, run, raw, _OTHER)
        _aside(results, run, before, _OTHER)
        replace_file(place, raw)
        return Buried(run=run, outcome="replaced", why=_REPLACED)
    _write(place, raw)
    return Buried(run=run, outcome="new", why=None if came.signed else _UNSIGNED)


def _parsed(raw: bytes, run: str) -> Tombstone:
    stone = parse_tombstone(raw, run)
    if stone.run != run:
        raise EvidenceError("a tombstone under another run's name", where=run)
    return stone


def _kept(raw: bytes, run: str) -> Tombstone | None:
    try:
        return _parsed(raw, run)
    except EvidenceError:
        return None  # damaged: whoever reads it says so


def _aside(results: Path, run: str, raw: bytes, why: str) -> Buried:
    _write(results / ASIDE / f"forgotten-{run}-{sha256(raw).hexdigest()[:12]}", raw)
    return Buried(run=run, outcome="aside", why=why)


def _write(place: Path, raw: bytes) -> None:
    with in_words(place):
        place.parent.mkdir(mode=0o700, exist_ok=True)
    replace_file(place, raw)
