"""Checking runs against one another: the chain, and two histories of one run.

Rules of this file:

* a results folder claims to hold its chains whole: a run that is missing there is a finding; among runs
  that were only named or handed on, or that came by import, it is not;
* two copies of one run may differ only in that one is a beginning of the other; where they differ otherwise,
  and seals cover that line in one of them alone, it is the other one that is at fault: anybody can write it;
* a run without a last line ends where it says it does only if a later run of its key says so, and one that
  whoever has a retired key could have written later says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.evidence.allow import may_be_a_thiefs
from blockwatch.evidence.log import LOG_FILE, parting, read_lines
from blockwatch.evidence.merkle import Tree, leaf_hash
from blockwatch.evidence.naming import ROOT_FILE
from blockwatch.evidence.receipt import RECEIPTS, are_readable, imported_runs
from blockwatch.evidence.report import Finding, kind_of
from blockwatch.evidence.rootnote import RootNote, root_notes
from blockwatch.evidence.tombstone import Tombstone, read_tombstones
from blockwatch.evidence.verify import Checked, Reader

_MISSING = "the run before this one is missing, or was changed"
_NOT_SEEN = "the run before it is not among those that may be read here: whether it is missing is not known"
_NOT_HERE = "the run before it is not here: this one came by import, and that one may not have been handed on"
_FORKED = (
    "another run here names the same run before, or none, as this one does: one of them was killed while it "
    "was encrypted, a clock was set back, a folder was copied, or what came between was taken away"
)


def with_finding(checked: Checked, finding: Finding) -> None:
    """Add a finding to a report."""
    findings = (*checked.report.findings, finding)
    checked.report = msgspec.structs.replace(checked.report, findings=findings)


def with_note(checked: Checked, note: str) -> None:
    """Add a sentence to a report."""
    checked.report = msgspec.structs.replace(checked.report, notes=(*checked.report.notes, note))


class _Chains:
    """What a results folder holds of the chain of each key, by root (hex)."""

    def __init__(self) -> None:
        self.present: dict[str | None, set[str]] = defaultdict(set)
        self.forgotten: dict[str | None, dict[str, Tombstone]] = defaultdict(dict)
        self.noted: dict[str | None, dict[str, RootNote]] = defaultdict(dict)
        self.after: dict[tuple[str | None, str | None], set[str]] = defaultdict(
            set
        )  # ids by key and root before
        self.blind = False  # some of what is in the folder may not be read here
        self.came: set[str] = set()  # ids of runs and tombstones that came by import, perhaps without others

    def holds(self, key: str | None, root: str) -> bool:
        return root in self.present[key] or root in self.forgotten[key] or root in self.noted[key]


def check_chain(results: Path, runs: Sequence[Checked], reader: Reader) -> list[Finding]:
    """Find runs that name one that is not there; gives findings about tombstones and encrypted runs."""
    broken: list[Finding] = []
    chains = _Chains()
    named: list[tuple[str, str | None, str]] = []  # place, key and the root before it
    here = {checked.report.run: checked for checked in runs}
    try:
        for stone in read_tombstones(results):
            if stone.run in here:
                with_note(here[stone.run], f"{forgotten(stone)}: it was put back, or was being forgotten")
            key = str(stone.key) if stone.key else None
            chains.forgotten[key][stone.root] = stone
            chains.after[key, stone.previous].add(stone.run)
            named += [(f"forgotten/{stone.run}", key, stone.previous)] if stone.previous else []
    except EvidenceError as error:
        broken.append(_damage(results, error))
    try:
        for folder, note in root_notes(results):
            key = str(note.key) if note.key else None
            chains.noted[key][note.root] = note
            chains.after[key, note.previous].add(note.run)
            named += [(f"{folder.name}/{ROOT_FILE}", key, note.previous)] if note.previous else []
    except EvidenceError as error:
        broken.append(_damage(results, error))
    for checked in runs:
        report = checked.report
        if not report.imported:
            chains.present[report.key].add(report.root or _root_anyway(checked.folder))
            chains.after[report.key, report.previous].add(report.run or "")
    chains.came = imported_runs(results)
    if not are_readable(results):
        broken.append(Finding(kind="unread", where=RECEIPTS, what="cannot be read (Permission denied)"))
    findings = [*broken, *(finding for checked in runs for finding in checked.report.findings)]
    chains.blind = any(finding.kind == "unread" for finding in findings)
    for checked in runs:
        _link(checked, chains, reader)
        _fork(checked, chains)
    for where, key, before in named:
        if (
            not chains.blind
            and not chains.holds(key, before)
            and where.removeprefix("forgotten/") not in chains.came
        ):
            broken.append(Finding(kind="contradiction", where=where, what=_MISSING))
    _confirm(runs, set(_signed(chains, reader)))
    return broken


def forgotten(stone: Tombstone) -> str:
    """What a tombstone says, and on whose word."""
    who = "its key" if stone.signed else "an unsigned note"
    return f"{who} says that run {stone.run} was forgotten on purpose, {stone.when}"


def _damage(results: Path, error: EvidenceError) -> Finding:
    where = error.where.removeprefix(f"{results}/")
    return Finding(kind=kind_of(error), where=where, what=error.what)


def _signed(chains: _Chains, reader: Reader) -> Iterator[tuple[str, str]]:
    """Signed notes of runs that are not readable here: key, and the root before it.

    No timestamp is over such a note, so those of a retired key count for nothing.
    """
    notes: list[Tombstone | RootNote] = []
    for held in (chains.forgotten, chains.noted):
        for by_root in held.values():
            notes += by_root.values()
    for note in notes:
        if note.signed and note.key is not None and note.previous is not None and not _author(note, reader):
            yield str(note.key), note.previous


def _link(checked: Checked, chains: _Chains, reader: Reader) -> None:
    report = checked.report
    key, before = report.key, report.previous
    if before is None or report.imported or before in chains.present[key]:
        return
    stone, note = chains.forgotten[key].get(before), chains.noted[key].get(before)
    if stone is None and note is None and report.run in chains.came:
        with_note(checked, _NOT_HERE)
        return
    if stone is None and note is None and chains.blind:
        with_note(checked, _NOT_SEEN)
        return
    if stone is None and note is None:
        with_finding(checked, Finding(kind="contradiction", where=f"{LOG_FILE}:1", what=_MISSING))
        return
    if stone is not None and _author(stone, reader) is None:
        with_note(checked, f"the run before it ({stone.run}) was forgotten on purpose, {stone.when}")
    which = f"{ROOT_FILE} of run {note.run if note else ''}"
    if stone is not None:
        which = f"forgotten/{stone.run}, which says that it was forgotten on purpose, {stone.when}"
    who = [_author(one, reader) for one in (stone, note) if one is not None]
    if None not in who:
        kind, author = who[0] or ("", "")
        word = f"the run before it is vouched for only by {kind} ({which}): {author} could have written it, "
        with_note(checked, word + "to hide that a run is missing; so this one reaches no grade of --require")
        checked.report = msgspec.structs.replace(checked.report, unsigned_link=True)


def _fork(checked: Checked, chains: _Chains) -> None:
    """Say where two runs name the same one before: what is missing between such runs does not show."""
    report = checked.report
    others = sorted(chains.after[report.key, report.previous] - {report.run} - chains.came)
    if others and not report.imported and report.run not in chains.came:
        with_note(checked, f"{_FORKED} (run {', '.join(others[:3])}{' and others' * (len(others) > 3)})")


def _author(note: Tombstone | RootNote, reader: Reader) -> tuple[str, str] | None:
    """In words, a note that need not be the word of the run's key, and whose it may be; ``None``: it is."""
    if note.key is None:
        return None
    if not note.signed:
        return "an unsigned note", "anybody"
    if may_be_a_thiefs(reader.keys or (), note.key, reader.now):
        return "a note of a retired key", "whoever has that key"
    return None


def confirm_ends(runs: Sequence[Checked]) -> None:
    """Find runs without a last line of which a later run, signed by the same key, says where they ended."""
    _confirm(
        runs,
        {
            (one.report.key, one.report.previous)
            for one in runs
            if one.report.sound
            and one.signed_start
            and one.report.previous
            and not one.report.imported
            and not one.report.days_unproven
        },
    )


def _confirm(runs: Iterable[Checked], named: Set[tuple[str | None, str | None]]) -> None:
    for checked in runs:
        report = checked.report
        if report.open_ended and report.root and report.key and (report.key, report.root) in named:
            checked.report = msgspec.structs.replace(report, open_ended=False)
            with_note(checked, "a later run of the same key says that this one ended here")


def _root_anyway(folder: Path) -> str:
    """Root of a log that is damaged, over what its lines are now."""
    tree = Tree()
    try:
        for line in read_lines(folder / LOG_FILE, []):
            tree.append(leaf_hash(line))
    except EvidenceError:
        return ""
    return tree.root().hex()


def check_copies(runs: Iterable[Checked], reader: Reader) -> None:
    """Find two histories of one run. What seals cover decides which of them is at fault, if they can.

    Each copy is held against the one that is sealed furthest, and against the longest.
    """
    copies: dict[str, list[Checked]] = defaultdict(list)
    for checked in runs:
        if checked.report.run is not None and checked.report.root is not None:
            copies[checked.report.run].append(checked)
    for same in copies.values():
        best = max(same, key=lambda one: (_vouched(one, reader), one.report.lines))
        longest = max(same, key=lambda one: one.report.lines)
        pairs = {frozenset((id(one), id(other))): (one, other) for one in same for other in (best, longest)}
        for one, other in pairs.values():
            if one is not other:
                _compare(one, other, reader)


def _vouched(checked: Checked, reader: Reader) -> int:
    """Lines under a seal that counts: by a key that the reader named, or by any where none was named."""
    counts = reader.keys is None or checked.report.signer is not None
    return checked.report.sealed if counts else 0


def _compare(checked: Checked, other: Checked, reader: Reader) -> None:
    """Hold one copy against another one."""
    if checked.report.root == other.report.root:
        with_note(checked, f"the same run is in {other.folder}")
        return
    line = parting(checked.folder / LOG_FILE, other.folder / LOG_FILE)
    if line is None:
        which = "longer" if checked.report.lines < other.report.lines else "shorter"
        with_note(checked, f"a {which} copy of this run is in {other.folder}")
        return
    sealed = [_vouched(one, reader) >= line for one in (checked, other)]
    for one, rival, here in (
        (checked, other, sealed == [True, False]),
        (other, checked, sealed == [False, True]),
    ):
        what = f"another history of the run in {rival.folder}, from line {line} on"
        if here:
            with_note(one, f"{what}: a seal of its key covers that line here, and not there")
        else:
            with_finding(one, Finding(kind="contradiction", where=LOG_FILE, what=what))
