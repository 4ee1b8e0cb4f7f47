"""The half of ``blockwatch import`` that takes bundles: what came is kept, merged and receipted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blockwatch.errors import BlockwatchError, EvidenceError, Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blockwatch.evidence.allow import Allowed
    from blockwatch.evidence.incoming import Imported, Waiting
    from blockwatch.evidence.receipt import Receipt

_FORK = "one of them was killed while it was encrypted, a folder was copied, or a clock set back"
_WORSE = (Exit.OK, Exit.PARTIAL, Exit.USAGE, Exit.DISK, Exit.UNVERIFIED)


def import_bundles(
    files: tuple[Path, ...],
    results: Path,
    identities: list[Any],
    *,
    as_json: bool,
    allowed: Sequence[Allowed] = (),
) -> Exit:
    """Import each file, whatever becomes of the others; the worst exit code of all."""
    from importlib.metadata import version

    from blockwatch.evidence.incoming import Imported, Incoming
    from blockwatch.evidence.mistaken import mistake_as_incoming
    from blockwatch.store import ResultsLock

    code = Exit.OK
    with ResultsLock(results):
        incoming = Incoming(results, identities, f"blockwatch {version('blockwatch-toolkit')}", allowed)
        for file in _each(files):
            try:
                if (mistaken := mistake_as_incoming(file)) is not None:
                    raise mistaken
                came = incoming.take(file)
            except (EvidenceError, UsageError) as error:
                _complain(error)
                code = _worse(code, error.exit_code)
                continue
            if isinstance(came, Imported):
                _say(file, came, as_json=as_json)
                code = _worse(code, Exit.UNVERIFIED if came.receipt.contradicts else Exit.OK)
            else:
                _say_waiting(file, came)
        for waiting in incoming.incomplete():
            click.echo(f"blockwatch: {_missing_words(waiting)}", err=True)
            code = _worse(code, Exit.PARTIAL)
    return code


def _each(files: tuple[Path, ...]) -> list[Path]:
    """Of a folder with runs that were encrypted as they were written, each of these."""
    from blockwatch.evidence.reading import runs_at
    from blockwatch.evidence.rootnote import encrypted_folders

    found: list[Path] = []
    for file in files:
        inside = encrypted_folders(file) if file.is_dir() and not runs_at(file) else []
        found += inside or [file]
    return found


def _worse(one: Exit, other: Exit) -> Exit:
    return max(one, other, key=lambda code: _WORSE.index(code) if code in _WORSE else len(_WORSE))


def _complain(error: BlockwatchError) -> None:
    from blockwatch.cli.words import harmless_lines

    click.echo(f"blockwatch: {harmless_lines(error)}", err=True)


def _say_waiting(file: Path, waiting: Waiting) -> None:
    from blockwatch.cli.words import harmless

    part = waiting.part
    words = f"{file}: part {part.number} of {part.of}"
    if waiting.already:
        words += " had come before" if waiting.missing else ": its bundle was imported before"
    click.echo(harmless(words, 400), err=True)


def _missing_words(waiting: Waiting) -> str:
    numbers = ", ".join(map(str, waiting.missing[:20])) + ", …" * (len(waiting.missing) > 20)
    part = waiting.part
    return (
        f"of {part.of} parts of the file {part.whole[:12]}… there is still missing: {numbers}\n"
        "  What came is kept. Import the missing ones when they have come; the others need not come again."
    )


def _say(file: Path, came: Imported, *, as_json: bool) -> None:
    from blockwatch.cli.words import harmless, shown_json

    if as_json:
        sys.stdout.write(shown_json(came.receipt).decode())
        return
    receipt = came.receipt
    click.echo(harmless(f"{file}: {_counts(receipt)}", 400))
    for run in receipt.runs:
        lines = "" if run.lines is None else f", {run.lines} lines, root {run.root}"
        click.echo(harmless(f"  {run.outcome}: {run.folder}{lines}", 600))
        if run.why:
            click.echo(harmless(f"    {run.why}", 600))
        if run.aside:
            stamps = f", {len(run.left_out)} stamps or signatures not taken" * bool(run.left_out)
            click.echo(harmless(f"    put aside: {run.aside}{stamps}", 600))
        if run.same_predecessor:
            others = ", ".join(run.same_predecessor[:5])
            click.echo(f"    follows the same run as {others}: {_FORK}")
    for stone in receipt.forgotten:
        click.echo(harmless(f"  {stone.outcome}: run {stone.run} was forgotten on purpose", 200))
        if stone.why:
            click.echo(harmless(f"    {stone.why}", 400))
    click.echo(f"receipt: {came.path}")


def _counts(receipt: Receipt) -> str:
    from collections import Counter

    outcomes = Counter(run.outcome for run in receipt.runs)
    return ", ".join(f"{times} {outcome}" for outcome, times in sorted(outcomes.items())) or "no run"
