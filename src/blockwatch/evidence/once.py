"""Which of the runs that are named are read, and reading them one by one.

Rules of this file:

* where a list of keys is given, only runs that one of these keys sealed, and of these only the lines under
  the seal; what others wrote has no say in it. The days of a key are held against the run's own clock;
* a run of which several copies are named (a results folder, a bundle of it, a backup) is read once;
* of copies of which one begins with all of another the one sealed furthest is read, then the longest; that is
  told and is no fault;
* copies with different histories are a contradiction. Where a seal covers the line in which they part in one
  of them alone, that one is read; where it does not say which is true, none is;
* a copy that is damaged in itself is left in: whoever reads it says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from blockwatch.errors import EvidenceError
from blockwatch.evidence.allow import Allowed, allowed_by
from blockwatch.evidence.covered import Coverage, CoveredRun, SealedRun, read_covered
from blockwatch.evidence.log import LOG_FILE, parting
from blockwatch.evidence.note import parse_campaign_key
from blockwatch.evidence.reading import read_run
from blockwatch.run import RunOpen

Copy = tuple[Coverage, Path]
OnDamage = Callable[[EvidenceError], None] | None
OnNote = Callable[[str], None]
_T = TypeVar("_T")


def read_each(
    folders: Iterable[Path],
    work: Callable[[CoveredRun], _T],
    *,
    on_damage: OnDamage,
    on_note: OnNote,
    allowed: Sequence[Allowed] | None = None,
) -> Iterator[tuple[CoveredRun, _T]]:
    """Yield every run to be read with what ``work`` makes of it; ``on_note`` is told what is left out.

    A damaged one raises ``EvidenceError``, or is handed to ``on_damage`` and left out.
    """
    for folder in one_copy_each(folders, on_damage=on_damage, on_note=on_note, allowed=allowed):
        try:
            run = read_covered(folder) if allowed is None else SealedRun(folder)
            left_out = allowed is not None and not run.coverage.sealed
            made = work(run)
        except EvidenceError as error:
            if on_damage is None:
                raise
            on_damage(error)
        else:
            if left_out:
                on_note(f"left out, as it names a key of the list that did not seal it: {folder}")
                continue
            if allowed is not None and not run.coverage.whole:
                rest = run.coverage.lines - run.coverage.sealed
                on_note(f"of {folder} the last {rest} lines are left out, which no seal covers")
            yield run, made


def one_copy_each(
    folders: Iterable[Path],
    *,
    on_damage: OnDamage,
    on_note: OnNote,
    allowed: Sequence[Allowed] | None = None,
) -> list[Path]:
    """The run folders to read, in the order of the first copy of each run; errors as :func:`read_each`."""
    named: dict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        try:
            opened = read_run(folder).open
        except EvidenceError:
            named[str(folder)].append(folder)  # whoever reads it says what is wrong
            continue
        if allowed is None or _is_listed(opened, allowed):
            named[opened.run].append(folder)
        else:
            on_note(f"left out, as it is by no key of the list: {folder}")
    chosen: list[Path] = []
    for run, copies in named.items():
        sealed_alone = allowed is not None
        chosen += copies if len(copies) == 1 else _chosen(run, copies, on_damage, on_note, sealed_alone)
    return chosen


def _is_listed(opened: RunOpen, allowed: Sequence[Allowed]) -> bool:
    try:
        key = parse_campaign_key(opened.key or "")
    except EvidenceError:
        return False
    return allowed_by(allowed, key, opened.started) is not None


def _chosen(
    run: str, folders: list[Path], on_damage: OnDamage, on_note: OnNote, sealed_alone: bool
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
    wrong = _wrong(best, copies, sealed_alone)
    for folder, what in wrong.items():
        error = EvidenceError(what, where=str(folder / LOG_FILE), remedy=f"blockwatch verify {folder}")
        if on_damage is None:
            raise error
        on_damage(error)
    if len(copies) - len(wrong) > 1:
        on_note(f"run {run} is in {len(copies) - len(wrong)} of the places named: it is counted once")
    return damaged if best[1] in wrong else [best[1], *damaged]


def _wrong(best: Copy, copies: list[Copy], sealed_alone: bool) -> dict[Path, str]:
    """Copies that are not read, and what is wrong with each; ``sealed_alone``: only sealed lines count."""
    found: dict[Path, str] = {}
    for other in copies:
        line = None if other is best else parting(best[1] / LOG_FILE, other[1] / LOG_FILE)
        if line is None or (sealed_alone and not other[0].covers(line)):
            continue
        accused = [(other, best)]
        if other[0].covers(line) or not best[0].covers(line):
            accused.append((best, other))
        for (_, folder), (_, rival) in accused:
            found[folder] = f"another history of the run than in {rival}, from line {line} on"
    return found
