"""Run the real program once over a world, and hold its verdicts against the truth.

``python -m blockwatch.lab.trial WORLD RESULTS [--seed N] [--clean-copies N] [CONDITION=NUMBER]...`` prints
a JSON list, one :class:`Row` a target. CONDITION is a field of :class:`~blockwatch.lab.world.World`
(``loss=0.03``, ``jitter_ms=15``, ``helper=0``).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from blockwatch.errors import LabError
from blockwatch.lab import truth
from blockwatch.lab.build import build_world
from blockwatch.lab.running import start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.volunteer import agree
from blockwatch.lab.world import Scenario, World

BLOCKWATCH = (sys.executable, "-m", "blockwatch")
RUN_SECONDS, JUDGE_SECONDS = 500, 100
CLEAN = "clean"  # in place of a world's name: copies of the clean rows alone


@dataclass(frozen=True, kw_only=True)
class Row:
    """One target: what is true, what was said."""

    scenario: str
    family: str
    truth: str  # the exact truth: a state, or a mechanism where blocked
    decided: bool  # the truth does not allow `inconclusive`
    may_be_blocked: bool
    right: bool
    state: str | None  # null: no verdict
    grade: str | None
    mechanism: str | None
    words: str  # for people: URL, truth, verdict


def rows_of(world: str, *, clean_copies: int = 1) -> tuple[Scenario, ...]:
    """The rows of one world; of ``CLEAN`` so many copies of every quick clean row."""
    if world != CLEAN:
        return tuple(row for row in SCENARIOS if row.world == world)
    plain = [
        row
        for row in SCENARIOS
        if row.family == "clean" and row.world == "main" and not any(target.slow for target in row.targets)
    ]
    return tuple(replace(row, id=f"{row.id}-{i}") for i in range(clean_copies) for row in plain)


def measured(world: World, families: dict[str, str], results: Path, options: Sequence[str] = ()) -> list[Row]:
    """Measure ``world`` into ``results`` and judge. LabError where the program or the lab itself failed."""
    with start(world) as lab:
        argv = [*BLOCKWATCH, "run", *lab.run_options(), "--results", str(results), "--quiet", *options]
        agreed = agree(world.tier, lab.folder / "state") if world.tier > 1 else None
        ran = lab.run(argv, env=agreed, timeout=RUN_SECONDS)
        if ran.returncode not in (0, 3, 4):
            raise LabError(f"blockwatch run ended with {ran.returncode}: {ran.stderr}")
        judged = lab.run([*BLOCKWATCH, "judge", "--json", str(results)], timeout=JUDGE_SECONDS)
        if judged.returncode != 0:
            raise LabError(f"blockwatch judge ended with {judged.returncode}: {judged.stderr}")
        if faults := lab.faults():
            raise LabError(f"the lab's servers erred: {faults}")
    checked = truth.check(world.truths, [json.loads(line) for line in judged.stdout.splitlines()])
    return [_row(one, families[one.truth.scenario]) for one in checked]


def _row(one: truth.Checked, family: str) -> Row:
    first = one.truth.truth[0]
    states = {allowed.state for allowed in one.truth.truth}
    said = one.verdict or {"state": None, "grade": None, "mechanism": None}
    return Row(
        scenario=one.truth.scenario,
        family=family,
        truth=(first.mechanisms[0] if first.mechanisms else "blocked")
        if first.state == "blocked"
        else first.state,
        decided="inconclusive" not in states,
        may_be_blocked="blocked" in states,
        right=one.right,
        state=said["state"],
        grade=said["grade"],
        mechanism=said["mechanism"],
        words=f"{one.truth.url}: truth {truth.words(one.truth)}; verdict {one.verdict}",
    )


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world")
    parser.add_argument("results", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clean-copies", type=int, default=1)
    parser.add_argument("conditions", nargs="*", metavar="CONDITION=NUMBER")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the lab is ended, and its files go
    conditions = {name: float(value) for name, value in (text.split("=") for text in options.conditions)}
    rows = rows_of(options.world, clean_copies=options.clean_copies)
    world = build_world(rows, name=options.world, seed=options.seed, **conditions)
    found = measured(world, {row.id: row.family for row in rows}, options.results)
    print(json.dumps([asdict(row) for row in found]))


if __name__ == "__main__":
    main()
