"""The options ``--control-run`` and ``--control-window``: runs made elsewhere, as control.

Rules of this file: which of them fits is the judge's business; a run that cannot be used is named on standard
error, a damaged one is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blockwatch.errors import UsageError

if TYPE_CHECKING:
    from blockwatch.judge import Beside, Pack

HOURS = click.IntRange(1, 72)
_HOURS = 6


def control_run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add both options to a command."""
    for option in (
        click.option("--control-window", type=HOURS, metavar="HOURS", help="How far in time a control run "
                     f"may be from a measurement, either way. [default: {_HOURS}]"),
        click.option("--control-run", "control_runs", multiple=True, metavar="PATH",
                     type=click.Path(path_type=Path),
                     help="Run, or folder of runs, made in another country: the control where no test helper "
                     "answered; repeat for more."),
    ):  # fmt: skip
        command = option(command)
    return command


def beside_of(
    paths: Iterable[Path],
    hours: int | None,
    fingerprints: Pack,
    *,
    ruleset: int | None = None,
    allow: Path | None = None,
) -> Beside:
    """Read the control runs named; raises :class:`UsageError` and :class:`EvidenceError`."""
    from blockwatch.cli.kept import say, say_unsealed
    from blockwatch.evidence.allow import read_allow_list
    from blockwatch.evidence.once import read_each
    from blockwatch.evidence.opened import opened_runs
    from blockwatch.judge import LATEST, NOBODY, control_runs
    from blockwatch.judge.beside import HOUR_US

    named = list(paths)
    if not named:
        if hours is not None:
            raise UsageError(
                "--control-window is about control runs, and none is named",
                remedy="Name one with --control-run PATH, or leave --control-window out.",
            )
        return NOBODY
    with opened_runs(named) as folders:
        if not folders:
            raise UsageError(
                "there is no run here to be the control",
                where=", ".join(map(str, named)),
                remedy="Name a run folder, a folder of runs or a bundle that was made in another country.",
            )
        allowed = None if allow is None else read_allow_list(allow)
        read = read_each(folders, lambda run: run, on_damage=None, on_note=say, allowed=allowed)
        runs = [run for run, _ in read]
        seen = control_runs(
            ((run.open, tuple(run.measurements), run.close, run.body) for run in runs),
            fingerprints=fingerprints,
            ruleset=ruleset or LATEST,
            window_us=(hours or _HOURS) * HOUR_US,
        )
        for run in runs:
            say_unsealed(run)
    for note in seen.notes:
        say(note)
    return seen
