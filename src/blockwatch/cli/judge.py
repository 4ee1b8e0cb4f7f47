"""``blockwatch judge``: says again what kept runs mean; touches no network."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from blockwatch.cli.packs import fingerprints_option, packs_of
from blockwatch.cli.vantages import beside_of, control_run_options
from blockwatch.errors import EvidenceError, UnreadError, UsageError, is_forbidden

if TYPE_CHECKING:
    from blockwatch.evidence.covered import CoveredRun
    from blockwatch.judge import Beside, Explanation, Pack
    from blockwatch.store import Run
    from blockwatch.verdict import Verdict

_T = TypeVar("_T")


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
def command(
    paths: tuple[Path, ...],
    as_json: bool,
    explain: bool,
    form: str | None,
    ruleset: int | None,
    fingerprints: tuple[Path, ...],
    control_runs: tuple[Path, ...],
    control_window: int | None,
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
        if explain or control_runs or control_window is not None:
            raise UsageError(
                "--format goes with neither --explain nor --control-run nor --control-window",
                remedy="Take the files in first (blockwatch import), then judge the runs they become.",
            )
        from blockwatch.cli.ooni_judge import judge_files

        judge_files(paths, packs, ruleset, as_json=as_json)
        return
    beside = beside_of(control_runs, control_window, packs, ruleset)
    damaged = Damaged()
    if explain:
        for run, told in explained(paths, damaged, packs, ruleset=ruleset, beside=beside):
            _explain(run, told, beside, as_json=as_json)
    else:
        for run, verdicts in judged(paths, damaged, packs, ruleset=ruleset, beside=beside):
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


def say_unsealed(run: CoveredRun) -> None:
    """Say of a run that some of what was read is under no seal, where it is so."""
    from blockwatch.cli.words import harmless

    if not run.coverage.whole:
        click.echo(harmless(f"{run.folder}: {run.coverage.words}", 600), err=True)


def _notes(run: CoveredRun) -> None:
    from blockwatch.cli.words import harmless

    for note in [f"seal: {run.coverage.words}", *run.notes]:
        click.echo(harmless(f"{run.folder}: {note}", 600), err=True)


def say_encrypted(paths: Iterable[Path]) -> None:
    """Name the runs that are left out because nobody here can read them."""
    from blockwatch.cli.words import harmless
    from blockwatch.evidence.opened import encrypted_runs

    for folder in encrypted_runs(paths):
        click.echo(harmless(f"left out, as it is encrypted: {folder}", 600), err=True)


class Damaged:
    """Takes note of damaged runs: the others are still read, and the exit code is 9 in the end."""

    def __init__(self) -> None:
        self.count = self.unread = 0

    def __call__(self, error: EvidenceError) -> None:
        """Say at once what is wrong with a run, and where."""
        if is_forbidden(error):
            self.unread += 1
        else:
            self.count += 1
        from blockwatch.cli.words import harmless_lines

        click.echo(f"blockwatch: {harmless_lines(error)}", err=True)

    def refuse(self) -> None:
        """Raise if anything was damaged, or could not be read."""
        if self.count:
            raise EvidenceError(
                f"{self.count} damaged run{'s' * (self.count > 1)} left out",
                remedy="Bring the run's folder back from a copy; its bytes are not those that were measured.",
            )
        if self.unread:
            raise UnreadError(
                f"{self.unread} run{'s' * (self.unread > 1)} left out that you may not read",
                remedy="Read them as the user whose files they are, or be given the right (chmod).",
            )


def judged(
    paths: tuple[Path, ...],
    on_damage: Callable[[EvidenceError], None] | None = None,
    fingerprints: Pack | None = None,
    *,
    ruleset: int | None = None,
    beside: Beside | None = None,
) -> Iterator[tuple[CoveredRun, list[Verdict]]]:
    """Yield every run below ``paths`` with its verdicts; raises :class:`UsageError` where there is none.

    A damaged run raises :class:`EvidenceError`, or is handed to ``on_damage`` and left out.
    """
    from blockwatch.judge import LATEST, NOBODY, OURS, judge_run

    def work(run: Run) -> list[Verdict]:
        return judge_run(
            run.open,
            tuple(run.measurements),
            run.close,
            run.body,
            fingerprints or OURS,
            ruleset=ruleset or LATEST,
            beside=beside or NOBODY,
        )

    return _each(paths, on_damage, work)


def explained(
    paths: tuple[Path, ...],
    on_damage: Callable[[EvidenceError], None] | None,
    fingerprints: Pack,
    *,
    ruleset: int | None,
    beside: Beside,
) -> Iterator[tuple[CoveredRun, list[Explanation]]]:
    """Like :func:`judged`, with the reasons of every verdict."""
    from blockwatch.judge import LATEST, explain_run

    def work(run: Run) -> list[Explanation]:
        told = explain_run(
            run.open,
            tuple(run.measurements),
            run.close,
            run.body,
            fingerprints,
            ruleset=ruleset or LATEST,
            beside=beside,
        )
        return list(told)

    return _each(paths, on_damage, work)


def _each(
    paths: tuple[Path, ...],
    on_damage: Callable[[EvidenceError], None] | None,
    work: Callable[[Run], _T],
) -> Iterator[tuple[CoveredRun, _T]]:
    from blockwatch.evidence.covered import read_covered
    from blockwatch.evidence.opened import opened_runs

    with opened_runs(paths) as folders:
        if not folders:
            raise no_run(paths)
        say_encrypted(paths)
        for folder in folders:
            try:
                run = read_covered(folder)
                made = work(run)
            except EvidenceError as error:
                if on_damage is None:
                    raise
                on_damage(error)
            else:
                yield run, made


def no_run(paths: Iterable[Path]) -> UsageError:
    """What to say where there is nothing to read."""
    named = list(paths)
    remedy = "Name a run folder, the folder that --results named, or a bundle."
    if below := list(islice(_below(named), 6)):
        remedy = f"There are runs in {', '.join(map(str, below[:5]))}{', …' * (len(below) > 5)}: name that."
    return UsageError("there is no run here", where=", ".join(map(str, named)), remedy=remedy)


def _below(paths: Iterable[Path]) -> Iterator[Path]:
    """Folders of runs one step further down: the demo's, the sample's, one for each campaign."""
    from blockwatch.evidence.merge import ASIDE
    from blockwatch.evidence.reading import run_folders

    for path in paths:
        with suppress(OSError):
            for folder in sorted(path.iterdir()):
                hidden = folder.name.startswith(".") or folder.name == ASIDE
                if folder.is_dir() and not hidden and any(run_folders(folder)):
                    yield folder


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
