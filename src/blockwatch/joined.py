"""Kept runs, judged and put into frames: what ``import blockwatch`` offers analysts.

Rules of this file: besides the command line it is the only place that joins keeping and saying (why:
docs/decisions/0004-load-joins-the-columns.md); it adds no meaning of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from blockwatch.analysis.frame import Judged, observation_frame, verdict_frame
from blockwatch.analysis.summarise import summarise
from blockwatch.errors import EvidenceError
from blockwatch.evidence.covered import read_covered
from blockwatch.evidence.opened import opened_runs
from blockwatch.judge import LATEST, NOBODY, OURS, Beside, Pack, control_runs, judge_run
from blockwatch.judge.beside import HOUR_US

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load", "observations", "summarise"]

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]


def load(
    *paths: Paths,
    on_damage: Callable[[EvidenceError], None] | None = None,
    fingerprints: Pack = OURS,
    control: Paths | Beside = (),
    control_hours: int = 6,
    ruleset: int = LATEST,
) -> pd.DataFrame:
    """Judge the runs in ``paths`` (run or results folders, or bundles) anew; one row a verdict.

    Columns: docs/codebook.md. A damaged run, also one altered under its seal, raises ``EvidenceError``, or is
    handed to ``on_damage`` and left out as a whole; records under no seal are in it, and ``sealed`` says so.
    ``UsageError`` where there is no such folder. ``fingerprints``: what is on record of
    block pages (docs/method.md, "Fingerprint packs"). ``control``: runs made in another country, each the
    control for measurements of the same URL that no test helper answered, up to ``control_hours`` away
    (docs/method.md, "Another vantage as control"); one that cannot be used is a ``UserWarning``.
    ``ruleset``: an older one; ``ValueError`` for one that this version does not have.
    """
    if isinstance(control, Beside):
        beside = control
    else:
        beside = _beside(control, control_hours, fingerprints, ruleset)
    return verdict_frame(_judged(paths, on_damage, fingerprints, beside, ruleset))


def observations(*paths: Paths) -> pd.DataFrame:
    """Give every step of the runs in ``paths``, one row each. Columns: docs/codebook.md."""
    with opened_runs(_flat(paths)) as folders:
        runs = map(read_covered, folders)
        return observation_frame((run.open, run.measurements) for run in runs)


def _beside(paths: Paths, hours: int, fingerprints: Pack, ruleset: int) -> Beside:
    named = _flat([paths])
    if not named:
        return NOBODY
    with opened_runs(named) as folders:
        runs = map(read_covered, folders)
        seen = control_runs(
            ((run.open, tuple(run.measurements), run.close, run.body) for run in runs),
            fingerprints=fingerprints,
            ruleset=ruleset,
            window_us=hours * HOUR_US,
        )
    for note in seen.notes:
        warnings.warn(note, UserWarning, stacklevel=3)
    return seen


def _judged(
    paths: Iterable[Paths],
    on_damage: Callable[[EvidenceError], None] | None,
    fingerprints: Pack,
    beside: Beside,
    ruleset: int,
) -> Iterator[Judged]:
    with opened_runs(_flat(paths)) as folders:
        for folder in folders:
            try:
                run = read_covered(folder)
                measurements = tuple(run.measurements)
                verdicts = judge_run(
                    run.open, measurements, run.close, run.body, fingerprints, ruleset=ruleset, beside=beside
                )
            except EvidenceError as error:
                if on_damage is None:
                    raise
                on_damage(error)
            else:
                yield Judged(run.open, measurements, verdicts, run.coverage.sealed)


def _flat(paths: Iterable[Paths]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += [Path(path)] if isinstance(path, str | PathLike) else [Path(one) for one in path]
    return found
