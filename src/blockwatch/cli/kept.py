"""Kept runs as commands read them: what is damaged, encrypted or under no seal is said, and no run is lost.

Rules of this file: one damaged run keeps no other from being read; what is left out is named, on standard
error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from blockwatch.errors import EvidenceError, UnreadError, UsageError, is_forbidden

if TYPE_CHECKING:
    import pandas as pd

    from blockwatch.evidence.covered import CoveredRun
    from blockwatch.judge import Beside, Bodies, Explanation, Pack
    from blockwatch.model import Measurement
    from blockwatch.run import RunClose, RunOpen
    from blockwatch.verdict import Verdict

_T = TypeVar("_T")
allow_option = click.option(
    "--allow",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A list of keys (blockwatch key allow): count only runs that one of them sealed.",
)
_MOST_NAMED = 10  # runs that are not sealed


def covered_runs(
    paths: tuple[Path, ...],
    on_damage: Callable[[EvidenceError], None] | None,
    allow: Path | None,
    work: Callable[[CoveredRun], _T],
) -> Iterator[tuple[CoveredRun, _T]]:
    """Yield every run below ``paths`` with what ``work`` makes of it.

    Raises :class:`UsageError` where there is no run. A damaged one raises :class:`EvidenceError`, or is
    handed to ``on_damage`` and left out. ``allow``: a list of the keys whose runs count.
    """
    from blockwatch.evidence.allow import read_allow_list
    from blockwatch.evidence.once import read_each
    from blockwatch.evidence.opened import no_run, opened_runs

    with opened_runs(paths) as folders:
        if not folders:
            raise no_run(paths)
        say_encrypted(paths)
        allowed = None if allow is None else read_allow_list(allow)
        yield from read_each(folders, work, on_damage=on_damage, on_note=say, allowed=allowed)


def judged(
    paths: tuple[Path, ...],
    on_damage: Callable[[EvidenceError], None] | None = None,
    fingerprints: Pack | None = None,
    *,
    ruleset: int | None = None,
    beside: Beside | None = None,
    allow: Path | None = None,
) -> Iterator[tuple[CoveredRun, list[Verdict]]]:
    """Yield every run below ``paths`` with its verdicts, as :func:`covered_runs` does."""
    from blockwatch.judge import LATEST, NOBODY, OURS, judge_run

    def work(run: CoveredRun) -> list[Verdict]:
        packs, rules, seen = fingerprints or OURS, ruleset or LATEST, beside or NOBODY
        return judge_run(*_told(run), packs, ruleset=rules, beside=seen)

    return covered_runs(paths, on_damage, allow, work)


def explained(
    paths: tuple[Path, ...],
    on_damage: Callable[[EvidenceError], None] | None,
    fingerprints: Pack,
    *,
    ruleset: int | None,
    beside: Beside,
    allow: Path | None,
) -> Iterator[tuple[CoveredRun, list[Explanation]]]:
    """Like :func:`judged`, with the reasons of every verdict."""
    from blockwatch.judge import LATEST, explain_run

    def work(run: CoveredRun) -> list[Explanation]:
        return list(explain_run(*_told(run), fingerprints, ruleset=ruleset or LATEST, beside=beside))

    return covered_runs(paths, on_damage, allow, work)


def _told(run: CoveredRun) -> tuple[RunOpen, tuple[Measurement, ...], RunClose | None, Bodies]:
    return run.open, tuple(run.measurements), run.close, run.body


def frame_of(
    paths: tuple[Path, ...], damaged: Damaged, fingerprints: Pack, beside: Beside, allow: Path | None
) -> pd.DataFrame:
    """The verdicts on every run below ``paths``; raises :class:`UsageError` where there is none."""
    from blockwatch.evidence.opened import no_run
    from blockwatch.joined import load

    say_encrypted(paths)
    frame = load(
        paths, on_damage=damaged, on_note=say, fingerprints=fingerprints, control=beside, allow=allow
    )
    if frame.empty and not (damaged.count or damaged.unread):
        raise no_run(paths) if allow is None else _none_listed(paths, allow)
    _say_sealed(frame)
    return frame


def _none_listed(paths: Iterable[Path], allow: Path) -> UsageError:
    return UsageError(
        f"there is no run here that a key of {allow} sealed",
        where=", ".join(map(str, paths)),
        remedy="blockwatch verify says of each run which key it names; blockwatch key allow adds one.",
    )


def say(note: str) -> None:
    """Say something of what is read on standard error; what strangers wrote in it cannot steer a terminal."""
    from blockwatch.cli.words import harmless

    click.echo(harmless(note, 600), err=True)


def say_encrypted(paths: Iterable[Path]) -> None:
    """Name the runs that are left out because nobody here can read them."""
    from blockwatch.evidence.opened import encrypted_runs

    for folder in encrypted_runs(paths):
        say(f"left out, as it is encrypted: {folder}")


class Damaged:
    """Takes note of damaged runs: the others are still read, and the exit code is 9 in the end."""

    def __init__(self) -> None:
        self.count = self.unread = 0

    def __call__(self, error: EvidenceError) -> None:
        """Say at once what is wrong with a run, and where."""
        if is_forbidden(error):
            self.unread += 1
        else:
            self.count += 1
        from blockwatch.cli.words import harmless_lines

        click.echo(f"blockwatch: {harmless_lines(error)}", err=True)

    def refuse(self) -> None:
        """Raise if anything was damaged, or could not be read."""
        if self.count:
            raise EvidenceError(
                f"{self.count} damaged run{'s' * (self.count > 1)} left out",
                remedy="Bring the run's folder back from a copy; its bytes are not those that were measured.",
            )
        if self.unread:
            raise UnreadError(
                f"{self.unread} run{'s' * (self.unread > 1)} left out that you may not read",
                remedy="Read them as the user whose files they are, or be given the right (chmod).",
            )


def say_unsealed(run: CoveredRun) -> None:
    """Say of a run that some of what was read is under no seal, where it is so."""
    if not run.coverage.whole:
        say(f"{run.folder}: {run.coverage.words}")


def _say_sealed(frame: pd.DataFrame) -> None:
    """Say how much of what was read somebody vouches for, and name the runs of the rest."""
    loose = frame.loc[~frame["sealed"].fillna(False), "run"].astype(str).value_counts(sort=False)
    good = len(frame) - loose.sum()
    click.echo(
        f"seal: {good:,} of {len(frame):,} records are under a good seal of their runs' keys", err=True
    )
    for run, count in loose.head(_MOST_NAMED).items():
        words = f"run {run}: {count:,} of its records are under NO SEAL: anybody may have written them"
        click.echo(words, err=True)
    if len(loose) > _MOST_NAMED:
        click.echo(f"… and {len(loose) - _MOST_NAMED:,} runs more", err=True)
