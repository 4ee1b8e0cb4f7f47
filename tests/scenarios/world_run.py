"""Run the real program once over all scenarios of one world, and hold its verdicts against the truth.

``python -m tests.scenarios.world_run WORLD RESULTS`` prints a JSON list, one object a target.
"""

from __future__ import annotations

import json
import sys

from blockwatch.lab import truth
from blockwatch.lab.build import build_world
from blockwatch.lab.running import start
from blockwatch.lab.scenarios import SCENARIOS

BLOCKWATCH = (sys.executable, "-m", "blockwatch")


def main(world: str, results: str) -> None:
    """Measure ``world`` into ``results``, judge, compare, print."""
    rows = [scenario for scenario in SCENARIOS if scenario.world == world]
    with start(build_world(rows, name=world)) as lab:
        options = [*lab.run_options(), "--results", results, "--quiet"]
        ran = lab.run([*BLOCKWATCH, "run", *options], timeout=400)
        if ran.returncode not in (0, 3, 4):
            sys.exit(f"blockwatch run ended with {ran.returncode}: {ran.stderr}")
        judged = lab.run([*BLOCKWATCH, "judge", "--json", results], timeout=100)
        if judged.returncode != 0:
            sys.exit(f"blockwatch judge ended with {judged.returncode}: {judged.stderr}")
        if faults := lab.faults():
            sys.exit(f"the lab's servers erred: {faults}")
    checked = truth.check(lab.truths, [json.loads(line) for line in judged.stdout.splitlines()])
    rows_out = [
        {
            "scenario": one.truth.scenario,
            "right": one.right,
            "words": f"{one.truth.url}: truth {truth.words(one.truth)}; verdict {one.verdict}",
        }
        for one in checked
    ]
    print(json.dumps(rows_out))


if __name__ == "__main__":
    main(*sys.argv[1:])
