"""``blockwatch wipe``: delete everything that blockwatch keeps on this machine.

Rules of this file: who somebody is goes first (keys, agreement, notes), then what was measured; one failure
stops nothing; "wiped" alone is said only where nothing known is left; what is left stays noted.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from blockwatch.errors import BlockwatchError, ConsentError, Exit

_WORDS = """\
This deletes, for good, all keys, the agreement and what else blockwatch noted of you, and every run
in the folders above. Evidence that was not handed on is then gone, and nobody can seal by these keys again.

It cannot undo or hide:
 - bundles, proofs and exports that you made or sent, with hidden .*.part files beside them where that was
   cut short, and results folders that were moved: delete yours yourself; receivers keep theirs;
 - what was kept under another BLOCKWATCH_STATE, HOME or user;
 - what your provider, name servers, test helpers and the sites themselves noted of your visits;
 - deleted files, which can often be had back: disks and memory sticks keep old blocks (an SSD writes
   elsewhere what is written over), and so do backups, snapshots and synchronised folders. Only a disk
   that was encrypted before helps against that;
 - the program itself, your lists of targets, and the command history of your shell.
"""
_NOT_THERE = "not there now (a stick or disk that is not plugged in?)"
_EMPTY = "nothing of blockwatch is in it (a stick or disk that is not plugged in?)"
_WHAT_TO_DO = """\
 - end runs that go on (Ctrl-C), plug in what is missing, then again: blockwatch wipe
 - what cannot be deleted, or is behind a link: delete it yourself
 - a folder that is not there because it was deleted: blockwatch wipe --gone"""


@click.command(name="wipe")
@click.option("--results", multiple=True, metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
              help="Results folder to wipe besides those known from runs; repeat for more.")  # fmt: skip
@click.option("--gone", is_flag=True, help="Results folders that are not there were deleted: drop them too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(results: tuple[Path, ...], gone: bool, yes: bool) -> None:
    """Delete all keys, the agreement, all notes and all runs of blockwatch on this machine.

    Shows first what would go, and what cannot be undone or hidden. Keys and notes go first. What could not
    be deleted, and folders that are not there now, are named at the end (exit code 3) and stay noted.

    Example: blockwatch wipe --results /media/stick/results
    """
    from blockwatch.host.folders import known_folders
    from blockwatch.host.place import own_temporary_folders, state_folder

    known = list(dict.fromkeys(path.resolve() for path in known_folders()))
    folders = list(dict.fromkeys([*known, *(path.resolve() for path in results)]))
    for folder in folders:
        _say(f"{folder}: {_missing(folder) or _content(folder)}")
    for folder in own_temporary_folders():
        _say(f"{folder}: left there when blockwatch was killed")
    left = _Left()
    files = _state_files(left)
    _say(f"{state_folder()}: {len(files)} files of state\n\n{_WORDS}")
    if not yes:
        _ask()
    _wipe_state(files, left)
    for folder in folders:
        why = _missing(folder)
        if why is None:
            _wipe_folder(folder, left)
        elif not gone and (folder in known or not folder.is_dir()):
            left.folders[folder] = why
    _wipe_temporary(left)
    _note_what_is_left(left)
    _finish(left)


class _Left:
    """What could not be deleted."""

    def __init__(self) -> None:
        self.folders: dict[Path, str] = {}  # results folders to try again; why
        self.paths: list[tuple[Path, str]] = []  # other things, why
        self.strange: list[Path] = []  # not ours


def _say(words: str) -> None:
    from blockwatch.cli.words import harmless_lines

    click.echo(harmless_lines(words), err=True)


def _missing(folder: Path) -> str | None:
    """Why there is nothing to wipe in a results folder; ``None``: there is something."""
    from blockwatch.evidence.sweep import ever_used

    try:
        if not folder.is_dir():
            return _NOT_THERE
        return None if ever_used(folder) else _EMPTY
    except OSError:
        return None  # the attempt will say what is wrong


def _content(folder: Path) -> str:
    from blockwatch.evidence.sweep import runs_among

    try:
        return f"{runs_among(folder)} runs and what belongs to them"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _ask() -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConsentError("nobody was there to ask: nothing was deleted", remedy="Add --yes.")
    if not click.confirm("Delete all this?", default=False, err=True):
        raise ConsentError("not agreed: nothing was deleted")


def _state_files(left: _Left) -> list[Path]:
    from blockwatch.host.place import state_files, state_folder

    try:
        return state_files()
    except OSError as error:  # made by another user, perhaps with sudo: then nothing in it can be known
        left.paths.append((state_folder(), f"cannot be read ({error.strerror})"))
        return []


def _wipe_state(files: list[Path], left: _Left) -> None:
    """Delete keys, agreement and notes, zeroed first; the list of results folders is still needed."""
    from blockwatch.host.folders import FOLDERS_FILE
    from blockwatch.host.keys import overwritten

    for path in files:
        if path.name == FOLDERS_FILE:
            continue
        try:
            with overwritten(path):
                path.unlink(missing_ok=True)
        except OSError as error:
            left.paths.append((path, (error.strerror or str(error)).lower()))


def _wipe_folder(folder: Path, left: _Left) -> None:
    """Delete what is ours in a results folder, and the folder where nothing else is in it."""
    from blockwatch.evidence.sweep import sweep
    from blockwatch.store import ResultsLock

    lock = ResultsLock(folder)
    try:
        lock.acquire()
    except BlockwatchError as error:
        left.folders[folder] = error.what
        return
    try:
        swept = sweep(folder)
    finally:
        lock.remove()
    with contextlib.suppress(OSError):  # something else is in it
        folder.rmdir()
    if swept.failed:
        left.folders[folder] = "some of it cannot be deleted"
    left.paths += swept.failed
    for link, target in swept.links:
        left.paths.append(
            (target, f"not touched: {link.name} was a link to it, and only the link is deleted")
        )
    left.strange += swept.strange


def _wipe_temporary(left: _Left) -> None:
    from blockwatch.evidence.sweep import Swept, delete_tree
    from blockwatch.host.place import own_temporary_folders

    swept = Swept()
    for path in own_temporary_folders():
        delete_tree(path, swept)
    left.paths += swept.failed


def _note_what_is_left(left: _Left) -> None:
    """Keep in the list what has to be tried again, and nothing else."""
    from blockwatch.host.folders import keep_only
    from blockwatch.host.place import state_folder

    try:
        keep_only(list(left.folders))
    except BlockwatchError as error:
        left.paths.append((state_folder(), error.what))
    with contextlib.suppress(OSError):  # something is left, or somebody keeps something else in it
        state_folder().rmdir()


def _finish(left: _Left) -> None:
    """Say how it went; raises where something is left."""
    from blockwatch.host.place import other_state_folders

    for path in left.strange:
        _say(f"not of blockwatch, and left where it is: {path}")
    for path in other_state_folders():
        _say(f"not touched, another folder for state: {path} (BLOCKWATCH_STATE={path} blockwatch wipe)")
    failed = [*left.folders.items(), *left.paths]
    if not failed:
        click.echo("wiped")
        return
    click.echo("wiped, but not all")
    _say("NOT DELETED:")
    for path, why in failed:
        _say(f"  {path}: {why}")
    _say(_WHAT_TO_DO)
    raise click.exceptions.Exit(Exit.PARTIAL)
