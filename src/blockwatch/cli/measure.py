"""One run from options to exit code: agreement, lock, plan, measuring, keeping, saying.

Rules of this file:

* everything that can be refused is refused before the first packet: configuration, agreement, lock;
* what was measured is on the disk before anything is said of it;
* the verdicts written beside a run are derived, and come from the same function as ``blockwatch judge``.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from blockwatch.cli.agreement import agreed
from blockwatch.cli.options import Options, probes_of, settings_of
from blockwatch.errors import BlockwatchError, Exit
from blockwatch.host.open_files import targets_at_a_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from blockwatch.cli.resume import Part
    from blockwatch.evidence.shelf import EncryptedShelf, Memory, Shelf
    from blockwatch.evidence.signing import Signer
    from blockwatch.judge import Pack
    from blockwatch.run import RunClose
    from blockwatch.runner.plan import Plan
    from blockwatch.target import TargetsFile
    from blockwatch.verdict import Verdict

_EXIT_OF_REASON = {
    "done": Exit.OK,
    "interrupted": Exit.PARTIAL,
    "budget": Exit.PARTIAL,
    "time": Exit.PARTIAL,
    "line": Exit.LINE_DOWN,
    "disk": Exit.DISK,
    "fault": Exit.FAULT,
}
_WORDS_OF_REASON = {
    "interrupted": "stopped before its end; what was measured until then is kept",
    "budget": "stopped at its limit of megabytes (--max-mb)",
    "time": "stopped at its limit of minutes (--max-minutes)",
    "line": "your own line is down or asks for a login: nothing can be said of the sites",
    "disk": "the disk failed or is full: what was written before is kept",
    "fault": "stopped by a fault of ours; what was measured until then is kept",
}


def measure(options: Options, targets: TargetsFile, *, retest_of: str | None = None) -> Exit:
    """Make one run and say what was found; the exit code. Raises :class:`BlockwatchError`."""
    from blockwatch.cli.packs import packs_of
    from blockwatch.cli.sealing import signer_of_run
    from blockwatch.evidence.shelf import Memory
    from blockwatch.runner.plan import make_plan
    from blockwatch.store import ResultsLock

    plan = make_plan(targets, probes_of(options), settings_of(options))
    fingerprints = packs_of(options.fingerprints)
    consent = agreed(yes=options.yes, tier=options.tier)
    at_a_time = targets_at_a_time(plan.settings.concurrency)
    settings = msgspec.structs.replace(plan.settings, consent=consent, concurrency=at_a_time)
    plan = msgspec.structs.replace(plan, settings=settings)
    with ResultsLock(options.results):
        memory = Memory() if options.encrypt_to else None
        part = _part(plan, options, retest_of)
        signer = signer_of_run(options.campaign)
        shelf = _shelf(part, plan, options, memory, None if retest_of else signer) if memory else None
        close, folder = _carry_out(part, options, retest_of, signer, shelf)
        code = _exit_code(close)
        if folder is not None:
            verdicts, faults = _judge_and_keep(folder, memory, fingerprints)
            code = Exit.PARTIAL if faults and code is Exit.OK else code
            _remember(close, code, twice=memory is None)
            if not options.quiet:
                with contextlib.suppress(BrokenPipeError):  # the reader had enough
                    _say(folder, close, verdicts, encrypted=memory is not None)
            if faults:
                click.echo(_fault_words(faults), err=True)
    if close.reason in _WORDS_OF_REASON:
        click.echo(f"blockwatch: {_WORDS_OF_REASON[close.reason]}", err=True)
        if retest_of is None or memory is None:
            click.echo("  The same command with --resume goes on with what is left.", err=True)
    return code


def _part(plan: Plan, options: Options, retest_of: str | None) -> Part:
    """All of the plan, or what the run to be resumed left of it."""
    from blockwatch.cli.resume import NothingLeft, Part, resumed, say

    if not options.resume:
        return Part(plan)
    try:
        part = resumed(plan, options.results, encrypted=bool(options.encrypt_to), retest_of=retest_of)
    except NothingLeft as error:
        if options.quiet:  # cron would send a letter each time that all is well
            raise click.exceptions.Exit(error.exit_code) from error
        raise
    if not options.quiet:
        say(part)
    return part


def _shelf(
    part: Part, whole: Plan, options: Options, memory: Memory, signer: Signer | None
) -> EncryptedShelf:
    """With a note of how far the run comes, which nobody but ``signer`` can read."""
    from blockwatch.cli.resume import noting
    from blockwatch.evidence.crypt import recipients_of
    from blockwatch.evidence.shelf import EncryptedShelf

    noted = noting(part.plan, whole, signer) if signer else None
    return EncryptedShelf(recipients_of(options.encrypt_to), memory, noted)


def _carry_out(
    part: Part, options: Options, retest_of: str | None, signer: Signer | None, shelf: Shelf | None
) -> tuple[RunClose, Path | None]:
    import functools
    import gc

    import trio

    from blockwatch import judge, runner
    from blockwatch.cli.progress import display
    from blockwatch.cli.sink import AsyncSink
    from blockwatch.host.folders import note_folder
    from blockwatch.store import last_root

    note_folder(options.results)
    sink = AsyncSink(options.results, label=options.label, signer=signer, shelf=shelf, refuse=part.refuse)
    gc.freeze()  # what was loaded stays to the end: it need not be looked through for cycles
    with display(quiet=options.quiet) as shown:
        close = trio.run(
            functools.partial(
                runner.run,
                part.plan,
                sink,
                judge,
                progress=shown,
                previous_root=last_root(options.results, str(signer.key) if signer else None),
                retest_of=retest_of,
            )
        )
    if sink.unsealed is not None:
        click.echo(f"blockwatch: the run could not be sealed to its end: {sink.unsealed}", err=True)
    return close, sink.folder


def _exit_code(close: RunClose) -> Exit:
    code = _EXIT_OF_REASON.get(close.reason, Exit.FAULT)
    return Exit.PARTIAL if code is Exit.OK and close.measured < close.planned else code


def _judge_and_keep(
    folder: Path, memory: Memory | None, fingerprints: Pack
) -> tuple[Sequence[Verdict], list[str]]:
    """Judge the run as kept, and write the verdicts beside it; also the faults of ours that it notes.

    An encrypted run is judged in memory, and nothing is written.
    """
    from blockwatch.cli.words import verdict_json
    from blockwatch.evidence.disk import replace_file
    from blockwatch.evidence.naming import VERDICTS_FILE
    from blockwatch.judge import judge_run
    from blockwatch.store import read_run

    run = read_run(folder) if memory is None else memory
    measurements = tuple(run.measurements)
    verdicts = judge_run(run.open, measurements, run.close, run.body, fingerprints)
    if memory is None:
        replace_file(folder / VERDICTS_FILE, b"".join(map(verdict_json, verdicts)))
    return verdicts, [m.fault or "unknown" for m in measurements if not m.valid]


def _fault_words(faults: list[str]) -> str:
    from blockwatch.cli.words import harmless

    return (
        f"blockwatch: {len(faults)} measurements failed by a fault of ours and say nothing of the sites.\n"
        f"  Please report it: {harmless(faults[0], 300)}"
    )


def _remember(close: RunClose, code: Exit, *, twice: bool) -> None:
    """Note how it went; a place for state that cannot be written is no reason to fail a run.

    ``twice``: with second measurements, whose number says of an encrypted run how many sites were amiss.
    """
    from blockwatch.host.last_run import LastRun, remember

    last = LastRun(
        started=close.ended - close.us,
        ended=close.ended,
        reason=close.reason,
        exit_code=int(code),
        planned=close.planned,
        measured=close.measured if twice else min(close.measured, close.planned),
    )
    try:
        remember(last)
    except BlockwatchError as error:
        click.echo(f"blockwatch: how this run went is not noted: {error}", err=True)


def _say(folder: Path, close: RunClose, verdicts: Sequence[Verdict], *, encrypted: bool) -> None:
    from blockwatch.cli.sealing import seal_words
    from blockwatch.cli.table import print_verdicts
    from blockwatch.cli.words import duration, size

    finals = [verdict for verdict in verdicts if verdict.final]
    print_verdicts(finals)
    moved = size(close.bytes_sent + close.bytes_received)
    click.echo(f"{close.measured} measurements in {duration(close.us)}, {moved}")
    click.echo(f"evidence: {folder}")
    if encrypted:
        click.echo("encrypted: only whoever holds the secret key can read it")
        return
    click.echo(seal_words(folder))
    if finals:
        click.echo(f"more: blockwatch judge --explain {folder}   "
                   f"blockwatch show {finals[-1].id} --results {folder}")  # fmt: skip
    sys.stdout.flush()
