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
from pathlib import Path

from blockwatch.evidence.incoming import Incoming
from tests.evidence.dying import stop_at


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
