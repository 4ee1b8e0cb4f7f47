"""``python -m tests.hostile.ran FOLDER``: a whole run against servers that misbehave on purpose, as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from blockwatch.lab.build import build_world
from blockwatch.lab.running import start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.store import find_runs
from tests.cli.command import BLOCKWATCH, lab_environment
from tests.hostile.rows import words_rows

# A process inherits the peak of the one that started it, with all that has loaded, so a small one in
# between starts the program and says what that alone has used.
COUNTED = (
    "import resource, subprocess, sys\n"
    "code = subprocess.call(sys.argv[1:])\n"
    "print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n"
    "sys.exit(code)\n"
)


@dataclass(frozen=True)
class Ran:
    """One finished run."""

    folder: str
    code: int
    peak_kb: int
    seconds: float
    said: str
    planned: int


def ran(here: Path) -> Ran:
    """Every hostile row of the lab, and the servers with hostile words, in one run."""
    here.mkdir()
    rows = [row for row in SCENARIOS if row.world == "hostile"] + list(words_rows())
    with start(build_world(rows, name="hostile")) as lab, (here / "said").open("w+b") as said:
        command = [*BLOCKWATCH, "run", *lab.run_options(), "--results", str(here / "results")]
        began = time.monotonic()
        process = lab.popen(
            [sys.executable, "-c", COUNTED, *command],
            env=lab_environment(here),
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        process.wait()
        seconds = time.monotonic() - began
        lab.handle.check()
        (folder,) = find_runs([here / "results"])
        told, _, peak = (here / "said").read_text(encoding="utf-8").rstrip().rpartition("peak ")
        return Ran(str(folder), process.returncode, int(peak), seconds, told, len(lab.truths))


if __name__ == "__main__":
    print(json.dumps(asdict(ran(Path(sys.argv[1])))))
