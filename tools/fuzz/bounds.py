"""One input for one reader, within bounds of processor time and memory; what is outside them is a crash."""

from __future__ import annotations

import os
import resource
import signal
import time
import traceback
from pathlib import Path
from typing import NamedTuple

from tools.fuzz.target import Target

MOST_SECONDS = 10  # of processor time for one input
MOST_GROWTH = 256 << 20  # bytes by which one input may raise the peak of the process
MOST_MEMORY = 1 << 30  # bytes of address space above what the process had when it began
_ROOT = str(Path(__file__).parents[2] / "src")


class Slow(BaseException):
    """A run took too long."""


class Outcome(NamedTuple):
    """What became of one input."""

    crash: str  # kind and place; empty: none
    seconds: float  # of processor time


def peak() -> int:
    """The most memory this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024


def limit_memory() -> None:
    """Make an endless allocation fail instead of eating the machine."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MOST_MEMORY, held + MOST_MEMORY))


def run(target: Target, inner: bytes) -> Outcome:
    """Read one input (in the form that is damaged)."""

    def stop(*_: object) -> None:
        raise Slow

    raw = target.close_up(inner)
    before, crash = peak(), ""
    signal.signal(signal.SIGPROF, stop)
    start = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
        try:
            target.read(raw)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except target.permitted:
        pass
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a fault of whatever kind is what is looked for
        crash = _place(error)
    seconds = time.process_time() - start
    if not crash and peak() - before > MOST_GROWTH:
        crash = f"{(peak() - before) >> 20} MB of memory"
    return Outcome(crash, seconds)


def _place(error: BaseException) -> str:
    """The kind of an error, where it was raised, and the last line of ours on the way."""
    leaf = error
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    frames = traceback.extract_tb(leaf.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_ROOT)]
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in (*ours[-1:], *frames[-1:])]
    return f"{type(leaf).__name__} at {' by '.join(dict.fromkeys(places))}"


def fast_folder() -> str | None:
    """Where files may be written and thrown away without a disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
