"""One run at a time in a results folder.

The lock is the kernel's (``flock`` on ``.lock``): it ends with the process that holds it, however
that ends, so a lock can never be stale. The text in the file is only for the message to the second
comer; text of a process that is gone means nothing.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from blockwatch.errors import DiskError, LockedError
from blockwatch.evidence.disk import in_words

LOCK_FILE = ".lock"
_ATTEMPTS = 100


class ResultsLock:
    """Hold a results folder (made if missing): ``with ResultsLock(results): …``."""

    def __init__(self, results: Path) -> None:
        self.path = results / LOCK_FILE
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise ``LockedError``, which names the holder and since when."""
        for _ in range(_ATTEMPTS):
            if self._acquired():
                return
        raise LockedError(
            "the lock is deleted again and again",
            where=str(self.path.parent),
            remedy="End what tidies this folder, or name another one with --results.",
        )

    def _acquired(self) -> bool:
        """Take the lock; false: the file was deleted between opening and locking, so it holds nobody off."""
        with in_words(self.path.parent):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            self._refuse_others(descriptor)
            with in_words(self.path):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not self._still_there(descriptor):
                    os.close(descriptor)
                    return False
                os.ftruncate(descriptor, 0)
                since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
                os.write(descriptor, f"process {os.getpid()} since {since}\n".encode())
        except BaseException as error:
            locked = isinstance(error.__cause__, BlockingIOError)
            holder = os.pread(descriptor, 200, 0).decode("ascii", "replace").strip() if locked else ""
            os.close(descriptor)
            if locked:
                raise LockedError(
                    f"another run is going on here ({holder or 'it has just begun'})",
                    where=str(self.path.parent),
                    remedy="Wait for it to end, or name another folder with --results.",
                ) from None
            raise
        self._descriptor = descriptor
        return True

    def _refuse_others(self, descriptor: int) -> None:
        """What is no file, or has another name too, is not our lock: emptying it would harm somebody."""
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise DiskError(
                "something else stands where the lock of this folder should",
                where=str(self.path),
                remedy="Take it away; whoever handed you this folder may have put it there.",
            )

    def _still_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def remove(self) -> None:
        """Delete the file while it is held, so that nobody else can come to hold it; then let go."""
        with suppress(OSError):  # a place that cannot be written to: the file stays, empty
            self.path.unlink()
        self.release()

    def release(self) -> None:
        """Let go; the file stays, empty."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            try:
                os.ftruncate(descriptor, 0)
            finally:
                os.close(descriptor)

    def __enter__(self) -> ResultsLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
