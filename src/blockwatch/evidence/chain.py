"""The chain of runs: each names the root of the one before it, so that a missing one shows.

A chain is the runs of one results folder under one key (or under none), without runs that were read from
another program's records. A run that was forgotten on purpose keeps its place by its tombstone. Which one is
the last says the chain itself, not the time in a name: a clock may have been wrong. What came by import
names a key as anybody can: it is of the chain only where that key has signed all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path
from typing import NamedTuple

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.evidence.log import LOG_FILE, log_root, read_lines
from blockwatch.evidence.reading import run_folders
from blockwatch.evidence.receipt import imported_runs
from blockwatch.evidence.rootnote import encrypted_folders, read_root
from blockwatch.evidence.tombstone import read_tombstones


class _First(msgspec.Struct, frozen=True):
    """As much of a first line as the chain needs."""

    type: str
    run: str
    key: str | None = None
    imported: str | None = None
    previous_root: str | None = None


class _Link(NamedTuple):
    """One run of the chain, or what is left of it."""

    previous: str | None
    root: str | None  # null: it stands in the log
    folder: Path | None = None  # null: it was forgotten


def last_root(results: Path, key: str | None = None) -> str | None:
    """Root (hex) that the next run of a chain has to name; ``None``: it will be the first.

    ``key`` is the verifier key of the chain as in ``run_open``. From the newest run by name it goes on to
    those that name it, and so on to the end. Roots are taken from the logs themselves; a run or tombstone
    that is damaged is passed over: the gap in the chain will show it.
    """
    if not results.is_dir():
        return None
    came = imported_runs(results)
    links = [*_tombstones(results, key, came), *_encrypted(results, key), *_runs(results, key, came)]
    links.sort(key=lambda link: link.folder.name if link.folder else "")
    root = next((found for link in reversed(links) if link.folder and (found := _root(link))), None)
    while True:
        following = [link for link in links if link.previous == root]
        after = next((found for link in reversed(following) if (found := _root(link))), None)
        if after is None:
            return root
        links = [link for link in links if link not in following]  # each is passed once
        root = after


def is_own(folder: Path, run: str, key: str | None, came: Set[str]) -> bool:
    """Whether a run in a results folder that names ``key`` is of that key; ``came``: what came by import."""
    if run not in came:
        return True
    from blockwatch.evidence.covered import read_covered

    try:
        return key is not None and read_covered(folder).coverage.whole
    except EvidenceError:
        return False


def _runs(results: Path, key: str | None, came: Set[str]) -> Iterator[_Link]:
    for folder in run_folders(results):
        try:
            first = msgspec.json.decode(next(read_lines(folder / LOG_FILE, []), b""), type=_First)
        except (EvidenceError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        of_key = first.type == "run_open" and first.key == key and first.imported is None
        if of_key and is_own(folder, first.run, key, came):
            yield _Link(first.previous_root, None, folder)


def _encrypted(results: Path, key: str | None) -> Iterator[_Link]:
    for folder in encrypted_folders(results):
        try:
            note = read_root(folder)
        except EvidenceError:
            continue
        if note and (str(note.key) if note.key else None) == key and note.signed == (key is not None):
            yield _Link(note.previous, note.root, folder)


def _tombstones(results: Path, key: str | None, came: Set[str]) -> Iterator[_Link]:
    try:
        stones = read_tombstones(results)
    except EvidenceError:
        return
    for stone in stones:
        if (str(stone.key) if stone.key else None) == key and (stone.signed or stone.run not in came):
            yield _Link(stone.previous, stone.root)


def _root(link: _Link) -> str | None:
    try:
        return link.root or (log_root(link.folder / LOG_FILE)[1] if link.folder else None)
    except EvidenceError:
        return None
