"""Deleting what blockwatch made in a results folder, and nothing else.

Rules of this file:

* what goes has a name of our own making, or is a file of evidence; a folder whose name others may use too
  (``receipts``, ``aside``, ``forgotten``) goes only when nothing else is left in it;
* no link is followed: a link to a run goes, what it points to stays, and that is said;
* one failure stops nothing; everything that is left is named, with the reason;
* the caller holds the folder's lock.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from blockwatch.evidence.lock import LOCK_FILE
from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.naming import ENCRYPTED_FILE, NO_EVIDENCE, ROOT_FILE, evidence_order

_RUN = r"[0-9]{8}T[0-9]{6}Z-([A-Za-z0-9_-]+-)?[0-9a-f]{16}"
_WHOLE = rf"\.?{_RUN}|\.forgotten-.+|\.import-[a-z0-9_-]+"  # runs, hidden until they have begun
_OTHERS = NO_EVIDENCE | {ROOT_FILE, ENCRYPTED_FILE}  # files of a run that are no evidence, or encrypted
_STONE = r"[0-9a-f]{16}"


class _Form(NamedTuple):
    """What of ours may be in a folder."""

    files: str = r"(?!)"
    whole: str = r"(?!)"  # folders that go with all that is in them
    inner: Mapping[str, _Form] = MappingProxyType({})  # folders that hold something of ours


_FORGOTTEN = _Form(files=_STONE)
_RESULTS = _Form(
    whole=_WHOLE,
    inner={
        "forgotten": _FORGOTTEN,
        "receipts": _Form(files=r"[0-9a-f]{32}(-[0-9]+)?\.json"),
        ".parts": _Form(whole=r"[0-9a-f]{64}-[0-9]+-[0-9]+"),
        "aside": _Form(
            files=r"forgotten-[0-9a-f]{16}-[0-9a-f]{12}",
            whole=rf"(stamps-)?[0-9a-f]{{16}}-[0-9a-f]{{12}}|{_WHOLE}",
            inner={"forgotten": _FORGOTTEN},
        ),
    },
)


class Swept:
    """What a sweep could not or would not delete."""

    def __init__(self) -> None:
        self.failed: list[tuple[Path, str]] = []  # ours, and still there; why
        self.links: list[tuple[Path, Path]] = []  # deleted links to something that is there, and to what
        self.strange: list[Path] = []  # not ours, in a folder that was

    def attempt(self, path: Path, delete: Callable[[Path], None]) -> None:
        """Delete one thing; note where that fails."""
        try:
            delete(path)
        except FileNotFoundError:
            pass  # gone meanwhile
        except OSError as error:
            self.failed.append((path, (error.strerror or str(error)).lower()))


def is_ours(path: Path) -> bool:
    """Whether an entry of a results folder is a run, a link to one, or a folder that blockwatch makes."""
    if path.is_symlink():
        return re.fullmatch(_WHOLE, path.name) is not None or _holds_a_run(path)
    known = re.fullmatch(_WHOLE, path.name) is not None or path.name in _RESULTS.inner
    return path.is_dir() and (known or _holds_a_run(path))


def runs_among(results: Path) -> int:
    """How many runs, whole or not, are in a results folder; links to runs count. Raises ``OSError``."""
    return sum(is_ours(path) and path.name not in _RESULTS.inner for path in results.iterdir())


def ever_used(results: Path) -> bool:
    """Whether blockwatch has left anything in a folder: an empty place where a disk is not mounted has not.

    Raises ``OSError``.
    """
    names = {path.name for path in results.iterdir()}
    return LOCK_FILE in names or _holds_a_run(results) or any(is_ours(results / name) for name in names)


def sweep(results: Path) -> Swept:
    """Delete what is ours in a results folder; the caller holds its lock."""
    swept = Swept()
    _sweep_inside(results, _RESULTS, swept, strange=False)
    for path in _entries(results, swept):
        if _holds_a_run(path):  # under a name that somebody gave it
            _link(path, swept) if path.is_symlink() else _sweep_run(path, swept)
    if _holds_a_run(results):
        _sweep_run(results, swept)
    return swept


def delete_tree(path: Path, swept: Swept) -> None:
    """Delete a folder with all that is in it, as much as can be; links are not followed."""
    if path.is_symlink() or not path.is_dir():
        swept.attempt(path, os.unlink)
        return
    with suppress(OSError):
        path.chmod(0o700)  # a folder of ours that was made read-only
    before = len(swept.failed)
    for inner in _entries(path, swept):
        delete_tree(inner, swept)
    if len(swept.failed) == before:
        swept.attempt(path, os.rmdir)


def _entries(folder: Path, swept: Swept) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        swept.failed.append((folder, (error.strerror or str(error)).lower()))
        return []


def _holds_a_run(folder: Path) -> bool:
    with suppress(OSError):
        return folder.is_dir() and any((folder / name).is_file() for name in (LOG_FILE, ENCRYPTED_FILE))
    return False


def _sweep_inside(folder: Path, form: _Form, swept: Swept, *, strange: bool = True) -> None:
    """Delete what fits ``form``; with ``strange`` name what does not."""
    for path in _entries(folder, swept):
        plain = not path.is_symlink()
        if re.fullmatch(form.whole, path.name) and (path.is_dir() or not plain):
            delete_tree(path, swept) if plain else _link(path, swept)
        elif plain and path.is_file() and re.fullmatch(rf"({form.files})(\.part)?", path.name):
            swept.attempt(path, os.unlink)
        elif plain and path.is_dir() and path.name in form.inner:
            _sweep_inside(path, form.inner[path.name], swept)
            _remove_empty(path)
        elif strange or path.name in form.inner:
            swept.strange.append(path)


def _sweep_run(folder: Path, swept: Swept) -> None:
    """Delete the files of a run in a folder that has not the name of one."""
    for name, path in _files_of_run(folder, swept):
        whole = name.removesuffix(".part")
        if evidence_order(whole) or whole in _OTHERS:
            swept.attempt(path, os.unlink)
        else:
            swept.strange.append(path)
    for inner in ("checkpoints", "timestamps"):
        _remove_empty(folder / inner)
    _remove_empty(folder)


def _files_of_run(folder: Path, swept: Swept) -> Iterator[tuple[str, Path]]:
    for path in _entries(folder, swept):
        if path.name == LOCK_FILE:
            continue
        if path.name in ("checkpoints", "timestamps") and path.is_dir() and not path.is_symlink():
            yield from ((f"{path.name}/{inner.name}", inner) for inner in _entries(path, swept))
        else:
            yield path.name, path


def _link(path: Path, swept: Swept) -> None:
    target = Path(os.path.realpath(path))
    before = len(swept.failed)
    swept.attempt(path, os.unlink)
    if len(swept.failed) == before and target.exists():
        swept.links.append((path, target))


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # something else is in it, and was named
        folder.rmdir()
