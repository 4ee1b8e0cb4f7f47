"""The disk: files that only grow, what "written" means, and its failures in words.

Rules of this file:

* bytes count as written once ``fdatasync`` has come back; until then they may be taken away again;
* what was written is never changed: a file is appended to, or (derived files) replaced as a whole;
* nothing is written through a link: somebody else may have put it there;
* every ``OSError`` becomes a :class:`~blockwatch.errors.DiskError` that says what to do.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blockwatch.errors import DiskError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR})
_FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_sync = getattr(os, "fdatasync", os.fsync)  # the size of a file is part of what fdatasync keeps


def disk_error(error: OSError, path: Path) -> DiskError:
    """Say what is wrong with ``path`` and what to do."""
    reason = (error.strerror or str(error)).lower()
    if error.errno in _FULL:
        what = f"there is no room to write ({reason})"
        remedy = (
            "Free some space, or name another place with --results or -o; every complete measurement is kept."
        )
    elif error.errno in _FORBIDDEN:
        what = f"this place cannot be written to ({reason})"
        remedy = "Name a place of your own with --results or -o."
    elif error.errno == errno.ELOOP:
        what = "a link stands where a file of blockwatch should, and is not followed"
        remedy = "Take the link away; whoever handed you this folder may have put it there."
    elif error.errno in _NOT_THERE:
        what = f"this place is not there ({reason})"
        remedy = "Name a place in a folder that is there; a stick or disk may have been taken out."
    else:
        what = f"the disk does not work as it should ({reason})"
        remedy = "Check the disk, or name a place on another one with --results or -o."
    return DiskError(what, where=str(path), remedy=remedy)


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` of the block into a ``DiskError`` about ``path``."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file as a whole, for its owner: a reader sees the old one or the new one, never a part."""
    replace_by_pieces(path, (content,))


def replace_by_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """The same for a file that is made piece by piece; where that fails, none is there under any name."""
    part = path.with_name(path.name + ".part")
    with in_words(path):
        descriptor = _new_file(part)
    try:
        try:
            for piece in pieces:  # what goes wrong in making one is not the disk's doing
                with in_words(path):
                    _write(descriptor, piece)
            with in_words(path):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with in_words(path):
            part.replace(path)
            sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _new_file(path: Path) -> int:
    """Open a file that nothing else leads to: of this name a link, a pipe or what was left goes first."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileExistsError:
        path.unlink()
        return os.open(path, flags, 0o600)


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


class GrowingFile:
    """A new file that is appended to in steps; each step is kept as a whole or taken back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0  # bytes kept for certain
        self._torn: DiskError | None = None
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)

    def append(self, content: bytes) -> None:
        """Write and sync; raises ``DiskError`` after taking back what could not be kept."""
        if not content:
            return
        if self._torn:
            raise self._torn
        try:
            _write(self._descriptor, content)
            _sync(self._descriptor)
        except OSError as error:
            told = disk_error(error, self.path)
            self._take_back(told)
            raise told from error
        self.size += len(content)

    def _take_back(self, error: DiskError) -> None:
        """Cut off what is not certain; where even that fails nothing may follow the torn tail."""
        try:
            os.ftruncate(self._descriptor, self.size)
        except OSError:
            self._torn = error

    def close(self) -> None:
        """Close the file; it cannot be opened for writing again."""
        os.close(self._descriptor)
