"""A volunteer of the lab, who agrees to a tier as people do: by reading the text on a terminal and typing y.

Rules of this file: the program under test runs as it is; nothing is written into its state behind its back.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from blockwatch.errors import LabError

_SECONDS = 20


def agree(tier: int, state: Path) -> dict[str, str]:
    """Agree to ``tier``, kept in the folder ``state``; the environment of runs that may rely on it."""
    environment = {**os.environ, "BLOCKWATCH_STATE": str(state)}
    said, code = on_terminal(["consent", "--tier", str(tier)], environment, typed="y\n")
    if code:
        raise LabError(f"blockwatch consent --tier {tier} ended with {code}: {said}")
    return environment


def on_terminal(arguments: list[str], environment: Mapping[str, str], *, typed: str) -> tuple[str, int]:
    """Run ``blockwatch`` on a terminal where ``typed`` is typed; what it shows, and its exit code."""
    ours, theirs = pty.openpty()
    shown = b""
    try:
        started = subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-m", "blockwatch", *arguments],
            env=dict(environment),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.write(ours, typed.encode())
        while piece := _read(ours):
            shown += piece
        return shown.decode(errors="replace"), started.wait(_SECONDS)
    finally:
        os.close(ours)


def _read(terminal: int) -> bytes:
    """What is shown next; nothing once the program has ended."""
    try:
        return os.read(terminal, 4_096)
    except OSError:  # EIO: the other end is closed
        return b""
