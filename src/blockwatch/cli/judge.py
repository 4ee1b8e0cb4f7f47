"""``blockwatch judge``: says again what kept runs mean; touches no network."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.cli.packs import fingerprints_option, packs_of
from blockwatch.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from blockwatch.judge import Pack
    from blockwatch.store import Run
    from blockwatch.verdict import Verdict


@click.command(name="judge")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a measurement, on standard output.")
@click.option(
    "--explain", is_flag=True, help="All facts a verdict rests on, with the observations they cite."
)
@fingerprints_option
def command(paths: tuple[Path, ...], as_json: bool, explain: bool, fingerprints: tuple[Path, ...]) -> None:
    """Say what the measurements of runs mean: run folders, or folders of runs.

    With --json one line a measurement in the order made; the last one of a target has "final": true
    and weighs all earlier ones. Without it, a table of the final verdicts.

    Example: blockwatch judge --json results/
    """
    from blockwatch.cli.table import print_verdicts
    from blockwatch.cli.words import harmless, verdict_json

    damaged = Damaged()
    for run, verdicts in judged(paths, damaged, packs_of(fingerprints)):
        if as_json:
            for verdict in verdicts:
                sys.stdout.write(verdict_json(verdict).decode())
        else:
            click.echo(heading(run))
            print_verdicts((verdict for verdict in verdicts if verdict.final), explain=explain)
        for note in run.notes:
            click.echo(harmless(f"{run.folder}: {note}", 600), err=True)
    damaged.refuse()


class Damaged:
    """Takes note of damaged runs: the others are still read, and the exit code is 9 in the end."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, error: EvidenceError) -> None:
        """Say at once what is wrong with a run, and where."""
        self._count += 1
        from blockwatch.cli.words import harmless_lines

        click.echo(f"blockwatch: {harmless_lines(error)}", err=True)

    def refuse(self) -> None:
        """Raise if anything was damaged."""
        if self._count:
            raise EvidenceError(
                f"{self._count} damaged run{'s' * (self._count > 1)} left out",
                remedy="Bring the run's folder back from a copy; its bytes are not those that were measured.",
            )


def judged(
    paths: tuple[Path, ...],
    on_damage: Callable[[EvidenceError], None] | None = None,
    fingerprints: Pack | None = None,
) -> Iterator[tuple[Run, list[Verdict]]]:
    """Yield every run below ``paths`` with its verdicts; raises :class:`UsageError` where there is none.

    A damaged run raises :class:`EvidenceError`, or is handed to ``on_damage`` and left out.
    """
    from blockwatch.judge import OURS, judge_run
    from blockwatch.store import find_runs, read_run

    folders = find_runs(paths)
    if not folders:
        raise UsageError(
            "there is no run here",
            where=", ".join(map(str, paths)),
            remedy="Name a run folder, or the folder that --results named.",
        )
    for folder in folders:
        try:
            run = read_run(folder)
            verdicts = judge_run(run.open, tuple(run.measurements), run.close, run.body, fingerprints or OURS)
        except EvidenceError as error:
            if on_damage is None:
                raise
            on_damage(error)
        else:
            yield run, verdicts


def heading(run: Run) -> str:
    """Return one line that says which run this is."""
    from blockwatch.cli.words import harmless, moment

    vantage = run.open.vantage
    network = f"AS{vantage.asn} {vantage.network or ''}".strip() if vantage.asn else "network not known"
    parts = [str(run.folder), moment(run.open.started), network, run.open.label or ""]
    if run.close is None:
        parts.append("killed before its end")
    elif run.close.reason != "done":
        parts.append(f"ended early: {run.close.reason}")
    return harmless(" · ".join(part for part in parts if part))
