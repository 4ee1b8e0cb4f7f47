"""``blockwatch judge``: says again what kept runs mean; touches no network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.cli.kept import Damaged, allow_option, explained, judged, say
from blockwatch.cli.packs import fingerprints_option, packs_of
from blockwatch.cli.vantages import beside_of, control_run_options
from blockwatch.errors import UsageError

if TYPE_CHECKING:
    from blockwatch.evidence.covered import CoveredRun
    from blockwatch.judge import Beside, Explanation
    from blockwatch.verdict import Verdict


def _known_ruleset(_: click.Context, __: click.Parameter, wanted: int | None) -> int | None:
    if wanted is None:
        return None
    from blockwatch.judge import RULESETS

    if wanted not in RULESETS:
        known = ", ".join(map(str, RULESETS))
        raise click.BadParameter(f"{wanted} is none of the rulesets that this version has: {known}")
    return wanted


@click.command(name="judge")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a measurement, on standard output.")
@click.option("--explain", is_flag=True, help="For each verdict the rules that spoke, and the steps "
              "they rest on; those that found nothing; what is missing or would lift the grade.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["ooni"]), help="The paths are files of OONI's "
              "measurements (JSON or JSONL, plain or gzip), judged without being kept.")  # fmt: skip
@click.option("--ruleset", type=int, callback=_known_ruleset, metavar="N",
              help="Judge by an older ruleset. [default: the latest]")  # fmt: skip
@fingerprints_option
@control_run_options
@allow_option
def command(
    paths: tuple[Path, ...],
    as_json: bool,
    explain: bool,
    form: str | None,
    ruleset: int | None,
    fingerprints: tuple[Path, ...],
    control_runs: tuple[Path, ...],
    control_window: int | None,
    allow: Path | None,
) -> None:
    """Say what the measurements of runs mean: run folders, folders of runs, bundles.

    With --json one line a measurement in the order made; the last one of a target has "final": true
    and weighs all earlier ones. Without it, a table of the final verdicts.

    Of each run it says on standard error how many of its lines a good seal covers; with --json "sealed" says
    it of each measurement. What was altered under a seal is damage (exit code 9), and is left out. Whose key
    it is, and since when, says `blockwatch verify`.

    Example: blockwatch judge --json results/
    """
    if ruleset == 1 and control_runs:
        raise UsageError(
            "ruleset 1 knows no control runs; they came with ruleset 2",
            remedy="Leave out --ruleset or --control-run.",
        )
    packs = packs_of(fingerprints)
    if form is not None:
        if explain or control_runs or control_window is not None or allow is not None:
            raise UsageError(
                "--format goes with none of --explain, --control-run, --control-window and --allow",
                remedy="Take the files in first (blockwatch import), then judge the runs they become.",
            )
        from blockwatch.cli.ooni_judge import judge_files

        judge_files(paths, packs, ruleset, as_json=as_json)
        return
    beside = beside_of(control_runs, control_window, packs, ruleset=ruleset, allow=allow)
    damaged = Damaged()
    if explain:
        for run, told in explained(paths, damaged, packs, ruleset=ruleset, beside=beside, allow=allow):
            _explain(run, told, beside, as_json=as_json)
    else:
        for run, verdicts in judged(paths, damaged, packs, ruleset=ruleset, beside=beside, allow=allow):
            _print(run, verdicts, as_json=as_json)
    damaged.refuse()


def _print(run: CoveredRun, verdicts: list[Verdict], *, as_json: bool) -> None:
    from blockwatch.cli.table import print_verdicts
    from blockwatch.cli.words import shown_json, verdict_line

    if as_json:
        for line, verdict in enumerate(verdicts, 2):  # the run's first line is none of a measurement
            told = {**verdict_line(verdict), "sealed": run.coverage.covers(line)}
            sys.stdout.write(shown_json(told).decode())
    else:
        click.echo(heading(run))
        print_verdicts(verdict for verdict in verdicts if verdict.final)
    _notes(run)


def _explain(run: CoveredRun, told: list[Explanation], beside: Beside, *, as_json: bool) -> None:
    from blockwatch.cli.explained import Steps, explained_json, print_explanation

    steps = Steps(run, beside)
    steps.read(told)
    if not as_json:
        click.echo(heading(run))
    for line, one in enumerate(told, 2):
        if as_json:
            sys.stdout.write(explained_json(one, steps, sealed=run.coverage.covers(line)).decode())
        elif one.verdict.final:
            print_explanation(one, steps)
    _notes(run)


def _notes(run: CoveredRun) -> None:
    for note in [f"seal: {run.coverage.words}", *run.notes]:
        say(f"{run.folder}: {note}")


def heading(run: CoveredRun) -> str:
    """Return one line that says which run this is."""
    from blockwatch.cli.words import harmless, moment

    vantage = run.open.vantage
    network = f"AS{vantage.asn} {vantage.network or ''}".strip() if vantage.asn else "network not known"
    before = f"goes on from {run.open.resumes}" if run.open.resumes else ""
    parts = [str(run.folder), moment(run.open.started), network, run.open.label or "", before]
    if run.close is None:
        parts.append("killed before its end")
    elif run.close.reason != "done":
        parts.append(f"ended early: {run.close.reason}")
    covered = run.coverage
    if not covered.whole:
        parts.append(
            f"sealed up to line {covered.sealed} of {covered.lines}" if covered.sealed else "not sealed"
        )
    return harmless(" · ".join(part for part in parts if part))
