"""Runs from elsewhere join those that are kept: added, extended or put aside, never lost.

Rules of this file (docs/evidence.md, "Import"):

* a run keeps its id; what is there already is not kept twice;
* anybody can write lines: a run that names a key goes on only as far as a good seal of that key covers;
* of two copies that contradict each other the one that is sealed further is kept, otherwise the first that
  came; the other one, and whatever is damaged, goes to ``aside/``;
* every step leaves a run that can be read: captured bytes before the log, the log before its seals, the new
  copy before the one that it replaces; so an import that was killed is repeated, and ends the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import EvidenceError
from blockwatch.evidence.allow import Allowed
from blockwatch.evidence.aside import copy_aside, put_aside
from blockwatch.evidence.bundle import BundledFile, BundledRun, list_run
from blockwatch.evidence.copies import (
    checked,
    compare,
    cut,
    differ,
    extend,
    held,
    longer_here,
    stronger,
    without,
)
from blockwatch.evidence.disk import in_words, sync_folder
from blockwatch.evidence.log import LOG_FILE, read_lines
from blockwatch.evidence.naming import SUMMARY_FILE, run_folder_name
from blockwatch.evidence.reading import Run, read_run, run_folders
from blockwatch.evidence.replacing import finish, note_replaced, settle, unsettled
from blockwatch.evidence.report import Report
from blockwatch.evidence.summary import write_summary
from blockwatch.evidence.vouchers import add_vouchers, contradiction, spared, weed
from blockwatch.model import Noun

ASIDE = "aside"
_ANOTHER = "it tells another story than the run kept here under this id"
_GOES_ON = "it goes on after the end of the copy kept here"
_BEFORE = "another copy that came under this id lies in aside/"
_FURTHER = "the other copy is sealed less far, and was put aside"
_UNSIGNED = "the run names no key, so lines that were added cannot be told from invented ones"


class Placed(Noun, frozen=True, kw_only=True):
    """What became of one run that came."""

    run: str  # run id
    outcome: str  # "new", "extended", "replaced", "added to", "there already", "older" or "aside"
    why: str | None = None  # in plain words
    folder: str | None = None  # below the results folder
    aside: str | None = None  # below the results folder: what was put aside of it, or for it
    left_out: tuple[str, ...] = ()  # stamps, or a second signature, that were put aside
    key: str | None = None  # public key the run names as its own
    previous_root: str | None = None
    lines: int | None = None  # of the log that came
    root: str | None = None  # lower-case hex, over these lines
    files: tuple[BundledFile, ...] = ()  # as they came
    same_predecessor: tuple[str, ...] = ()  # ids of other runs here that name the same previous run


class _Copy(NamedTuple):
    """A run that came, and what checking it showed."""

    run: Run
    folder: Path
    report: Report


class _Joined(NamedTuple):
    """What became of it; no folder: it must still go aside."""

    outcome: str
    why: str | None = None
    folder: Path | None = None
    aside: Path | None = None
    left_out: tuple[str, ...] = ()


class _First(msgspec.Struct, frozen=True):
    """As much of a first line as is needed to know a run."""

    run: str
    previous_root: str | None = None


class Kept:
    """The runs of a results folder, which the caller has locked."""

    def __init__(self, results: Path, allowed: Sequence[Allowed] = ()) -> None:
        """``allowed``: keys whose copy of a run is kept rather than another one's."""
        self.results, self._allowed = results, allowed
        self._folders: dict[str, Path] = {}
        self._followers: dict[str, list[str]] = {}
        self._finished: dict[str, Path] = {}  # run → its other copy, of which a killed import told nobody
        for folder in unsettled(results):
            with suppress(EvidenceError):  # altered since: whoever reads it will say so
                place, aside = finish(folder, results / ASIDE)
                self._finished |= {read_run(place).open.run: aside} if aside else {}
        for folder in sorted(run_folders(results)) if results.is_dir() else ():
            try:
                line = next(read_lines(folder / LOG_FILE, []), b"")
                first = msgspec.json.decode(line, type=_First)
            except (EvidenceError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue  # damaged: whoever reads it will say so
            self._know(first.run, first.previous_root, folder)

    def __contains__(self, run: str) -> bool:
        """Whether a run of this id can be read here."""
        return run in self._folders

    def folder(self, run: str) -> Path | None:
        """Where a run of this id is, if it can be read here."""
        return self._folders.get(run)

    def _know(self, run: str, previous_root: str | None, folder: Path) -> None:
        self._folders.setdefault(run, folder)
        if previous_root is not None:
            self._followers.setdefault(previous_root, []).append(run)

    def place(self, staged: Path, bundled: BundledRun) -> Placed:
        """Take the run in ``staged`` (a private folder on the same disk), which came as ``bundled``."""
        placed = Placed(run=bundled.run, outcome="aside", files=bundled.files)
        spare = staged.with_name(f"{staged.name}-stamps")
        left_out = tuple(weed(staged, spare))
        try:
            report = checked(staged, bundled.run)
            placed = msgspec.structs.replace(
                placed, key=report.key, previous_root=report.previous, lines=report.lines, root=report.root
            )
            joined = self._join(_Copy(read_run(staged), staged, report), bundled, spare)
        except EvidenceError as error:
            joined = _Joined("aside", without(staged, error))
        left_out += joined.left_out
        folder, aside = joined.folder, joined.aside
        if folder is None:
            folder, left_out = self._put_aside(staged, bundled, spare), ()
        elif left_out:
            stamps = self._spare_aside(spare, bundled.run)
            aside = aside or stamps
        others = self._followers.get(placed.previous_root or "", ())
        return msgspec.structs.replace(
            placed,
            outcome=joined.outcome,
            why=joined.why,
            folder=folder.relative_to(self.results).as_posix(),
            aside=aside.relative_to(self.results).as_posix() if aside else None,
            left_out=tuple(sorted(left_out)),
            same_predecessor=tuple(sorted(set(others) - {bundled.run})),
        )

    def _join(self, new: _Copy, bundled: BundledRun, spare: Path) -> _Joined:
        """Join one run that is good in itself; no folder: it must go aside."""
        kept = self._folders.get(bundled.run)
        if kept is None:
            before = any((self.results / ASIDE).glob(f"{bundled.run}-*"))
            return _Joined("new", _BEFORE if before else None, self._add(new.run, new.folder))
        try:
            ours = held(kept)
            longer = compare(kept / LOG_FILE, new.folder / LOG_FILE)
        except EvidenceError as error:
            return _Joined("aside", f"the run kept here under this id is damaged: {without(kept, error)}")
        why = _ANOTHER if longer is None else contradiction(kept, new.folder)
        if why is not None:
            return (
                self._replace(new, kept, why)
                if stronger(new.report, ours, self._allowed)
                else _Joined("aside", why)
            )
        if longer is not None and longer > 0:
            return self._go_on(new, kept, ours, bundled, spare)
        added, left_out = add_vouchers(kept, new.folder, spare)
        if new.run.close is not None and longer == 0 and not (kept / SUMMARY_FILE).is_file():
            write_summary(kept)  # an import was killed before it came to this
        if bundled.run in self._finished:
            why = f"{_FURTHER}; an import was stopped on the way"
            return _Joined("replaced", why, kept, self._finished[bundled.run], left_out)
        if longer:
            return _Joined("older", longer_here(ours, new.report), kept, left_out=left_out)
        return _Joined("added to" if added else "there already", None, kept, left_out=left_out)

    def _go_on(self, new: _Copy, kept: Path, ours: Report, bundled: BundledRun, spare: Path) -> _Joined:
        """Extend a kept run by what vouches for itself; where more came, all of that copy goes aside too."""
        if new.report.key is None:
            return self._extend(new, kept, spare, f"{_GOES_ON}; {_UNSIGNED}")
        reach = new.report.sealed
        if reach == new.report.lines:
            return self._extend(new, kept, spare, _GOES_ON)
        why = (
            f"no seal of the run's key covers its last {new.report.lines - reach} lines, which were not added"
        )
        if reach <= ours.lines and reach <= ours.sealed:
            return _Joined("aside", why)
        aside = self._copy_aside(new.folder, bundled, new.folder)
        if reach > ours.lines:
            cut(new.folder, reach)
            return self._extend(new, kept, spare, f"{_GOES_ON}; {why}", aside)
        _, left_out = add_vouchers(kept, new.folder, spare)
        return _Joined("added to", why, kept, aside, left_out)

    def _extend(self, new: _Copy, kept: Path, spare: Path, why: str, aside: Path | None = None) -> _Joined:
        """Make the kept copy the longer one; where captured bytes would go, it all goes aside."""
        if differ(kept, new.folder):
            before = self._copy_aside(kept, list_run(kept, new.run.open.run), new.folder)
            aside = aside or before
        left_out = extend(kept, new.folder, spare)
        return _Joined("extended", why, kept, aside, left_out)

    def _replace(self, new: _Copy, kept: Path, why: str) -> _Joined:
        """Put the new copy into the place of the kept one, which goes aside."""
        run = new.run.open.run
        note_replaced(new.folder, kept, self._aside_for(list_run(kept, run)))
        del self._folders[run]
        folder, aside = finish(self._add(new.run, new.folder), self.results / ASIDE)
        self._folders[run] = folder
        return _Joined("replaced", f"{why}; {_FURTHER}", folder, aside)

    def settle(self, runs: Iterable[str]) -> None:
        """A receipt has said what became of these."""
        for run in runs:
            self._finished.pop(run, None)
            if run in self._folders:
                settle(self._folders[run])

    def _add(self, run: Run, staged: Path) -> Path:
        folder = self.results / run_folder_name(run.open, run.open.label)
        while folder.exists():  # somebody else's folder of this name: theirs stays
            folder = folder.with_name(f"{folder.name.removesuffix(run.open.run)}again-{run.open.run}")
        if run.close is not None:
            write_summary(staged)
        with in_words(folder):
            sync_folder(staged)
            staged.rename(folder)
            sync_folder(self.results)
        self._know(run.open.run, run.open.previous_root, folder)
        return folder

    def _aside_for(self, bundled: BundledRun) -> Path:
        """Where no reader takes it for a run of ours; the same comes to the same place."""
        return self.results / ASIDE / f"{bundled.run}-{sha256(canonical(bundled)).hexdigest()[:12]}"

    def _put_aside(self, staged: Path, bundled: BundledRun, spare: Path) -> Path:
        """Put it aside as it came, with all its stamps."""
        folder = self._aside_for(bundled)
        with in_words(folder):
            for name in spared(spare):
                (spare / name).rename(staged / name)
            return put_aside(staged, folder)

    def _copy_aside(self, folder: Path, bundled: BundledRun, staged: Path) -> Path:
        """Put a copy aside of what will be cut."""
        place = self._aside_for(bundled)
        with in_words(place):
            return copy_aside(folder, place, staged.with_name(f"{staged.name}-{place.name}"))

    def _spare_aside(self, spare: Path, run: str) -> Path:
        """Put aside what was not taken of stamps and second signatures."""
        listed = {name: sha256((spare / name).read_bytes()).hexdigest() for name in spared(spare)}
        folder = self.results / ASIDE / f"stamps-{run}-{sha256(canonical(listed)).hexdigest()[:12]}"
        with in_words(folder):
            return put_aside(spare, folder)
