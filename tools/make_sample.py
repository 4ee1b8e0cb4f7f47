"""Make ``results/sample/``: one small run in the lab, as a first look at what a run folder holds.

    python tools/make_sample.py

Its sites, addresses and blocks are simulated; a run that was there before is replaced.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from blockwatch.lab.build import build_world
from blockwatch.lab.running import start
from blockwatch.lab.scenarios import SCENARIOS

SAMPLE = Path(__file__).parents[1] / "results" / "sample"
CLEAN = ("o40", "o41")
BLOCKED = ("o11", "tm-dns-https", "kz-sni-drop", "kg-elcat", "kz-mitm-isca")
NEITHER = ("geo-451", "down-refused")


def main() -> None:
    """Measure the situations named above and put the run where the last sample was."""
    rows = [scenario for scenario in SCENARIOS if scenario.id in CLEAN + BLOCKED + NEITHER]
    with tempfile.TemporaryDirectory() as folder, start(build_world(rows, name="sample")) as lab:
        argv = [sys.executable, "-m", "blockwatch", "run", *lab.run_options()]
        done = lab.run([*argv, "--results", folder, "--label", "sample", "--quiet"], timeout=300)
        if done.returncode:
            sys.exit(done.stderr)
        (run,) = (path for path in Path(folder).iterdir() if path.is_dir())
        shutil.rmtree(SAMPLE, ignore_errors=True)
        SAMPLE.mkdir()
        shutil.copytree(run, SAMPLE / run.name)
    subprocess.run([sys.executable, "-m", "blockwatch", "judge", str(SAMPLE)], check=True)


if __name__ == "__main__":
    main()
