"""``blockwatch forget``: delete runs on purpose, and leave word that it was on purpose."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import click

from blockwatch.errors import BlockwatchError, EvidenceError, UsageError


@click.command(name="forget")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...",
                type=click.Path(exists=True, file_okay=False, path_type=Path))  # fmt: skip
@click.option(
    "--yes", is_flag=True, help="Also runs that were never put in a bundle: this evidence is then gone."
)
def command(runs: tuple[Path, ...], yes: bool) -> None:
    """Delete runs from this machine; a signed note says of each that it was forgotten, not lost.

    The note (in the results folder, under forgotten/) holds the run's id, size and root, and when it was
    forgotten. A run that was put aside, or imported from another program, leaves none. Bundles that were
    handed on stay with those who have them. Deleted files can often be had back from the disk.

    Example: blockwatch forget results/20261122T052412Z-home-0123456789abcdef
    """
    from blockwatch.cli.words import harmless
    from blockwatch.evidence.opened import encrypted_runs, no_run
    from blockwatch.evidence.tombstone import is_aside, was_exported
    from blockwatch.store import find_runs

    folders = find_runs(runs)
    plain = {folder.resolve() for folder in folders}
    folders += [folder for folder in encrypted_runs(runs) if folder.resolve() not in plain]
    if not folders:
        raise no_run(runs)
    only_here = [folder for folder in folders if not (was_exported(folder) or is_aside(folder))]
    if only_here and not yes:
        names = "\n".join(f"  {folder}" for folder in only_here)
        raise UsageError(
            f"{len(only_here)} of {len(folders)} runs were never put in a bundle as they are now:\n{names}",
            remedy="Hand them on first (blockwatch bundle), or add --yes: it is then gone for good.",
        )
    for folder in folders:
        stone = _forget(folder, encrypted=folder.resolve() not in plain)
        click.echo(harmless(f"forgotten: {folder.name}" + (f" (see {stone})" if stone else ""), 4_000))
    click.echo(
        "Copies in bundles stay with those who have them, and your provider may have kept its own records.",
        err=True,
    )


def _forget(folder: Path, *, encrypted: bool) -> Path | None:
    """Delete one run; gives its tombstone, if it left one."""
    from blockwatch.cli.sealing import held_signer, held_signer_of, now_text
    from blockwatch.evidence.tombstone import forget_encrypted, forget_run, is_aside, results_of
    from blockwatch.host.last_run import drop
    from blockwatch.store import ResultsLock, read_run

    with ResultsLock(results_of(folder)):
        if is_aside(folder):
            return forget_run(folder, None, now_text())
        if encrypted:
            from blockwatch.evidence.rootnote import read_root

            started, noted = _started(folder.resolve().name), None
            with contextlib.suppress(EvidenceError):  # a note that is none: no run goes on from it
                noted = read_root(folder)
            stone = forget_encrypted(folder, noted, held_signer_of(noted.key if noted else None), now_text())
        else:
            opened = read_run(folder).open
            started = opened.started
            stone = forget_run(folder, held_signer(opened.campaign), now_text())
        if started is not None:
            with contextlib.suppress(BlockwatchError):  # no state that can be read: there is no record in it
                drop(started)
        return stone


def _started(name: str) -> int | None:
    """When a run began (microseconds since the epoch), by its folder's name."""
    try:
        moment = datetime.strptime(name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1_000_000
