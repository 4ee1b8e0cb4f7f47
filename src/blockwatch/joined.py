"""Kept runs, judged and put into frames: what ``import blockwatch`` offers analysts.

Rules of this file: besides the command line it is the only place that joins keeping and saying (why:
docs/decisions/0004-load-joins-the-columns.md); it adds no meaning of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blockwatch.analysis.frame import Judged, Made, observation_frame, verdict_frame
from blockwatch.analysis.summarise import summarise
from blockwatch.errors import EvidenceError
from blockwatch.evidence.allow import read_allow_list
from blockwatch.evidence.covered import CoveredRun
from blockwatch.evidence.once import read_each
from blockwatch.evidence.opened import opened_runs
from blockwatch.evidence.verify_times import sure_offset
from blockwatch.judge import LATEST, NOBODY, OURS, Beside, Pack, control_runs, judge_run
from blockwatch.judge.beside import HOUR_US

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load", "observations", "summarise"]

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]


def load(
    *paths: Paths,
    on_damage: Callable[[EvidenceError], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    fingerprints: Pack = OURS,
    control: Paths | Beside = (),
    control_hours: int = 6,
    ruleset: int = LATEST,
    allow: str | PathLike[str] | None = None,
) -> pd.DataFrame:
    """Judge the runs in ``paths`` (run or results folders, or bundles) anew; one row a verdict.

    Columns: docs/codebook.md. A damaged run, also one altered under its seal, raises ``EvidenceError``, or is
    handed to ``on_damage`` and left out as a whole; records under no seal are in it, and ``sealed`` says so.
    ``UsageError`` where there is no such folder. A run of which several copies are named is counted once, and
    ``on_note`` told so (without it: a ``UserWarning``); copies that contradict each other are damage.

    ``fingerprints``: what is on record of block pages (docs/method.md, "Fingerprint packs").
    ``control``: runs made in another country, each the control for measurements of the same URL that no test
    helper answered, up to ``control_hours`` away (docs/method.md, "Another vantage as control"); of one that
    cannot be used ``on_note`` is told.
    ``ruleset``: an older one; ``ValueError`` for one that this version does not have.
    ``allow``: a file of keys (docs/evidence.md); only runs that one of them sealed are read, also as control.
    """
    on_note = on_note or _warn
    read = _reader(on_note, allow)
    if isinstance(control, Beside):
        beside = control
    else:
        beside = _beside(control, control_hours, fingerprints, ruleset, on_note, read)
    return verdict_frame(_judged(paths, on_damage, fingerprints, beside, ruleset, read))


def observations(*paths: Paths, allow: str | PathLike[str] | None = None) -> pd.DataFrame:
    """Every step of the runs in ``paths``, one row each. Columns: docs/codebook.md; ``allow``: see load."""
    with opened_runs(_flat(paths)) as folders:
        read = _reader(_warn, allow)(folders, lambda run: run.coverage.sealed, on_damage=None)
        return observation_frame(Made(run.open, run.measurements, sealed) for run, sealed in read)


def _warn(note: str) -> None:
    warnings.warn(note, UserWarning, stacklevel=3)


def _reader(on_note: Callable[[str], None], allow: str | PathLike[str] | None) -> partial[Iterator[Any]]:
    """How runs are read: what is told of them, and whose count."""
    return partial(
        read_each, on_note=on_note, allowed=None if allow is None else read_allow_list(Path(allow))
    )


def _beside(
    paths: Paths,
    hours: int,
    fingerprints: Pack,
    ruleset: int,
    on_note: Callable[[str], None],
    read: partial[Iterator[Any]],
) -> Beside:
    named = _flat([paths])
    if not named:
        return NOBODY
    with opened_runs(named) as folders:
        runs = read(folders, lambda run: tuple(run.measurements), on_damage=None)
        seen = control_runs(
            ((run.open, measurements, run.close, run.body) for run, measurements in runs),
            fingerprints=fingerprints,
            ruleset=ruleset,
            window_us=hours * HOUR_US,
        )
    for note in seen.notes:
        on_note(note)
    return seen


def _judged(
    paths: Iterable[Paths],
    on_damage: Callable[[EvidenceError], None] | None,
    fingerprints: Pack,
    beside: Beside,
    ruleset: int,
    read: partial[Iterator[Any]],
) -> Iterator[Judged]:
    def judge(run: CoveredRun) -> Judged:
        made = tuple(run.measurements)
        verdicts = judge_run(
            run.open, made, run.close, run.body, fingerprints, ruleset=ruleset, beside=beside
        )
        return Judged(run.open, made, verdicts, run.coverage.sealed, sure_offset(run.open, made, run.close))

    with opened_runs(_flat(paths)) as folders:
        for _, judged in read(folders, judge, on_damage=on_damage):
            yield judged


def _flat(paths: Iterable[Paths]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += [Path(path)] if isinstance(path, str | PathLike) else [Path(one) for one in path]
    return found
