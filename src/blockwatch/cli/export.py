"""``blockwatch export``: kept runs in formats that other programs read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.cli.kept import Damaged, allow_option, covered_runs, frame_of, judged, say_unsealed
from blockwatch.cli.outputs import fresh
from blockwatch.cli.vantages import beside_of, control_run_options
from blockwatch.errors import UsageError

if TYPE_CHECKING:
    from blockwatch.judge import Beside


@click.command(name="export")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--format", "form", required=True, type=click.Choice(["ooni", "jsonl", "csv"]),
              help="ooni: web_connectivity measurements, one a line; jsonl: our records as they are kept; "
              "csv: the table of verdicts.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write to FILE. [default: standard output]")  # fmt: skip
@control_run_options
@allow_option
def command(
    paths: tuple[Path, ...],
    form: str,
    output: Path | None,
    control_runs: tuple[Path, ...],
    control_window: int | None,
    allow: Path | None,
) -> None:
    """Write runs, folders of runs or bundles in another format.

    What no seal covers is written, too, and told; the table says it in a column. A run that was altered under
    its seal is damaged (exit code 9), and left out.

    Example: blockwatch export results/ --format ooni -o measurements.jsonl
    """
    if output is not None:
        fresh(output)
    if form == "jsonl" and control_runs:
        raise UsageError(
            "--control-run is for verdicts; jsonl writes what was measured, and no verdict",
            remedy="Leave it out, or write --format csv or ooni.",
        )
    from blockwatch.judge import OURS

    damaged = Damaged()
    beside = beside_of(control_runs, control_window, OURS, allow=allow)
    if form == "jsonl":
        lines = _records(paths, damaged, allow)
    else:
        lines = (_ooni if form == "ooni" else _table)(paths, damaged, beside, allow)
    if output is None:
        for line in lines:
            sys.stdout.buffer.write(line)
    else:
        from blockwatch.evidence.disk import replace_by_pieces

        replace_by_pieces(output, lines)
    damaged.refuse()


def _ooni(paths: tuple[Path, ...], damaged: Damaged, beside: Beside, allow: Path | None) -> Iterator[bytes]:
    import msgspec

    from blockwatch.ooni import NotWeb, to_ooni

    written, left = 0, 0
    for run, verdicts in judged(paths, damaged, beside=beside, allow=allow):
        for measurement, verdict in zip(run.measurements, verdicts, strict=True):
            try:
                said = to_ooni(run.open, measurement, lambda step: run.body(measurement, step), verdict)  # noqa: B023
            except NotWeb as reason:
                left += 1
                click.echo(f"{measurement.id}: left out: {reason}", err=True)
                continue
            written += 1
            yield msgspec.json.encode(said) + b"\n"
        say_unsealed(run)
    click.echo(f"{written} measurements written" + (f", {left} left out" if left else ""), err=True)


def _records(paths: tuple[Path, ...], damaged: Damaged, allow: Path | None) -> Iterator[bytes]:
    # saying it reads a run once: nothing of a damaged one is written
    for run, _ in covered_runs(paths, damaged, allow, say_unsealed):
        for line, _ in run.lines():
            yield line + b"\n"


def _table(paths: tuple[Path, ...], damaged: Damaged, beside: Beside, allow: Path | None) -> Iterator[bytes]:
    from blockwatch.analysis.output import render
    from blockwatch.judge import OURS

    yield render(frame_of(paths, damaged, OURS, beside, allow), "csv")
