"""Checking runs against one another: the chain, two histories of one run, and witnesses.

Rules of this file:

* a results folder claims to hold its chains whole: a run that is missing there is a finding; among runs
  that were only named or handed on, it is not;
* two copies of one run may differ only in that one is a beginning of the other;
* a witness is another person's key on another network, sealed, timed and with a checked clock, who asked
  for the same address within the same hour; what the two found is for the judge to compare.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.evidence.chain import noted_roots
from blockwatch.evidence.log import LOG_FILE, read_lines
from blockwatch.evidence.merkle import Tree, leaf_hash
from blockwatch.evidence.report import Finding, Level, Report
from blockwatch.evidence.tombstone import Tombstone, read_tombstones
from blockwatch.evidence.verify import Checked

NEAR_US = 3_600_000_000  # between measurements of two witnesses
MAX_SITES = 1_000_000  # addresses held in memory for all runs together


def with_finding(checked: Checked, finding: Finding) -> None:
    """Add a finding to a report."""
    findings = (*checked.report.findings, finding)
    checked.report = msgspec.structs.replace(checked.report, findings=findings)


def with_note(checked: Checked, note: str) -> None:
    """Add a sentence to a report."""
    checked.report = msgspec.structs.replace(checked.report, notes=(*checked.report.notes, note))


def check_chain(results: Path, runs: Sequence[Checked]) -> list[Finding]:
    """Find runs that name one that is not there; gives findings about tombstones."""
    broken: list[Finding] = []
    stones: list[Tombstone] = []
    try:
        stones = read_tombstones(results)
    except EvidenceError as error:
        where = error.where.removeprefix(f"{results}/")
        broken.append(Finding(kind="damage", where=where, what=error.what))
    present: dict[str | None, set[str]] = defaultdict(set)
    for checked in runs:
        report = checked.report
        if not report.imported:
            present[report.key].add(report.root or _root_anyway(checked.folder))
    for key, root in noted_roots(results):
        present[key].add(root)
    forgotten: dict[str | None, dict[str, Tombstone]] = defaultdict(dict)
    for stone in stones:
        forgotten[str(stone.key) if stone.key else None][stone.root] = stone
    for checked in runs:
        _link(checked, present, forgotten)
    for stone in stones:
        key = str(stone.key) if stone.key else None
        if stone.previous and stone.previous not in present[key] and stone.previous not in forgotten[key]:
            what = "the run before this one is missing, or was changed"
            broken.append(Finding(kind="contradiction", where=f"forgotten/{stone.run}", what=what))
    return broken


def _link(
    checked: Checked,
    present: dict[str | None, set[str]],
    forgotten: dict[str | None, dict[str, Tombstone]],
) -> None:
    report = checked.report
    if report.previous is None or report.imported or report.previous in present[report.key]:
        return
    stone = forgotten[report.key].get(report.previous)
    if stone is None:
        what = "the run before this one is missing, or was changed"
        with_finding(checked, Finding(kind="contradiction", where=f"{LOG_FILE}:1", what=what))
        return
    word = "" if stone.signed or stone.key is None else ", unsigned: anybody may have written that"
    with_note(checked, f"the run before it ({stone.run}) was forgotten on purpose, {stone.when}{word}")


def _root_anyway(folder: Path) -> str:
    """Root of a log that is damaged, over what its lines are now."""
    tree = Tree()
    try:
        for line in read_lines(folder / LOG_FILE, []):
            tree.append(leaf_hash(line))
    except EvidenceError:
        return ""
    return tree.root().hex()


def check_copies(runs: Iterable[Checked]) -> None:
    """Find two histories of one run."""
    first: dict[str, Checked] = {}
    for checked in runs:
        run, root = checked.report.run, checked.report.root
        if run is None or root is None:
            continue
        other = first.setdefault(run, checked)
        if other is checked:
            continue
        if other.report.root == root:
            with_note(checked, f"the same run is in {other.folder}")
            continue
        short, long = sorted((checked, other), key=lambda one: one.report.lines)
        if short.report.lines == long.report.lines or not _begins(long.folder, short.report):
            what = f"another history of the run in {other.folder}: neither is a beginning of the other"
            with_finding(checked, Finding(kind="contradiction", where=LOG_FILE, what=what))
        else:
            with_note(short, f"a longer copy of this run is in {long.folder}")


def _begins(folder: Path, report: Report) -> bool:
    """Whether the log in ``folder`` begins with that of ``report``."""
    tree = Tree()
    for line in read_lines(folder / LOG_FILE, []):
        tree.append(leaf_hash(line))
        if tree.size == report.lines:
            return tree.root().hex() == report.root
    return False


def find_witnesses(runs: Sequence[Checked]) -> None:
    """Raise to ``witnessed`` the runs whose every address another vantage asked for near the same time."""
    able = [one for one in runs if one.sites is not None]
    for mine in able:
        missing = dict(mine.sites or {})
        names: set[str] = set()
        for other in able:
            if other.report.key != mine.report.key and other.report.asn != mine.report.asn:
                seen = [url for url in missing if _near(missing[url], (other.sites or {}).get(url))]
                names |= {other.report.run or ""} if seen else set()
                for url in seen:
                    del missing[url]
        _raise(mine, missing, names)


def _raise(mine: Checked, missing: dict[str, tuple[int, int]], names: set[str]) -> None:
    total = len(mine.sites or {})
    if not missing and total:
        mine.report = msgspec.structs.replace(
            mine.report, level=Level.WITNESSED, witnesses=tuple(sorted(names))
        )
    elif names:
        with_note(mine, f"another vantage asked for {total - len(missing)} of {total} addresses as well")


def _near(mine: tuple[int, int], other: tuple[int, int] | None) -> bool:
    return other is not None and other[0] <= mine[1] + NEAR_US and mine[0] <= other[1] + NEAR_US
