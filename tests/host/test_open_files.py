"""Fewer targets at a time where a system allows few open files."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = "import sys; from blockwatch.host.open_files import targets_at_a_time as t; print(t(int(sys.argv[1])))"


def allowed(shell_limit: str, wanted: int) -> int:
    command = f'ulimit {shell_limit}; exec {sys.executable} -c "{ASK}" {wanted}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.parametrize(
    ("limit", "wanted", "got"),
    [
        ("-n 256", 50, 8),  # soft and hard: nothing to raise
        ("-Sn 256", 50, 50),  # soft alone: raised
        ("-n 1024", 50, 46),
        ("-n 64", 50, 1),  # never none
        ("-n 1024", 3, 3),
    ],
)
def test_as_many_as_files_allow(limit: str, wanted: int, got: int) -> None:
    assert allowed(limit, wanted) == got
