"""Runs from elsewhere join those that are kept: added, extended or put aside, never overwritten.

Rules of this file:

* a run keeps its id; what is there already is not kept twice;
* two logs of one id may only differ in length: the longer one is the run, the other an earlier copy of it;
* whatever else contradicts what is kept, or is damaged, goes to ``aside/``, and what was kept stays;
* every step leaves a run that can be read: captured bytes before the log, the log before its seals; so an
  import that was killed is repeated, and ends the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import EvidenceError
from blockwatch.evidence.bundle import BundledFile, BundledRun
from blockwatch.evidence.checkpoint import CHECKPOINT_FILE, EARLIER_FOLDER, SSH_FILE
from blockwatch.evidence.disk import in_words, replace_file, sync_folder
from blockwatch.evidence.log import LOG_FILE, read_lines
from blockwatch.evidence.naming import STAMPS_FOLDER, run_folder_name
from blockwatch.evidence.reading import Run, read_run
from blockwatch.evidence.report import Report
from blockwatch.evidence.summary import SUMMARY_FILE, write_summary
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.evidence.warc import WARC_FILE
from blockwatch.model import Noun

ASIDE = "aside"
_DERIVED = ("verdicts.jsonl", SUMMARY_FILE)


class Placed(Noun, frozen=True, kw_only=True):
    """What became of one run that came."""

    run: str  # run id
    outcome: str  # "new", "extended", "added to", "there already", "older" or "aside"
    why: str | None = None  # in plain words
    folder: str | None = None  # below the results folder
    key: str | None = None  # public key the run names as its own
    previous_root: str | None = None
    lines: int | None = None  # of the log that came
    root: str | None = None  # lower-case hex, over these lines
    files: tuple[BundledFile, ...] = ()  # as they came
    same_predecessor: tuple[str, ...] = ()  # ids of other runs here that name the same previous run


class _First(msgspec.Struct, frozen=True):
    """As much of a first line as is needed to know a run."""

    run: str
    previous_root: str | None = None


class Kept:
    """The runs of a results folder, which the caller has locked."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self._folders: dict[str, Path] = {}
        self._followers: dict[str, list[str]] = {}
        for folder in sorted(_folders_in(results)):
            try:
                line = next(read_lines(folder / LOG_FILE, []), b"")
                first = msgspec.json.decode(line, type=_First)
            except (EvidenceError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue  # damaged: whoever reads it will say so
            self._know(first.run, first.previous_root, folder)

    def _know(self, run: str, previous_root: str | None, folder: Path) -> None:
        self._folders.setdefault(run, folder)
        if previous_root is not None:
            self._followers.setdefault(previous_root, []).append(run)

    def place(self, staged: Path, bundled: BundledRun) -> Placed:
        """Take the run in ``staged`` (a private folder on the same disk), which came as ``bundled``."""
        placed = Placed(run=bundled.run, outcome="aside", files=bundled.files)
        try:
            report = _checked(staged, bundled.run)
            placed = msgspec.structs.replace(
                placed, key=report.key, previous_root=report.previous, lines=report.lines, root=report.root
            )
            why, outcome, folder = self._join(read_run(staged), staged)
        except EvidenceError as error:
            why, outcome, folder = _without(staged, error), "aside", None
        if folder is None:
            folder = self._put_aside(staged, bundled)
        others = self._followers.get(placed.previous_root or "", ())
        return msgspec.structs.replace(
            placed,
            outcome=outcome,
            why=why,
            folder=folder.relative_to(self.results).as_posix(),
            same_predecessor=tuple(sorted(set(others) - {bundled.run})),
        )

    def _join(self, run: Run, staged: Path) -> tuple[str | None, str, Path | None]:
        """Why (or nothing), outcome, and the folder; no folder: it must go aside."""
        kept = self._folders.get(run.open.run)
        if kept is None:
            return None, "new", self._add(run, staged)
        try:
            longer = compare(kept / LOG_FILE, staged / LOG_FILE)
        except EvidenceError as error:
            return f"the run kept here under this id is damaged: {_without(kept, error)}", "aside", None
        if longer is None:
            return "it tells another story than the run kept here under this id", "aside", None
        if reason := _contradiction(kept, staged):
            return reason, "aside", None
        if longer > 0:
            _extend(kept, staged)
            return "it goes on after the end of the copy kept here", "extended", kept
        added = _add_vouchers(kept, staged)
        if run.close is not None and longer == 0 and not (kept / SUMMARY_FILE).is_file():
            write_summary(kept)  # an import was killed before it came to this
        if longer < 0:
            return "a longer copy is kept here", "older", kept
        return None, "added to" if added else "there already", kept

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

    def _put_aside(self, staged: Path, bundled: BundledRun) -> Path:
        """Keep it where no reader takes it for a run of ours; the same comes to the same place."""
        folder = self.results / ASIDE / f"{bundled.run}-{sha256(canonical(bundled)).hexdigest()[:12]}"
        with in_words(folder):
            folder.parent.mkdir(mode=0o700, exist_ok=True)
            if not folder.exists():
                staged.rename(folder)
                sync_folder(folder.parent)
        return folder


def _folders_in(results: Path) -> Iterator[Path]:
    if results.is_dir():
        for folder in results.iterdir():
            if not folder.name.startswith(".") and (folder / LOG_FILE).is_file():
                yield folder


def _without(folder: Path, error: EvidenceError) -> str:
    """The words of an error, with places named from within the folder."""
    place = error.where.replace(f"{folder}/", "")
    return f"{place}: {error.what}" if place else error.what


def _checked(staged: Path, wanted: str) -> Report:
    """Hold it against itself as ``blockwatch verify`` does; the first finding is an ``EvidenceError``."""
    report = verify_run(staged, Reader()).report
    for finding in report.findings:
        raise EvidenceError(finding.what, where=finding.where)
    if report.run != wanted:
        raise EvidenceError(f"the log says it is run {(report.run or '')[:40]!a}", where=LOG_FILE)
    return report


def compare(kept: Path, new: Path) -> int | None:
    """0: the same lines; 1: the new log goes on; -1: the kept one does; ``None``: they differ."""
    for ours, theirs in zip_longest(read_lines(kept, []), read_lines(new, [])):
        if ours is None:
            return 1
        if theirs is None:
            return -1
        if ours != theirs:
            return None
    return 0


# Seals and stamps: what vouches for a log, apart from its lines.


def _inner(folder: Path, inside: str) -> list[str]:
    return sorted(f"{inside}/{path.name}" for path in folder.glob(f"{inside}/*") if path.is_file())


def _sealed_lines(folder: Path) -> int:
    """Lines that the newest checkpoint names; 0: there is none."""
    path = folder / CHECKPOINT_FILE
    second = path.read_bytes().split(b"\n")[1:2] if path.is_file() else []
    return int(second[0]) if second and second[0].isdigit() and len(second[0]) < 17 else 0


def _contradiction(kept: Path, staged: Path) -> str | None:
    """Why two copies of one run, whose lines agree, cannot both be right."""
    names = _inner(staged, EARLIER_FOLDER)
    if _sealed_lines(kept) == _sealed_lines(staged):
        names += [CHECKPOINT_FILE, SSH_FILE]
    for name in names:
        ours, theirs = kept / name, staged / name
        if ours.is_file() and theirs.is_file() and ours.read_bytes() != theirs.read_bytes():
            return f"the same lines are sealed in two ways: {name} is another than the one kept here"
    return None


def _extend(kept: Path, staged: Path) -> None:
    """Make the kept run the longer one; each step leaves a run that can be read."""
    with in_words(kept):
        for name in _DERIVED:
            (kept / name).unlink(missing_ok=True)
        for name in (WARC_FILE, LOG_FILE):
            if (staged / name).is_file():
                (staged / name).replace(kept / name)
                sync_folder(kept)
    _add_vouchers(kept, staged)
    if read_run(kept).close is not None:
        write_summary(kept)


def _add_vouchers(kept: Path, staged: Path) -> bool:
    """Take over seals and stamps that are not there yet; whether there were any."""
    took = [_take(kept, staged, name) for name in _inner(staged, EARLIER_FOLDER)]
    took.append(_take_seal(kept, staged))
    for name in _inner(staged, STAMPS_FOLDER):
        took.append(_take(kept, staged, name) or _take(kept, staged, name, beside=True))
    return any(took)


def _take(kept: Path, staged: Path, name: str, *, beside: bool = False) -> bool:
    """Copy one file that is not there; ``beside``: under another name where another one is there."""
    content, path = (staged / name).read_bytes(), kept / name
    if beside and path.read_bytes() != content:
        path = path.with_name(f"{path.stem}.{sha256(content).hexdigest()[:8]}{path.suffix}")
    if path.is_file():
        return False
    with in_words(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
    replace_file(path, content)
    return True


def _take_seal(kept: Path, staged: Path) -> bool:
    """A checkpoint over more lines replaces the one kept here, which is kept beside it."""
    ours, theirs = _sealed_lines(kept), _sealed_lines(staged)
    if theirs > ours:
        if ours and not (kept / EARLIER_FOLDER / str(ours)).is_file():
            with in_words(kept):
                (kept / EARLIER_FOLDER).mkdir(mode=0o700, exist_ok=True)
            replace_file(kept / EARLIER_FOLDER / str(ours), (kept / CHECKPOINT_FILE).read_bytes())
        with in_words(kept):
            (kept / SSH_FILE).unlink(missing_ok=True)
        replace_file(kept / CHECKPOINT_FILE, (staged / CHECKPOINT_FILE).read_bytes())
    same = theirs and (kept / CHECKPOINT_FILE).read_bytes() == (staged / CHECKPOINT_FILE).read_bytes()
    added = bool(same and (staged / SSH_FILE).is_file() and _take(kept, staged, SSH_FILE))
    return added or theirs > ours
