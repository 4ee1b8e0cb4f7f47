"""Kept runs, judged and put into frames: what ``import blockwatch`` offers analysts.

Rules of this file: besides the command line it is the only place that joins keeping and saying (why:
docs/decisions/0004-load-joins-the-columns.md); it adds no meaning of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from blockwatch.analysis.frame import Judged, observation_frame, verdict_frame
from blockwatch.analysis.summarise import summarise
from blockwatch.errors import EvidenceError
from blockwatch.judge import OURS, Pack, judge_run
from blockwatch.store import find_runs, read_run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load", "observations", "summarise"]

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]


def load(
    *paths: Paths, on_damage: Callable[[EvidenceError], None] | None = None, fingerprints: Pack = OURS
) -> pd.DataFrame:
    """Judge the runs in ``paths`` (run or results folders) anew; one row a verdict.

    Columns: docs/codebook.md. A damaged run raises ``EvidenceError``, or is handed to ``on_damage`` and
    left out as a whole. ``UsageError`` where there is no such folder. ``fingerprints``: what is on record of
    block pages (docs/method.md, "Fingerprint packs").
    """
    return verdict_frame(_judged(paths, on_damage, fingerprints))


def observations(*paths: Paths) -> pd.DataFrame:
    """Give every step of the runs in ``paths``, one row each. Columns: docs/codebook.md."""
    runs = (read_run(folder) for folder in find_runs(_flat(paths)))
    return observation_frame((run.open, run.measurements) for run in runs)


def _judged(
    paths: Iterable[Paths], on_damage: Callable[[EvidenceError], None] | None, fingerprints: Pack
) -> Iterator[Judged]:
    for folder in find_runs(_flat(paths)):
        try:
            run = read_run(folder)
            measurements = tuple(run.measurements)
            verdicts = judge_run(run.open, measurements, run.close, run.body, fingerprints)
        except EvidenceError as error:
            if on_damage is None:
                raise
            on_damage(error)
        else:
            yield run.open, measurements, verdicts


def _flat(paths: Iterable[Paths]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += [Path(path)] if isinstance(path, str | PathLike) else [Path(one) for one in path]
    return found
