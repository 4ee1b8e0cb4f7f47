"""A run of which several copies are named is counted once: in a results folder, a bundle of it, a backup.

Rules of this file:

* of copies of which one begins with all of another the one sealed furthest is read, then the longest; that is
  told and is no fault;
* copies with different histories are a contradiction. Where a seal covers the line in which they part in one
  of them alone, that one is read; where it does not say which is true, none is;
* a copy that is damaged in itself is left in: whoever reads it says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from blockwatch.errors import EvidenceError
from blockwatch.evidence.covered import Coverage, read_covered
from blockwatch.evidence.log import LOG_FILE, parting
from blockwatch.evidence.reading import read_run

Copy = tuple[Coverage, Path]


def one_copy_each(
    folders: Iterable[Path],
    on_damage: Callable[[EvidenceError], None] | None,
    on_note: Callable[[str], None],
) -> list[Path]:
    """Give the run folders to read, in the order of the first copy of each run.

    A copy that contradicts another raises ``EvidenceError``, or is handed to ``on_damage`` and left out.
    """
    named: dict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        named[_run_of(folder) or str(folder)].append(folder)
    chosen: list[Path] = []
    for run, copies in named.items():
        chosen += copies if len(copies) == 1 else _chosen(run, copies, on_damage, on_note)
    return chosen


def _run_of(folder: Path) -> str | None:
    try:
        return read_run(folder).open.run
    except EvidenceError:
        return None  # whoever reads it says what is wrong


def _chosen(
    run: str,
    folders: list[Path],
    on_damage: Callable[[EvidenceError], None] | None,
    on_note: Callable[[str], None],
) -> list[Path]:
    damaged: list[Path] = []
    copies: list[Copy] = []
    for folder in folders:
        try:
            copies.append((read_covered(folder).coverage, folder))
        except EvidenceError:
            damaged.append(folder)
    if not copies:
        return damaged
    best = max(copies, key=lambda copy: (copy[0].sealed, copy[0].lines))
    wrong = _wrong(best, copies)
    for folder, what in wrong.items():
        error = EvidenceError(what, where=str(folder / LOG_FILE), remedy=f"blockwatch verify {folder}")
        if on_damage is None:
            raise error
        on_damage(error)
    if len(copies) - len(wrong) > 1:
        on_note(f"run {run} is in {len(copies) - len(wrong)} of the places named: it is counted once")
    return damaged if best[1] in wrong else [best[1], *damaged]


def _wrong(best: Copy, copies: list[Copy]) -> dict[Path, str]:
    """Copies that are not read, each with what is wrong with it."""
    found: dict[Path, str] = {}
    for other in copies:
        line = None if other is best else parting(best[1] / LOG_FILE, other[1] / LOG_FILE)
        if line is None:
            continue
        words = "another history of the run than in {}, from line " + f"{line} on"
        found[other[1]] = words.format(best[1])
        if not (best[0].covers(line) and not other[0].covers(line)):
            found[best[1]] = words.format(other[1])
    return found
