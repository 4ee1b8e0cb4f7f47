"""``--resume``: goes on with the newest run of the key that stopped before its end, as a run of its own; of
``retest`` with the newest re-test of the same run.

Rules of this file:

* nothing of the stopped run is altered; of one that is damaged nothing is believed;
* everything that cannot be resumed is refused with exit code 2 (damage: 9), so that a script can begin anew;
* the network is compared when it has been learned, and before a site is asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Set
from typing import TYPE_CHECKING

import click
import msgspec

from blockwatch.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from blockwatch.evidence.progress import Noting
    from blockwatch.evidence.signing import Signer
    from blockwatch.run import RunOpen
    from blockwatch.runner.plan import Plan

_ANEW = "Leave out --resume: that begins a new run."
_SAME = "Give the same list and options as then, or leave out --resume: that begins a new run."

resume_option = click.option("--resume", is_flag=True, help="Go on with the newest run in --results: measure "
                             "what it left when it was stopped or killed. Give the same list and options as "
                             "then; limits count anew.")  # fmt: skip


class NothingLeft(UsageError):
    """There is no run to go on with, or it is complete: the ordinary case of a line of cron."""


def _nothing(first: RunOpen) -> None:
    """A run that resumes none may be begun on any network."""


class Part(msgspec.Struct, frozen=True):
    """A plan, or what is left of it."""

    plan: Plan
    refuse: Callable[[RunOpen], None] = _nothing  # raises ``UsageError`` where the network is another
    stopped: Path | None = None  # folder of the run that it goes on with


class _Stopped(msgspec.Struct, frozen=True):
    folder: Path
    run: str
    done: frozenset[int]  # numbers of tasks in the whole plan
    worked: tuple[int, ...]
    elsewhere: Callable[[int | None], bool]  # whether an AS number is not that of this run


def resumed(plan: Plan, results: Path, *, encrypted: bool, retest_of: str | None = None) -> Part:
    """What the newest run, or re-test of it, left of ``plan``.

    Raises ``NothingLeft``, any other ``UsageError`` and ``EvidenceError``.
    """
    from blockwatch.cli.sealing import held_signer
    from blockwatch.evidence.rootnote import is_encrypted
    from blockwatch.runner.rest import what_is_left

    signer = held_signer(plan.settings.campaign)
    if retest_of is not None and encrypted:
        raise UsageError("a re-test that is encrypted as it is written leaves no word of how far it came",
                         remedy=_ANEW)  # fmt: skip
    with _damage_said():
        folder = _newest(results, signer, retest_of)
    if folder is None:
        what = "run of yours" if retest_of is None else f"re-test of yours of run {retest_of}"
        raise NothingLeft(f"there is no {what} to resume here", where=str(results), remedy=_ANEW)
    if is_encrypted(folder) != encrypted:
        remedy = "leave out --encrypt-to" if encrypted else "name a key with --encrypt-to"
        raise UsageError(
            f"this run was {'not ' * encrypted}encrypted",
            where=str(folder),
            remedy=f"To resume it {remedy}. Or leave out --resume: that begins a new run.",
        )
    with _damage_said():
        stopped = _encrypted(plan, folder, signer) if encrypted else _plain(plan, folder)
    left = what_is_left(plan, stopped.run, stopped.done, stopped.worked)
    if left is None:
        raise NothingLeft("this run is complete: nothing is left of it", where=str(folder), remedy=_ANEW)
    return Part(left, _same_network(stopped), folder)


@contextlib.contextmanager
def _damage_said() -> Iterator[None]:
    try:
        yield
    except EvidenceError as error:
        what = f"this run is not resumed: {error.what}"
        raise EvidenceError(what, where=error.where, remedy=_ANEW) from error


def _same_network(stopped: _Stopped) -> Callable[[RunOpen], None]:

    def refuse(first: RunOpen) -> None:
        if stopped.elsewhere(first.vantage.asn):
            raise UsageError(
                "this run was made on another network than this line's, which is now "
                f"AS{first.vantage.asn} {first.vantage.network or ''}".rstrip(),
                where=str(stopped.folder),
                remedy="Resume it on its own network. Or leave out --resume: that begins a new run here.",
            )

    return refuse


def say(part: Part) -> None:
    """One line on what follows."""
    from blockwatch.cli.words import counted

    left, again = counted(len(part.plan.rest), "measurement"), len(part.plan.beside)
    beside = f", {again} once more to compare with" if again else ""
    click.echo(f"goes on with {part.stopped}: {left} left{beside}", err=True)


def _newest(results: Path, signer: Signer | None, retest_of: str | None) -> Path | None:
    """The newest of the chain that was a re-test of this run, or none; a damaged one: ``EvidenceError``."""
    from blockwatch.evidence.chain import is_own
    from blockwatch.evidence.naming import PROGRESS_FILE, is_plain
    from blockwatch.evidence.reading import read_run, run_folders
    from blockwatch.evidence.receipt import imported_runs
    from blockwatch.evidence.rootnote import encrypted_folders, is_encrypted

    if not results.is_dir():
        return None
    key, came = str(signer.key) if signer else None, imported_runs(results)

    def begun(folder: Path) -> tuple[str, bool, str]:  # of two of one second the later one has the note
        return folder.name[:16], is_plain(folder / PROGRESS_FILE), folder.name

    for folder in sorted((*run_folders(results), *encrypted_folders(results)), key=begun, reverse=True):
        if is_encrypted(folder):
            if retest_of is None and _is_of(folder, signer):
                return folder
            continue
        first = read_run(folder).open
        wanted = first.key == key and first.imported is None and first.retest_of == retest_of
        if wanted and is_own(folder, first.run, key, came):
            return _latest(results, folder, key, came)
    return None


def _latest(results: Path, folder: Path, key: str | None, came: Set[str]) -> Path:
    """The run that resumes this one, and so on to the last: its name is earlier where a clock was ahead."""
    from blockwatch.evidence.chain import is_own
    from blockwatch.evidence.reading import read_run, run_folders

    after: dict[str, Path] = {}
    for other in run_folders(results):
        with contextlib.suppress(EvidenceError):  # not what was asked for
            first = read_run(other).open
            if first.resumes is not None and first.key == key and is_own(other, first.run, key, came):
                after[first.resumes] = other
    while (following := after.pop(read_run(folder).open.run, None)) is not None:
        folder = following
    return folder


def _is_of(folder: Path, signer: Signer | None) -> bool:
    """Whether an encrypted run is of this key; one that was killed tells only whoever has the key."""
    from blockwatch.evidence.progress import read_progress
    from blockwatch.evidence.rootnote import read_root

    if signer is not None and read_progress(folder, signer) is not None:
        return True
    root = read_root(folder)
    return root is not None and root.key == (signer.key if signer else None)


def _plain(plan: Plan, folder: Path) -> _Stopped:
    from blockwatch import judge
    from blockwatch.evidence.copies import held
    from blockwatch.evidence.reading import read_run
    from blockwatch.runner.rest import Tally
    from blockwatch.runner.scope import differences, scope_of, scope_of_run

    held(folder)
    run = read_run(folder)
    first = run.open
    differing = differences(scope_of_run(first), scope_of(plan))
    if differing:
        raise UsageError(
            f"this run was made otherwise; not the same: {', '.join(differing)}",
            where=str(folder),
            remedy=_SAME,
        )
    before = _done_before(first.rest, len(plan.tasks))
    tally = Tally(plan.tasks, judge.wants_retest, done=before, beside=first.beside)
    tally.heard(first.checks)
    for measurement in run.measurements:
        tally.add(measurement)
    if run.close is not None:
        tally.ended(run.close)
    known = first.vantage.asn

    def elsewhere(asn: int | None) -> bool:
        return None not in (asn, known) and asn != known

    return _Stopped(folder, first.run, tally.done, tally.worked, elsewhere)


def _done_before(rest: tuple[int, ...], count: int) -> frozenset[int]:
    """What a run that measures ``rest`` of so many tasks had not to measure; no ``rest``: all of them."""
    return frozenset(range(count)) - frozenset(rest) if rest else frozenset()


def _encrypted(plan: Plan, folder: Path, signer: Signer | None) -> _Stopped:
    from blockwatch.codec import canonical
    from blockwatch.evidence.progress import read_progress, veiled
    from blockwatch.runner.scope import scope_of

    noted = read_progress(folder, signer) if signer else None
    if noted is None:
        raise NothingLeft(
            "this run is complete, or left no word of how far it came", where=str(folder), remedy=_ANEW
        )
    scope = canonical(scope_of(plan))
    if noted.plan != veiled(noted.run, scope) or noted.tasks != len(plan.tasks):
        raise UsageError(
            "this run was made with another list or other options", where=str(folder), remedy=_SAME
        )

    def elsewhere(asn: int | None) -> bool:
        return asn is not None and noted.network not in (None, veiled(noted.run, scope, asn))

    worked = tuple(number for number in noted.worked if number < noted.tasks)
    return _Stopped(folder, noted.run, noted.numbers, worked, elsewhere)


def noting(plan: Plan, whole: Plan, signer: Signer) -> Noting:
    """Notes how far an encrypted run of ``plan``, which may be a rest of the ``whole`` one, comes."""
    from blockwatch import judge
    from blockwatch.codec import canonical
    from blockwatch.evidence.progress import Noting
    from blockwatch.runner.rest import Tally
    from blockwatch.runner.scope import scope_of

    before = _done_before(plan.rest, len(whole.tasks))
    tally = Tally(whole.tasks, judge.wants_retest, done=before, beside=plan.beside)
    return Noting(canonical(scope_of(whole)), tally, signer)
