"""``blockwatch show``: one measurement as a card."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.errors import UsageError

if TYPE_CHECKING:
    from blockwatch.model import Measurement
    from blockwatch.store import Run
    from blockwatch.verdict import Verdict


@click.command(name="show")
@click.argument("identity", metavar="ID")
@click.option("--results", default="results", show_default=True, type=click.Path(path_type=Path),
              help="Folder of runs, one run's folder, or a bundle.")  # fmt: skip
def command(identity: str, results: Path) -> None:
    """Show measurement ID: what was done step by step, what it means, where the bytes lie.

    Example: blockwatch show 0f3a9c1b2d4e5f60-000012
    """
    from blockwatch.cli.card import print_card
    from blockwatch.evidence.opened import opened_runs

    if re.fullmatch(r"[0-9a-f]{16}-\d{6,}", identity) is None:
        raise UsageError(
            f'"{identity[:60]}" is no measurement id',
            remedy="An id is 16 hex digits, a hyphen and a number, as printed by: blockwatch judge --json",
        )
    with opened_runs([results]) as folders:
        run, measurement, line, verdict = _found(identity, folders, results)
        print_card(run, measurement, line, verdict)


def _found(identity: str, folders: list[Path], results: Path) -> tuple[Run, Measurement, int, Verdict | None]:
    """Return the run, the measurement, its line in the log (from 1) and its verdict."""
    from blockwatch.judge import judge_run
    from blockwatch.model import Measurement
    from blockwatch.store import read_run

    wanted = identity.partition("-")[0]
    for folder in folders:
        if not folder.name.endswith(wanted):
            continue
        run = read_run(folder)
        for number, (_, record) in enumerate(run.lines(), start=1):
            if isinstance(record, Measurement) and record.id == identity:
                verdicts = judge_run(run.open, tuple(run.measurements), run.close, run.body)
                mine = next((verdict for verdict in verdicts if verdict.id == identity), None)
                return run, record, number, mine
    raise UsageError(
        f"there is no measurement {identity} here",
        where=str(results),
        remedy="Name the folder of its run: blockwatch show ID --results DIR",
    )
