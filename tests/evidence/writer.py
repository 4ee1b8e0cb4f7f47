"""A process that writes a run and says on standard output what it was told is kept.

``python -m tests.evidence.writer RESULTS RUN COUNT [RLIMIT [STOP [SEALED]]]``: eight threads write; the
number of a measurement is printed once its ``write`` has come back. Ends with "closed" or the error's words.
With STOP, the process kills itself at that system call which changes the disk; a write is half done.
With SEALED, every group of measurements gets a checkpoint of its own.
"""

from __future__ import annotations

import os
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from blockwatch.errors import DiskError
from blockwatch.store import RunWriter
from tests.evidence.dying import stop_at
from tests.evidence.made import measured, run_close, run_open, signer


def say(words: str) -> None:
    os.write(1, words.encode() + b"\n")


def main(results: str, run: str, count: str, limit: str = "0", stop: str = "0", sealed: str = "") -> None:
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    if int(stop):
        stop_at(int(stop))
    writer = RunWriter(Path(results), signer=signer() if sealed else None, seal_every_s=0)
    try:
        writer.open(run_open(run))
        say(f"folder {writer.folder.name}")

        def one(seq: int) -> None:
            writer.write(measured(seq, run=run))
            say(f"kept {seq}")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(1, int(count) + 1)))
        writer.close(run_close(int(count)))
        say("closed")
    except DiskError as error:
        say("disk " + " | ".join(str(error).split("\n")))
        try:
            writer.close(run_close(0, reason="disk"))
            say("closed")
        except (DiskError, RuntimeError) as error:
            say(f"not closed {type(error).__name__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
