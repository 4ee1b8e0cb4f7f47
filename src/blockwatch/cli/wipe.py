"""``blockwatch wipe``: delete everything that blockwatch keeps on this machine."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from pathlib import Path

import click

from blockwatch.errors import ConsentError, DiskError

_WORDS = """\
This deletes, for good, all keys, the agreement and what else blockwatch noted of you, and every run
in the folders above. Evidence that was not handed on is then gone, and nobody can seal by these keys again.

It cannot undo or hide:
 - bundles and proofs that you made or sent: delete yours yourself; receivers keep theirs;
 - what your provider, name servers, test helpers and the sites themselves noted of your visits;
 - deleted files, which can often be had back: disks and memory sticks keep old blocks (an SSD writes
   elsewhere what is written over), and so do backups, snapshots and synchronised folders. Only a disk
   that was encrypted before helps against that;
 - the program itself, your lists of targets, and the command history of your shell.
"""
_OURS = re.compile(
    r"\.?[0-9]{8}T[0-9]{6}Z-([A-Za-z0-9_-]+-)?[0-9a-f]{16}"  # runs, hidden until they have begun
    r"|forgotten|aside|receipts|\.parts|\.(forgotten|import)-.+"
)


@click.command(name="wipe")
@click.option("--results", multiple=True, metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
              help="Results folder to wipe besides those known from runs; repeat for more.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(results: tuple[Path, ...], yes: bool) -> None:
    """Delete all keys, the agreement, all notes and all runs of blockwatch on this machine.

    Shows first what would go, and what cannot be undone or hidden.

    Example: blockwatch wipe --results /media/stick/results
    """
    from blockwatch.host.folders import known_folders
    from blockwatch.host.place import state_files, state_folder
    from blockwatch.store import ResultsLock, find_runs

    state = state_folder()
    folders = list(dict.fromkeys(path.resolve() for path in (*known_folders(), *results)))
    folders = [folder for folder in folders if folder.is_dir()]
    for folder in folders:
        click.echo(f"{folder}: {len(find_runs([folder]))} runs and what belongs to them", err=True)
    click.echo(f"{state}: {len(state_files())} files of state\n\n{_WORDS}", err=True)
    if not yes:
        _ask()
    for folder in folders:
        with ResultsLock(folder):
            for path in _ours(folder):
                _delete(path)
        _delete_if_left(folder)
    for path in state_files():
        _delete(path)
    with contextlib.suppress(OSError):  # somebody keeps something else in it
        state.rmdir()
    click.echo("wiped")


def _ask() -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConsentError("nobody was there to ask: nothing was deleted", remedy="Add --yes.")
    if not click.confirm("Delete all this?", default=False, err=True):
        raise ConsentError("not agreed: nothing was deleted")


def _ours(results: Path) -> list[Path]:
    """What blockwatch makes in a results folder, also hidden and half-done ones; no link, nothing else."""
    from blockwatch.evidence.log import LOG_FILE

    return sorted(
        path
        for path in results.iterdir()
        if path.is_dir()
        and not path.is_symlink()
        and (_OURS.fullmatch(path.name) or (path / LOG_FILE).exists())
    )


def _delete(path: Path) -> None:
    """Delete a file of state (zeroed first) or a folder of a run."""
    from blockwatch.host.keys import overwritten

    try:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists() or path.is_symlink():
            with overwritten(path):
                path.unlink()
    except OSError as error:
        raise DiskError(
            f"cannot be deleted: {error.strerror}", where=str(path), remedy="Delete it yourself."
        ) from error


def _delete_if_left(folder: Path) -> None:
    """Remove the lock, and the folder where nothing else is in it."""
    with contextlib.suppress(OSError):
        (folder / ".lock").unlink()
        folder.rmdir()
