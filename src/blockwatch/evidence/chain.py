"""The chain of runs: each names the root of the one before it, so that a missing one shows.

A chain is the runs of one results folder under one key (or under none), without runs that were read from
another program's records. A run that was forgotten on purpose keeps its place by its tombstone.
"""

from __future__ import annotations

from pathlib import Path

from blockwatch.errors import EvidenceError
from blockwatch.evidence.log import LOG_FILE, log_root
from blockwatch.evidence.reading import Run, run_folders
from blockwatch.evidence.rootnote import encrypted_folders, is_encrypted, read_root
from blockwatch.evidence.tombstone import Tombstone, read_tombstones


def last_root(results: Path, key: str | None = None) -> str | None:
    """Root (hex) that the next run of a chain has to name; ``None``: it will be the first.

    ``key`` is the verifier key of the chain as in ``run_open``. Roots are taken from the logs themselves; a
    run or tombstone that is damaged is passed over: the gap in the chain will show it.
    """
    if not results.is_dir():
        return None
    newest = None
    folders = [*run_folders(results), *encrypted_folders(results)]
    for folder in sorted(folders, key=lambda run: run.name, reverse=True):
        try:
            if is_encrypted(folder):
                noted = read_root(folder)
                of_it = str(noted.key) if noted and noted.key else None
                if noted and of_it == key and noted.signed == (key is not None):
                    newest = noted.root
                    break
                continue
            first = Run(folder).open
            if first.key == key and first.imported is None:
                newest = log_root(folder / LOG_FILE)[1]
                break
        except EvidenceError:
            continue
    return _after_tombstones(newest, _tombstones(results, key))


def _tombstones(results: Path, key: str | None) -> list[Tombstone]:
    try:
        stones = read_tombstones(results)
    except EvidenceError:
        return []
    return [stone for stone in stones if (str(stone.key) if stone.key else None) == key]


def _after_tombstones(root: str | None, stones: list[Tombstone]) -> str | None:
    """Follow the tombstones that come after ``root``; each is passed once."""
    left = {stone.run: stone for stone in stones}
    while True:
        following = [stone for stone in left.values() if stone.previous == root]
        if not following:
            return root
        root = following[-1].root
        del left[following[-1].run]
