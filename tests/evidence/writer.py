"""A process that writes a run and says on standard output what it was told is kept.

``python -m tests.evidence.writer RESULTS RUN COUNT [RLIMIT [STOP [SEALED]]]``: eight threads write; the
number of a measurement is printed once its ``write`` has come back. Ends with "closed" or the error's words.
With STOP, the process kills itself at that system call which changes the disk; a write is half done.
With SEALED, every group of measurements gets a checkpoint of its own.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from blockwatch.errors import DiskError
from blockwatch.evidence import disk
from blockwatch.store import RunWriter
from tests.evidence.made import measured, run_close, run_open, signer


def say(words: str) -> None:
    os.write(1, words.encode() + b"\n")


def stop_at(point: int) -> None:
    """Count calls that change the disk; at number ``point`` die in the middle of it."""
    calls = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            nonlocal calls
            if arguments[0] == 1:  # standard output
                return real(*arguments)
            calls += 1
            if calls == point:
                if real is write:
                    content = arguments[1]
                    real(arguments[0], content[: len(content) // 2])  # type: ignore[index, arg-type]
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments)

        return call

    write = os.write
    for name in ("write", "fsync", "rename", "replace", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))
    disk._sync = counted(disk._sync)  # type: ignore[assignment]


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
