"""What is put aside: on the disk for good before anybody says so, and under a name of its own.

Rules of this file:

* what goes aside is synced, file by file, before the names that lead to it;
* a name says little (12 hex digits of a hash, which somebody could choose; or a power cut left its files
  empty): nothing counts as lying there already that was not compared with it byte for byte.
"""

from __future__ import annotations

import os
import shutil
from functools import partial
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path

from blockwatch.evidence.disk import sync_folder
from blockwatch.evidence.naming import DERIVED

_PIECE = 1_048_576  # bytes compared at once


def place_for(content: Path, folder: Path) -> Path:
    """``folder``, or the next name where something else lies there: what is given is free or holds it all."""
    while os.path.lexists(folder) and not _holds(folder, content):
        start, _, digest = folder.name.rpartition("-")
        folder = folder.with_name(f"{start}-{sha256(digest.encode()).hexdigest()[: len(digest)]}")
    return folder


def put_aside(content: Path, folder: Path) -> Path:
    """Move it there, unless the same lies there; gives its place. Raises ``OSError``."""
    folder = place_for(content, folder)
    if not folder.exists():
        _make(folder.parent)
        _sync_all(content)
        content.rename(folder)
        sync_folder(folder.parent)
    return folder


def copy_aside(content: Path, folder: Path, draft: Path) -> Path:
    """The same with a copy, which is made as ``draft`` on the same disk."""
    folder = place_for(content, folder)
    if folder.exists():
        return folder
    shutil.copytree(content, draft)
    return put_aside(draft, folder)


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def _sync_all(folder: Path) -> None:
    """Make everything in a folder survive a power cut."""
    for path in folder.rglob("*"):
        if path.is_file() or (path.is_dir() and not path.is_symlink()):
            sync_folder(path)  # of a file: its contents
    sync_folder(folder)


def _files(folder: Path) -> list[str]:
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()]
    return [name for name in names if name not in DERIVED]


def _holds(folder: Path, content: Path) -> bool:
    """Whether every file of ``content`` that cannot be made again is in ``folder``, byte for byte."""
    return folder.is_dir() and all(_same(content / name, folder / name) for name in _files(content))


def _same(one: Path, other: Path) -> bool:
    if other.is_symlink() or not (one.is_file() and other.is_file()):
        return False
    with one.open("rb") as ours, other.open("rb") as theirs:
        pieces = (iter(partial(file.read, _PIECE), b"") for file in (ours, theirs))
        return all(left == right for left, right in zip_longest(*pieces))
