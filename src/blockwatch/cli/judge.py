"""``blockwatch judge``: says again what kept runs mean; touches no network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.errors import UsageError

if TYPE_CHECKING:
    from blockwatch.store import Run
    from blockwatch.verdict import Verdict


@click.command(name="judge")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a measurement, on standard output.")
@click.option(
    "--explain", is_flag=True, help="All facts a verdict rests on, with the observations they cite."
)
def command(paths: tuple[Path, ...], as_json: bool, explain: bool) -> None:
    """Say what the measurements of runs mean: run folders, or folders of runs.

    With --json one line a measurement in the order made; the last one of a target has "final": true
    and weighs all earlier ones. Without it, a table of the final verdicts.

    Example: blockwatch judge --json results/
    """
    from blockwatch.cli.table import print_verdicts
    from blockwatch.cli.words import verdict_line

    for run, verdicts in judged(paths):
        if as_json:
            import msgspec

            for verdict in verdicts:
                sys.stdout.write(msgspec.json.encode(verdict_line(verdict)).decode() + "\n")
        else:
            click.echo(heading(run))
            print_verdicts((verdict for verdict in verdicts if verdict.final), explain=explain)
        for note in run.notes:
            click.echo(f"{run.folder}: {note}", err=True)


def judged(paths: tuple[Path, ...]) -> Iterator[tuple[Run, list[Verdict]]]:
    """Yield every run below ``paths`` with its verdicts; raises :class:`UsageError` where there is none."""
    from blockwatch.judge import judge_run
    from blockwatch.store import find_runs, read_run

    folders = find_runs(paths)
    if not folders:
        raise UsageError(
            "there is no run here",
            where=", ".join(map(str, paths)),
            remedy="Name a run folder, or the folder that --results named.",
        )
    for folder in folders:
        run = read_run(folder)
        yield run, judge_run(run.open, tuple(run.measurements), run.close, run.body)


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
