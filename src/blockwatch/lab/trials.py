"""Trials side by side: each world in a process of its own, and none that outlives who asked for it.

Rules of this file:

* a trial that fails is told with what it said; nothing is counted out;
* what is stopped ends its lab and removes its files: it is asked to end, not killed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from blockwatch.errors import LabError
from blockwatch.lab.trial import JUDGE_SECONDS, RUN_SECONDS, Row

_SECONDS = RUN_SECONDS + JUDGE_SECONDS + 60  # to start and end the lab


class Trials:
    """Runs trials, from as many threads as there are; :meth:`stop` ends them all."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def rows(self, world: str, results: Path, *words: str) -> list[Row]:
        """One trial (``python -m blockwatch.lab.trial``, with these further words) and what it found.

        LabError where it failed, was stopped or took too long.
        """
        argv = [sys.executable, "-m", "blockwatch.lab.trial", world, str(results), *words]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
            self._running.add(process)
            try:
                if self._stopped:
                    process.terminate()
                out, errors = process.communicate(timeout=_SECONDS)
            except subprocess.TimeoutExpired:
                raise LabError(f"{world}: not done after {_SECONDS} s") from None
            finally:
                self._running.discard(process)
                process.terminate()
        if process.returncode != 0:
            raise LabError(f"{' '.join((world, *words))}: {errors[-2_000:]}")
        return [Row(**row) for row in json.loads(out)]

    def stop(self) -> None:
        """End what runs, and what is begun after this."""
        self._stopped = True
        for process in tuple(self._running):
            process.terminate()
