"""A few hundred runs of the fuzzer for each reader; more of it is done by hand: ``make fuzz``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_reader_crashes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.fuzz", "--executions", "150", "--seconds", "30"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"^(.+): \d+ inputs, .* (\d+) of (\d+) lines .* 0 crashes$", done.stdout, re.M)
    assert len(told) >= 18, done.stdout
    assert all(int(reached) > 5 for _, reached, _ in told)
    assert list(tmp_path.iterdir()) == []
