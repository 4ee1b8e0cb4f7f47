"""``python -m tools.fuzz [--seconds N | --executions N] [--guided FOLDER] [--keep FOLDER] [READER...]``

Damages good input at random, keeps what reaches new lines of the reader, and goes on from there. With
``--guided`` (where atheris is installed) libFuzzer does nine tenths of the work, steered by branches.

Each reader has a process of its own. For each it is said with how many good inputs it began and how many
more were kept, how often it was run, which part of the lines of its modules was reached (what these modules
write counts too, and is not reached), the slowest input and the peak of memory. An error that is not one
for people, more than 10 s of processor time, or 256 MB of memory for one input is a crash: the input is
written to the folder, the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from tools.fuzz import bounds, keep, tree
from tools.fuzz.damage import damaged, stretched
from tools.fuzz.lines import Lines
from tools.fuzz.readers import READERS
from tools.fuzz.target import Target

_STRETCH = 32  # one in so many inputs is a long one
_MOST_CRASHES = 5
_GRACE_S = 120  # to import everything with libFuzzer's eyes in it, on a busy machine


class Figures(NamedTuple):
    """What came of fuzzing one reader."""

    reader: str
    began: int  # good inputs
    kept: int
    runs: int
    seconds: float
    reached: int
    lines: int
    slowest: float
    peak: int
    crashes: list[str]

    def __str__(self) -> str:
        return (
            f"{self.reader}: {self.began} inputs, {self.kept} kept; {self.runs} runs in {self.seconds:.0f} s "
            f"({self.runs / max(self.seconds, 0.001):.0f}/s), slowest {self.slowest * 1_000:.0f} ms; "
            f"{self.reached} of {self.lines} lines ({100 * self.reached / self.lines:.0f} %); "
            f"peak {self.peak >> 20} MB; {len(self.crashes)} crashes"
        )


def fuzz(name: str, target: Target, folder: Path, *, seconds: float, executions: int, seed: int) -> Figures:
    """Run what is kept already, then damage it until time or executions are used up."""
    chance = random.Random(f"{seed} {name}")  # noqa: S311, to be had again is what it is for
    lines = Lines(target.modules)
    good = [target.open_up(raw) for raw in target.corpus]
    corpus = [*good, *(raw for raw in keep.corpus(folder) if raw not in good)]
    kept = len(corpus) - len(good)
    if len(corpus) > executions // 3:
        corpus = chance.sample(corpus, max(1, executions // 3))
    told = len(corpus)
    done, crashes, slowest, began = 0, [], 0.0, time.monotonic()
    while (done < told) or (done < executions and time.monotonic() - began < seconds):
        before, long = len(lines.reached), done >= told and done % _STRETCH == 0
        inner = corpus[done] if done < told else _next(chance, target, corpus, long)
        if long:  # not watched: being watched takes longer than reading
            outcome = bounds.run(target, inner)
        else:
            with lines.watched():
                outcome = bounds.run(target, inner)
        slowest = max(slowest, outcome.seconds)
        done += 1
        if outcome.crash and outcome.crash not in crashes:
            crashes.append(outcome.crash)
            keep.crash(folder, outcome.crash, target.close_up(inner))
            if len(crashes) >= _MOST_CRASHES:
                break
        elif len(lines.reached) > before and done > told:
            corpus.append(inner)
            keep.add(folder, [inner])
    reached = len(lines.reached & lines.every)
    return Figures(
        name, len(good), kept + len(corpus) - told, done, time.monotonic() - began, reached,
        len(lines.every), slowest, bounds.peak(), crashes,
    )  # fmt: skip


def _next(chance: random.Random, target: Target, corpus: list[bytes], long: bool) -> bytes:
    if target.is_json and not long and chance.randrange(2):
        found = tree.changed(chance, chance.choice(corpus), target.most_bytes)
        if found is not None:
            return found
    return (stretched if long else damaged)(chance, corpus, target.most_bytes)


def _in_a_child(name: str, folder: Path, asked: argparse.Namespace, seconds: float) -> Figures | None:
    """Fuzz in a forked process; None: it died."""
    report = folder / "blind.json"
    report.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        code = 1
        try:
            with tempfile.TemporaryDirectory(prefix="fuzz-", dir=bounds.fast_folder()) as work:
                target = READERS[name](Path(work))
                bounds.limit_memory()
                figures = fuzz(
                    name, target, folder, seconds=seconds, executions=asked.executions, seed=asked.seed
                )
                report.write_text(json.dumps(figures))
            code = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return Figures(*json.loads(report.read_text())) if status == 0 and report.exists() else None


def _guided(name: str, folder: Path, atheris: Path, seconds: float, seed: int) -> dict[str, Any]:
    """Let libFuzzer run; its figures."""
    report = folder / "guided.json"
    report.unlink(missing_ok=True)
    more = [path for path in [os.environ.get("PYTHONPATH")] if path]
    path = os.pathsep.join((str(Path(__file__).parents[2]), str(atheris), *more))
    with (
        (folder / "log").open("wb") as log,
        tempfile.TemporaryDirectory(prefix="fuzz-", dir=bounds.fast_folder()) as work,
    ):
        command = [sys.executable, "-m", "tools.fuzz.guided", name, str(folder), work]
        try:
            code = subprocess.run(
                [*command, str(int(seconds)), str(seed)],
                env={**os.environ, "PYTHONPATH": path}, stderr=log, check=False,
                timeout=2 * seconds + _GRACE_S,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = "no word"
    found: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}
    if code or not found:
        print(f"{name}: libFuzzer ended with {code}; see {folder / 'log'}", flush=True)
        return {"runs": 0, "seconds": 0, "slowest": 0, "peak": 0, **found, "crashes": ["the process died"]}
    return found


def one(name: str, asked: argparse.Namespace) -> bool:
    """Fuzz one reader and say what came of it; whether nothing crashed."""
    folder = keep.folder_of(asked.keep, name)
    folder.mkdir(parents=True, exist_ok=True)
    guided: dict[str, Any] = {}
    if asked.guided:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as work:
            target = READERS[name](Path(work))
            keep.add(folder, [target.open_up(raw) for raw in target.corpus])
        guided = _guided(name, folder, asked.guided, 0.9 * asked.seconds, asked.seed)
    figures = _in_a_child(name, folder, asked, asked.seconds * (0.1 if asked.guided else 1))
    if figures is None:
        print(f"{name}: the process died (seed {asked.seed})", flush=True)
        return False
    if guided:
        figures = figures._replace(
            runs=figures.runs + guided["runs"],
            seconds=figures.seconds + guided["seconds"],
            slowest=max(figures.slowest, guided["slowest"]),
            peak=max(figures.peak, guided["peak"]),
            crashes=sorted({*figures.crashes, *guided["crashes"]}),
        )
    print(figures, flush=True)
    with (asked.keep / "figures.jsonl").open("a") as file:
        file.write(json.dumps(figures._asdict()) + "\n")
    return not figures.crashes


def main() -> int:
    """Parse the arguments and fuzz."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("readers", nargs="*", help="all, where none is named")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each reader")
    parser.add_argument("--executions", type=int, default=1 << 60, help="of each reader, without --guided")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="folder of corpus and crashes")
    parser.add_argument("--guided", type=Path, metavar="FOLDER", help="where atheris is installed")
    asked = parser.parse_args()
    known = list(READERS)
    if unknown := set(asked.readers) - set(known):
        parser.error(f"no reader {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    print(f"seed {asked.seed}", flush=True)
    asked.keep.mkdir(parents=True, exist_ok=True)
    bad = [name for name in asked.readers or known if not one(name, asked)]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
