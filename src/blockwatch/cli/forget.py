"""``blockwatch forget``: delete runs on purpose, and leave word that it was on purpose."""

from __future__ import annotations

from pathlib import Path

import click

from blockwatch.errors import UsageError


@click.command(name="forget")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...",
                type=click.Path(exists=True, file_okay=False, path_type=Path))  # fmt: skip
@click.option(
    "--yes", is_flag=True, help="Also runs that were never put in a bundle: this evidence is then gone."
)
def command(runs: tuple[Path, ...], yes: bool) -> None:
    """Delete runs from this machine; a signed note says of each that it was forgotten, not lost.

    The note (in the results folder, under forgotten/) holds the run's id, size and root, and when it was
    forgotten. Bundles that were handed on stay with those who have them. Deleted files can often be had back
    from the disk.

    Example: blockwatch forget results/20261122T052412Z-home-0123456789abcdef
    """
    from blockwatch.cli.sealing import held_signer, now_text
    from blockwatch.evidence.tombstone import forget_run, was_exported
    from blockwatch.store import ResultsLock, find_runs, read_run

    folders = find_runs(runs)
    if not folders:
        raise UsageError("there is no run here", where=str(runs[0]))
    only_here = [folder for folder in folders if not was_exported(folder)]
    if only_here and not yes:
        names = "\n".join(f"  {folder}" for folder in only_here)
        raise UsageError(
            f"{len(only_here)} of {len(folders)} runs were never put in a bundle:\n{names}",
            remedy="Hand them on first (blockwatch bundle), or add --yes: it is then gone for good.",
        )
    for folder in folders:
        with ResultsLock(folder.resolve().parent):
            opened = read_run(folder).open
            stone = forget_run(folder, held_signer(opened.campaign), now_text())
        click.echo(f"forgotten: {folder.name}" + (f" (see {stone})" if stone else ""))
    click.echo(
        "Copies in bundles stay with those who have them, and your provider may have kept its own records.",
        err=True,
    )
