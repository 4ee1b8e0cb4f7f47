"""``python -m tools.fuzz.guided READER FOLDER WORK SECONDS SEED``: atheris, that is libFuzzer for Python.

Rules of this file:

* libFuzzer keeps what reaches a new branch of the code, and looks into comparisons;
* it is started by ``tools.fuzz``, a process of its own for each reader, as libFuzzer ends the process;
* our package and the protocol libraries beneath are instrumented while they are imported, so they are
  imported here and nowhere above;
* FOLDER/corpus holds the inputs, FOLDER/guided.json the figures, both written as it goes.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from typing import Any

PACKAGES = ["blockwatch", "h11", "h2", "hpack", "hyperframe", "dns"]
_TELL_S = 1.0  # between two times of writing the figures


class Watch:
    """Runs one input after the other and keeps the figures."""

    def __init__(self, target: Any, folder: Path) -> None:
        self._target, self._folder = target, folder
        self._crashes: set[str] = set()
        self._runs, self._slowest, self._told = 0, 0.0, 0.0
        self._began = time.monotonic()

    def one(self, inner: bytes) -> None:
        """For libFuzzer: it never sees an exception, so it goes on after a crash."""
        from tools.fuzz import bounds, keep

        outcome = bounds.run(self._target, inner)
        self._runs += 1
        self._slowest = max(self._slowest, outcome.seconds)
        if outcome.crash and outcome.crash not in self._crashes:
            self._crashes.add(outcome.crash)
            keep.crash(self._folder, outcome.crash, self._target.close_up(inner))
        now = time.monotonic()
        if now - self._told > _TELL_S:
            self._told = now
            figures = {
                "runs": self._runs, "seconds": now - self._began, "slowest": self._slowest,
                "peak": bounds.peak(), "crashes": sorted(self._crashes),
            }  # fmt: skip
            (self._folder / "guided.json").write_text(json.dumps(figures))


def main(name: str, folder: Path, work: Path, seconds: int, seed: int) -> None:
    """Fuzz one reader; does not return."""
    import atheris

    with atheris.instrument_imports(include=PACKAGES):
        from tools.fuzz import bounds, tree
        from tools.fuzz.damage import WORDS
        from tools.fuzz.readers import READERS

        target = READERS[name](work)
    longest = max(len(target.open_up(raw)) for raw in target.corpus)
    words = ("".join(f"\\x{byte:02x}" for byte in word) for word in WORDS if word)
    (folder / "words").write_text("".join(f'"{word}"\n' for word in words))
    bounds.limit_memory()
    options = {
        "max_total_time": seconds, "seed": seed, "dict": folder / "words",
        "handle_alrm": 0, "rss_limit_mb": 0,  # the bounds are ours
        "max_len": min(target.most_bytes, max(4_096, 2 * longest)), "artifact_prefix": f"{folder}/",
    }  # fmt: skip
    arguments = [*(f"-{key}={value}" for key, value in options.items()), str(folder / "corpus")]

    def mutate(raw: bytes, most: int, number: int) -> bytes:
        chance = random.Random(number)  # noqa: S311
        found = tree.changed(chance, raw, most) if chance.randrange(2) else None
        return found if found is not None else atheris.Mutate(raw, most)

    more = {"custom_mutator": mutate} if target.is_json else {}
    atheris.Setup([sys.argv[0], *arguments], Watch(target, folder).one, **more)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
