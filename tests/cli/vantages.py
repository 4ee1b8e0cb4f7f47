"""``python -m tests.cli.vantages FOLDER``: one simulated internet measured from three places, as JSON.

The folder of each run: ``here``, behind the censor; ``abroad``, from Sweden, where nobody censors and a
test helper can be reached; ``censored``, from Sweden behind the same censor.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from blockwatch.lab.build import build_world
from blockwatch.lab.running import start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.world import SWEDEN, World
from blockwatch.store import find_runs
from tests.cli.command import BLOCKWATCH, lab_environment

ROWS = ("o40", "o41", "ca-ip-rst", "down-refused", "o46", "ca-page-utf8")
HERE = build_world(
    [replace(row, world="no-helper") for row in SCENARIOS if row.id in ROWS],
    name="both",
)
VANTAGES = {
    "here": HERE,
    "abroad": replace(HERE, rules=(), mitm=(), probe=SWEDEN, helper=True),
    "censored": replace(HERE, probe=SWEDEN),
}


def measured(world: World, place: Path) -> str:
    """Run the program in a world; the run's folder."""
    results = place / "results"
    with start(world) as lab:
        options = [*lab.run_options(), "--results", str(results), "--quiet"]
        done = lab.run([*BLOCKWATCH, "run", *options], env=lab_environment(place), timeout=200)
        assert done.returncode in (0, 3), done.stderr
    (folder,) = find_runs([results])
    return str(folder)


if __name__ == "__main__":
    print(json.dumps({name: measured(world, Path(sys.argv[1], name)) for name, world in VANTAGES.items()}))
