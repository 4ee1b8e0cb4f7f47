"""``blockwatch prove``: one measurement without the others, or that a log only grew, to be checked alone."""

from __future__ import annotations

from pathlib import Path

import click

from blockwatch.cli.outputs import fresh
from blockwatch.errors import UsageError


@click.command(name="prove")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="RUN")
@click.argument("record", metavar="RECORD", required=False)
@click.option("--since", "earlier", metavar="CHECKPOINT",
              help="An earlier seal of the run: prove that its log only grew since.",
              type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
@click.option("-o", "--output", required=True, metavar="FILE", help="File for the proof.",
              type=click.Path(dir_okay=False, path_type=Path))  # fmt: skip
def command(run: Path, record: str | None, earlier: Path | None, output: Path) -> None:
    """Write a file that proves one measurement of a sealed run (RECORD: its id, or its number).

    Whoever gets the file learns this measurement with its captured bytes and the run's first line: network,
    clock, label, campaign, key and the whole list of targets. Of the other measurements it reveals only how
    many lines the log had.

    With --since it proves instead, to whoever holds that seal (a file checkpoint, or one of checkpoints/),
    that the log of the run begins with the lines that it was over; it reveals none of them.
    `blockwatch verify FILE` checks either.

    Example: blockwatch prove results/20261122T052412Z-home-0123456789abcdef 12 -o proof.json
    """
    if (record is None) == (earlier is None):
        raise UsageError("name a record, or an earlier seal with --since", remedy="blockwatch prove --help")
    fresh(output)
    if earlier is not None:
        _growth(run, earlier, output)
    else:
        _record(run, record or "", output)


def _growth(run: Path, earlier: Path, output: Path) -> None:
    from blockwatch.cli.words import size
    from blockwatch.evidence.disk import replace_file
    from blockwatch.evidence.growth import check_growth, make_growth

    raw = make_growth(run, earlier)
    grown = check_growth(raw)
    replace_file(output, raw)
    click.echo(f"run {grown.later.run}: {grown.earlier.size} of {grown.later.size} lines were sealed before")
    click.echo(f"{output}: {size(len(raw))}")
    click.echo("It reveals two seals, and no line of the log.", err=True)


def _record(run: Path, record: str, output: Path) -> None:
    from blockwatch.cli.words import harmless, size
    from blockwatch.evidence.disk import replace_file
    from blockwatch.evidence.proof import check_proof, make_proof

    raw = make_proof(run, record)
    shown = check_proof(raw)
    replace_file(output, raw)
    click.echo(harmless(f"{shown.record.id} ({shown.record.url or shown.record.target})"))
    click.echo(f"line {shown.index + 1} of {shown.checkpoint.size} sealed by {shown.key.name}")
    click.echo(f"{output}: {size(len(raw))}")
    click.echo(
        f"It reveals this measurement, its {len(shown.members)} captured messages and the run's first line\n"
        f"(network, clock, label, all {len(shown.run_open.targets)} targets), and no other measurement.",
        err=True,
    )
