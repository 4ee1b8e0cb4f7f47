"""Paths that may be run folders, results folders or bundles, opened for reading as run folders.

Rules of this file: a bundle is unpacked, whole and checked, into a private folder of its own, which is gone
when the reading is over; nothing is kept, merged or believed that importing would not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence.disk import in_words
from blockwatch.evidence.incoming import kind_of
from blockwatch.evidence.naming import OWN_FOLDERS, run_folder_name
from blockwatch.evidence.reading import find_runs, read_run, run_folders
from blockwatch.evidence.rootnote import encrypted_folders, is_encrypted
from blockwatch.evidence.unbundle import unpack


@contextmanager
def opened_paths(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """The same paths, where each bundle is replaced by a results folder with its runs.

    Raises ``EvidenceError`` for a bundle that is refused, ``UsageError`` for one that must be imported.
    """
    with tempfile.TemporaryDirectory(prefix="blockwatch-", ignore_cleanup_errors=True) as private:
        yield [_opened(path, Path(private) / str(number)) for number, path in enumerate(paths)]


@contextmanager
def opened_runs(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Run folders among and directly below ``paths``, bundles included, as ``find_runs`` gives them."""
    with opened_paths(paths) as folders:
        found = find_runs(folders)
        for folder in folders if not found else ():
            for sealed in encrypted_folders(folder):
                raise _encrypted(sealed)
        yield found


def encrypted_runs(paths: Iterable[Path]) -> list[Path]:
    """Folders of runs among and directly below ``paths`` that were encrypted as they were written."""
    found: dict[Path, Path] = {}  # resolved: each once
    for path in paths:
        for folder in [path] if is_encrypted(path) else encrypted_folders(path):
            found.setdefault(folder.resolve(), folder)
    return list(found.values())


def no_run(paths: Iterable[Path]) -> UsageError:
    """What to say where there is nothing to read."""
    named = list(paths)
    remedy = "Name a run folder, the folder that --results named, or a bundle."
    if below := list(islice(_below(named), 6)):
        remedy = f"There are runs in {', '.join(map(str, below[:5]))}{', …' * (len(below) > 5)}: name that."
    return UsageError("there is no run here", where=", ".join(map(str, named)), remedy=remedy)


def _below(paths: Iterable[Path]) -> Iterator[Path]:
    """Folders of runs one step further down: the demo's, the sample's, one for each campaign."""
    for path in paths:
        with suppress(OSError):
            for folder in sorted(path.iterdir()):
                ours = folder.name.startswith(".") or folder.name in OWN_FOLDERS
                if folder.is_dir() and not ours and any(run_folders(folder)):
                    yield folder


def _encrypted(path: Path) -> UsageError:
    return UsageError(
        "this is encrypted", where=str(path), remedy=f"First: blockwatch import {path} --identity FILE"
    )


def _opened(path: Path, private: Path) -> Path:
    if path.is_dir() and is_encrypted(path):
        raise _encrypted(path)
    kind = kind_of(path)
    if kind is None:
        return path
    if kind == "part":
        raise UsageError(
            "this is one part of a bundle", where=str(path), remedy="First: blockwatch import all its parts"
        )
    if kind != "bundle":
        raise _encrypted(path)
    private.mkdir(mode=0o700)
    with in_words(path), path.open("rb") as file:
        listed = unpack(file, private, str(path))
    for bundled in listed.runs:
        folder = private / bundled.run
        try:
            first = read_run(folder).open
        except EvidenceError:
            continue  # keeps the name it came under; whoever reads it will say what is wrong
        if first.run != bundled.run:
            raise EvidenceError(
                f"the log of run {bundled.run} says it is run {first.run[:40]!a}", where=str(path)
            )
        folder.rename(private / run_folder_name(first, first.label))
    return private
