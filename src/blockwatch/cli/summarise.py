"""``blockwatch summarise``: what was found by target and network."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from blockwatch.cli.kept import Damaged, allow_option, frame_of, say
from blockwatch.cli.packs import fingerprints_option, packs_of
from blockwatch.cli.vantages import beside_of, control_run_options

_FOR_PEOPLE = (
    "network", "n", "ok", "blocked", "down", "refused", "inconclusive", "ok_before", "blocked_first",
    "blocked_last", "ok_after", "mechanism", "orders", "keys", "excluded",
)  # fmt: skip
_COUNT = click.IntRange(0, 1_000_000_000)


@click.command(name="summarise")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--by", default="target,asn", show_default=True, metavar="COLUMNS", help="Columns to group by.")
@click.option("--from", "since", metavar="TIME", help="Only from this day or time on (UTC).")
@click.option("--to", "until", metavar="TIME", help="Only before this day or time (UTC).")
@click.option(
    "--min-n", type=_COUNT, default=0, metavar="N", help="Put groups of fewer verdicts last, with the reason."
)
@click.option(
    "--min-days", type=_COUNT, default=0, metavar="N", help="Put groups of fewer days last, with the reason."
)
@fingerprints_option
@control_run_options
@allow_option
@click.option("--format", "form", default="table", show_default=True,
              type=click.Choice(["table", "csv", "parquet", "json"]),
              help="Form of the answer; a table has columns for people, the others have all.")  # fmt: skip
def command(
    paths: tuple[Path, ...],
    by: str,
    since: str | None,
    until: str | None,
    min_n: int,
    min_days: int,
    form: str,
    fingerprints: tuple[Path, ...],
    control_runs: tuple[Path, ...],
    control_window: int | None,
    allow: Path | None,
) -> None:
    """Print days covered, counts, states, mechanism, first and last seen, by target and network.

    It says on standard error how many records are under a good seal, of how many nobody checked the time, and
    where volunteers call different sites by one id. A run of which several copies are named is counted once.
    One that was altered under its seal is damaged (exit code 9), and left out. Whose keys these are, and
    since when, says `blockwatch verify`.

    Example: blockwatch summarise results/ --by target,asn --format csv > table.csv
    """
    if form == "parquet" and sys.stdout.isatty():
        raise click.UsageError(
            "Parquet is for a file: blockwatch summarise … --format parquet > table.parquet"
        )

    from blockwatch.analysis.output import render
    from blockwatch.analysis.summarise import doubts, summarise

    damaged = Damaged()
    packs = packs_of(fingerprints)
    beside = beside_of(control_runs, control_window, packs, allow=allow)
    frame = frame_of(paths, damaged, packs, beside, allow)
    columns = [name.strip() for name in by.split(",") if name.strip()]
    table = summarise(frame, columns, min_n=min_n, min_days=min_days, since=since, until=until)
    for note in doubts(table):
        say(note)
    sys.stdout.flush()
    if form == "table":
        table = table[[*columns, *(name for name in _FOR_PEOPLE if name not in columns)]]
    sys.stdout.buffer.write(render(table, form))
    damaged.refuse()
