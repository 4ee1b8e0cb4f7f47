"""Checking whatever a reader has in hand: run folders, results folders, bundles, proofs, several at once.

Rules of this file: a bundle is unpacked into a private place first and checked like a folder of runs that
somebody chose; only a results folder answers for its chains being whole; reports come in the order of the
paths, those of a folder in the order of the runs' names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence.merge import ASIDE
from blockwatch.evidence.mistaken import mistake
from blockwatch.evidence.opened import no_run, opened_paths
from blockwatch.evidence.reading import is_run, linked_runs, runs_at
from blockwatch.evidence.report import Finding, Report
from blockwatch.evidence.tombstone import read_tombstones
from blockwatch.evidence.verify import Checked, Reader, verify_run
from blockwatch.evidence.verify_among import (
    check_chain,
    check_copies,
    confirm_ends,
    forgotten,
    with_note,
)
from blockwatch.evidence.verify_growth import is_growth, verify_growth
from blockwatch.evidence.verify_order import check_order
from blockwatch.evidence.verify_proof import looks_like_a_proof, verify_proof
from blockwatch.evidence.verify_witnesses import MAX_SITES, find_witnesses
from blockwatch.evidence.which import OTHER_NAME, is_named_otherwise

_REMEDY = "Name a run folder, a folder of runs, a bundle or a proof."


class _Place(msgspec.Struct):
    """One path as given, and what was found there."""

    path: Path
    runs: list[Checked]
    others: list[Report]  # proofs, and findings about a folder as a whole


def verify_paths(paths: Sequence[Path], reader: Reader) -> Iterator[Report]:
    """Check everything at ``paths``; raises ``UsageError`` where there is nothing to check."""
    with ExitStack() as opened:  # what was unpacked stays until runs have been compared with one another
        held = Held()
        places = [_place(path, reader, opened, held) for path in paths]
        runs = [checked for place in places for checked in place.runs]
        check_copies(runs, reader)
        check_order(runs)
        confirm_ends(runs)
        find_witnesses(runs)
        for place in places:
            yield from (checked.report for checked in place.runs)
            yield from place.others


class Held:
    """Addresses held in memory for all runs together, to look for witnesses among them."""

    def __init__(self) -> None:
        self.count = 0

    def keep(self, checked: Checked) -> Checked:
        """Count those of one more run; where they become too many, say so and hold them no longer."""
        self.count += sum(map(len, (checked.sites or {}).values()))
        if checked.sites is not None and self.count > MAX_SITES:
            checked.sites = None
            with_note(
                checked, "witnesses were not looked for: too many measurements at once; name fewer runs"
            )
        return checked


def _place(path: Path, reader: Reader, opened: ExitStack, held: Held) -> _Place:
    if (mistaken := mistake(path)) is not None:
        raise mistaken
    if looks_like_a_proof(path):
        check = verify_growth if is_growth(path) else verify_proof
        return _Place(path, [], [check(path, reader)])
    try:
        (folder,) = opened.enter_context(opened_paths([path]))
    except EvidenceError as error:  # a bundle that is refused
        finding = Finding(kind="damage", where=path.name, what=error.what)
        return _Place(path, [], [Report(path=str(path), kind="folder", findings=(finding,))])
    if path.is_file() and folder == path:
        raise UsageError("this file is neither a bundle nor a proof", where=str(path), remedy=_REMEDY)
    runs = [held.keep(_named(verify_run(run, reader))) for run in _runs_in(folder)]
    whole = _folder(path, folder, runs, reader)
    if not runs and not whole:
        raise no_run([path])
    return _Place(path, runs, whole)


def _named(checked: Checked) -> Checked:
    """Say where the name of a run's folder, by which people find it, speaks of another one."""
    if is_named_otherwise(checked.folder.name, checked.report):
        with_note(checked, OTHER_NAME)
    return checked


def _runs_in(folder: Path) -> list[Path]:
    try:
        return runs_at(folder)
    except OSError as error:  # a name too long, a folder of somebody else's
        words = f"cannot be read ({(error.strerror or str(error)).lower()})"
        raise UsageError(words, where=str(folder), remedy=_REMEDY) from error


def _folder(path: Path, folder: Path, runs: list[Checked], reader: Reader) -> list[Report]:
    """Check what a folder says as a whole; renames the reports of a bundle after the bundle."""
    if folder != path:
        for checked in runs:
            name = f"{path}: {checked.folder.name}"
            checked.report = msgspec.structs.replace(checked.report, path=name)
        return []
    if is_run(folder):
        return []
    findings, notes = [*_links(folder), *check_chain(folder, runs, reader)], _aside(folder)
    if not runs and not findings:
        notes += tuple(map(forgotten, read_tombstones(folder)))
    if not findings and not notes:
        return []
    return [Report(path=str(path), kind="folder", findings=tuple(findings), notes=notes)]


def _links(results: Path) -> list[Finding]:
    """A link to a run is no run of this folder: what it leads to may be anybody's."""
    what = "a link stands where a run folder should; it was not followed"
    return [Finding(kind="damage", where=path.name, what=what) for path in linked_runs(results)]


def _aside(results: Path) -> tuple[str, ...]:
    """What was put aside when it was imported is no part of the folder, but must not go unsaid."""
    aside = results / ASIDE
    count = sum(1 for _ in aside.iterdir()) if aside.is_dir() else 0
    words = "put aside when imported: damaged, or another history of a run here; to check it, name the folder"
    return (f"{ASIDE}/: {count} {words}",) if count else ()
