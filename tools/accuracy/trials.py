"""What is measured: every world of the lab under every noise and seed, and many clean sites.

Rules of this file:

* one trial is one ``blockwatch run`` in one world (:mod:`blockwatch.lab.trial`), in a process of its own;
* what a trial found is kept under a name that holds the state of the program, so that a stopped proof
  goes on where it was and never mixes two programs;
* a trial that fails is told, and ends the proof: nothing is counted out.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.trial import CLEAN, Row
from blockwatch.lab.trials import Trials

ROOT = Path(__file__).parents[2]
SEEDS = (1, 2, 3)
CLEAN_COPIES = 40
# What keeps, shows, sends or reads the records of others measures and judges nothing of the lab.
_NEUTRAL = ("analysis", "cli", "evidence", "exchange", "host", "ooni", "picture")


@dataclass(frozen=True)
class Noise:
    """One condition of the network between the probe and everybody else."""

    name: str
    conditions: tuple[str, ...] = ()


NOISES = (
    Noise("no loss"),
    Noise("1 % loss", ("loss=0.01",)),
    Noise("3 % loss", ("loss=0.03",)),
    Noise("5 % loss", ("loss=0.05",)),
    Noise("jitter 40 ms", ("jitter_ms=40",)),
    Noise("3 % loss, jitter 40 ms", ("loss=0.03", "jitter_ms=40")),
)
# Without a helper cleartext pages are inconclusive by rule, so such trials count accusations only.
NO_HELPER = (
    Noise("no helper", ("helper=0",)),
    Noise("no helper, 3 % loss", ("helper=0", "loss=0.03")),
)


@dataclass(frozen=True)
class Trial:
    """One run: a world (or ``CLEAN``) under a noise with a seed."""

    world: str
    noise: Noise
    seed: int

    @property
    def name(self) -> str:
        """Name of the file its rows are kept in."""
        words = "-".join((self.world, str(self.seed), *self.noise.conditions))
        return words.replace("=", "").replace("_", "") + ".json"


def all_trials() -> list[Trial]:
    """Every trial, the longest worlds of a noise first."""
    worlds = sorted({row.world for row in SCENARIOS}, key=lambda world: world != "main")
    found = [Trial(world, noise, seed) for noise in NOISES for seed in SEEDS for world in worlds]
    found += [Trial(CLEAN, noise, seed) for noise in NOISES for seed in SEEDS[:1]]
    return found + [Trial(CLEAN, noise, SEEDS[0]) for noise in NO_HELPER]


def program_state() -> str:
    """Twelve hex digits that change with any file that measures or judges, and as many for the lab."""
    names = [path for folder in ("src", "probes") for path in sorted((ROOT / folder).rglob("*.py"))]
    lab = [path for path in names if _part(path) == "lab"]
    program = [path for path in names if _part(path) not in ("lab", *_NEUTRAL)]
    return f"{_digest(program)}-{_digest(lab)}"


def _part(path: Path) -> str:
    """The folder beneath the package, or the file's name."""
    return path.relative_to(ROOT).parts[2] if path.is_relative_to(ROOT / "src") else path.name


def _digest(paths: list[Path]) -> str:
    state = sha256()
    for path in paths:
        state.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()[:12]


def run_all(trials: list[Trial], kept: Path, *, side_by_side: int) -> Iterator[tuple[Trial, list[Row]]]:
    """Run what is not kept yet, so many at a time, and give the rows of each in order."""
    kept.mkdir(parents=True, exist_ok=True)
    running = Trials()
    with ThreadPoolExecutor(side_by_side) as pool:
        futures = [(trial, pool.submit(_rows, running, trial, kept / trial.name)) for trial in trials]
        try:
            for trial, future in futures:
                yield trial, future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            running.stop()


def _rows(running: Trials, trial: Trial, path: Path) -> list[Row]:
    if not path.exists():
        words = (*trial.noise.conditions, "--seed", str(trial.seed), "--clean-copies", str(CLEAN_COPIES))
        with tempfile.TemporaryDirectory(prefix="accuracy-") as results:
            rows = running.rows(trial.world, Path(results), *words)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps([asdict(row) for row in rows]))
        fresh.rename(path)
        print(f"measured {trial.name}", file=sys.stderr, flush=True)
    return [Row(**row) for row in json.loads(path.read_text())]
