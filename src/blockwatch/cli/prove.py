"""``blockwatch prove``: one measurement with its proof, to be shown without the others."""

from __future__ import annotations

from pathlib import Path

import click

from blockwatch.errors import UsageError


@click.command(name="prove")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="RUN")
@click.argument("record", metavar="RECORD")
@click.option("-o", "--output", required=True, metavar="FILE", help="File for the proof.",
              type=click.Path(dir_okay=False, path_type=Path))  # fmt: skip
def command(run: Path, record: str, output: Path) -> None:
    """Write a file that proves one measurement of a sealed run (RECORD: its id, or its number).

    Whoever gets the file learns this measurement with its captured bytes and the run's first line: network,
    clock, label, campaign, key and the whole list of targets. Of the other measurements it reveals only how
    many lines the log had.

    Example: blockwatch prove results/20261122T052412Z-home-0123456789abcdef 12 -o proof.json
    """
    from blockwatch.cli.words import harmless, size
    from blockwatch.evidence.disk import replace_file
    from blockwatch.evidence.proof import check_proof, make_proof

    if output.exists():
        raise UsageError("this file is there already", where=str(output), remedy="Name another one.")
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
