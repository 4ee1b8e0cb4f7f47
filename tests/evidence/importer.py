"""A process that imports, again and again, and is killed each time one step later.

``python -m tests.evidence.importer BEFORE WORK FILE...``: for each system call that changes the disk, a copy
of the results folder BEFORE is made in WORK, and a child imports the files into it and kills itself at
that call; a write is then half done. Ends when a child gets through; prints the number of calls.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from blockwatch.evidence.incoming import Incoming


def stop_at(point: int) -> None:
    """Count calls that change the disk; at number ``point`` die in the middle of it."""
    calls = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls == point:
                if real is write:
                    content = arguments[1]
                    real(arguments[0], content[: len(content) // 2])  # type: ignore[index, arg-type]
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    write = os.write
    for name in ("write", "fsync", "mkdir", "rename", "replace", "unlink", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))


def take(results: Path, files: list[Path]) -> None:
    incoming = Incoming(results, [], "blockwatch 0")
    for file in files:
        incoming.take(file)


def main(before: str, work: str, *files: str) -> None:
    point = 0
    while True:
        point += 1
        results = Path(work) / f"{point:04}"
        shutil.copytree(before, results)
        child = os.fork()
        if child == 0:
            stop_at(point)
            take(results, [Path(file) for file in files])
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            print(point - 1)
            return
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, status


if __name__ == "__main__":
    main(*sys.argv[1:])
