"""Some runs of the fuzzer for each reader; more of it is done by hand: ``make fuzz``."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def fuzz(folder: Path, *arguments: str, program: str = "tools.fuzz") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", program, "--keep", str(folder), *arguments],
        cwd=folder, capture_output=True, text=True, timeout=600,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


def test_no_reader_crashes(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)  # another one each time; it stands first in what is printed
    done = fuzz(tmp_path, "--executions", "150", "--seconds", "30", "--seed", str(seed))
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"^(.+): \d+ inputs, .* (\d+) of (\d+) lines .* 0 crashes$", done.stdout, re.M)
    assert len(told) >= 40, done.stdout
    assert all(int(reached) > 4 for _, reached, _ in told)
    assert not list(tmp_path.glob("*/crash-*"))


FAULTY = """
import sys
from tools.fuzz import __main__ as main
from tools.fuzz.target import Target

kept = []

def read(raw):
    {fault}

main.READERS.clear()
main.READERS["faulty"] = lambda work: Target([b"good"], read, ("tools.fuzz.damage",))
sys.exit(main.main())
"""


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("1 // (raw == b'good')", "ZeroDivisionError at faulty.py"),
        ("kept.append(b'x' * (300 << 20) if raw != b'good' else b'')", "MB of memory"),
        ("bytearray(4 << 30)", "MemoryError"),
        ("__import__('os').abort()", "the process died"),
    ],
)
def test_a_faulty_reader_is_found(tmp_path: Path, fault: str, said: str) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY.format(fault=fault))
    done = fuzz(tmp_path, "--executions", "20", program="faulty")
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stdout
