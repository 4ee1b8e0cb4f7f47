"""``blockwatch show``: one measurement as a card."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.errors import UsageError

if TYPE_CHECKING:
    from blockwatch.evidence.covered import CoveredRun
    from blockwatch.model import Measurement
    from blockwatch.verdict import Verdict


@click.command(name="show")
@click.argument("identity", metavar="ID")
@click.option("--results", default="results", show_default=True, type=click.Path(path_type=Path),
              help="Folder of runs, one run's folder, or a bundle.")  # fmt: skip
@click.option("--screenshot", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="Also draw the captured page into this PNG file.")  # fmt: skip
@click.option("--step", metavar="N", type=click.IntRange(min=0),
              help="Step whose page is drawn; without it the one that the verdict rests on.")  # fmt: skip
def command(identity: str, results: Path, screenshot: Path | None, step: int | None) -> None:
    """Show measurement ID: what was done step by step, what it means, where the bytes lie, and whether its
    record is under a good seal. Of a run that was altered under its seal nothing is shown (exit code 9).

    With --screenshot a headless Chromium (Debian: apt install chromium; Linux alone) draws the page from the
    captured bytes: it has no network and sees no file of yours, scripts are off, images mostly missing. The
    picture is no evidence; what it was drawn from stands in it. Nothing is added to the run.

    Example: blockwatch show 0f3a9c1b2d4e5f60-000012 --screenshot page.png
    """
    from blockwatch.cli.kept import Damaged, say
    from blockwatch.evidence.once import one_copy_each
    from blockwatch.evidence.opened import opened_runs

    if re.fullmatch(r"[0-9a-f]{16}-\d{6,}", identity) is None:
        raise UsageError(
            f'"{identity[:60]}" is no measurement id',
            remedy="An id is 16 hex digits, a hyphen and a number, as printed by: blockwatch judge --json",
        )
    if step is not None and screenshot is None:
        raise UsageError("--step is for --screenshot", remedy="Add: --screenshot FILE.png")
    damaged = Damaged()
    with opened_runs([results]) as found:
        of_run = identity.partition("-")[0]
        # one that was named itself may have been given another name
        named = found if len(found) == 1 else [folder for folder in found if folder.name.endswith(of_run)]
        folders = one_copy_each(named, on_damage=damaged, on_note=say)
        _show(identity, folders, results, screenshot, step)
    damaged.refuse()


def _show(
    identity: str, folders: list[Path], results: Path, screenshot: Path | None, step: int | None
) -> None:
    """Print the card; where wanted draw the page."""
    from blockwatch.cli.card import print_card, sealed

    if screenshot is None:
        print_card(*_found(identity, folders, results))
        return
    from blockwatch.cli.picture import check_place, draw_page

    browser = check_place(screenshot)
    run, measurement, line, verdict = _found(identity, folders, results)
    print_card(run, measurement, line, verdict)
    draw_page(run, measurement, verdict, step=step, seal=sealed(run, line), browser=browser, file=screenshot)


def _found(
    identity: str, folders: list[Path], results: Path
) -> tuple[CoveredRun, Measurement, int, Verdict | None]:
    """Return the run, the measurement, its line in the log (from 1) and its verdict."""
    from blockwatch.evidence.covered import read_covered
    from blockwatch.judge import judge_run
    from blockwatch.model import Measurement

    for folder in folders:
        run = read_covered(folder)
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
