"""``blockwatch run`` as it is, with a clock around whatever makes the seal: what sealing costs of a run.

Rules: only this file is between the program and the user, nothing in the program knows of it; the clock is
the CPU time of the thread that works. Counted are: loading the key (with the library that signs), the tree
over the lines, checkpoints and signatures with their files. What writing the lines costs is not.

    SEALING_REPORT=/path/of/report.json python bench/sealing.py run --targets … (in the lab; see bench.py)
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blockwatch import store
from blockwatch.cli import main, sealing
from blockwatch.evidence.checkpoint import Sealer
from blockwatch.evidence.merkle import Tree


class Clock:
    """CPU nanoseconds of calls, by what they are for; a call within another counts once."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self._inside = False

    def around(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, timed."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._inside:
                return function(*args, **kwargs)
            self._inside, began = True, time.thread_time_ns()
            try:
                return function(*args, **kwargs)
            finally:
                self._inside = False
                self.spent[what] = self.spent.get(what, 0) + time.thread_time_ns() - began

        return timed


def measured() -> None:
    """Run the program; write what was spent."""
    clock = Clock()
    for owner, name, what in (
        (sealing, "signer_of_run", "key"),
        (store, "leaf_hash", "tree"),
        (Tree, "append", "tree"),
        (Tree, "root", "tree"),
        (Sealer, "seal", "seal"),
        (Sealer, "seal_if_due", "seal"),
        (Sealer, "wait_s", "seal"),
    ):
        setattr(owner, name, clock.around(what, getattr(owner, name)))
    try:
        main()
    finally:
        Path(os.environ["SEALING_REPORT"]).write_text(json.dumps(clock.spent), encoding="utf-8")


if __name__ == "__main__":
    measured()
