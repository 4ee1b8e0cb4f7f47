"""What is begun beside the tests: no more than is wanted, told when it fails, ended with whoever began it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.begun import ROOT, Begun
from tests.lab_ready import needs_lab

BEGIN = """\
import os, pathlib, sys, time
from tests.begun import Begun
begun = Begun([("blockwatch.lab.trial", "more")], pathlib.Path(sys.argv[1]))
print(*(running.process.pid for running in begun._running.values()), flush=True)
time.sleep(600)
"""


def test_one_that_fails_fails_its_test_with_its_last_words(tmp_path: Path) -> None:
    begun = Begun([("no_such_module", "x")], tmp_path)
    with pytest.raises(pytest.fail.Exception, match=r"(?s)no_such_module x ended with 1: .*No module named"):
        begun.said(("no_such_module", "x"))


@needs_lab
def test_only_what_is_selected_is_begun(tmp_path: Path) -> None:
    asked = ["tests/lab/test_selfcheck.py", "-k", "alone"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", tmp_path / "base", *asked],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert [path.name for path in (tmp_path / "base" / "begun0").glob("*.out")] == ["0.out"]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_whoever_began_it(tmp_path: Path, end: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        begun = os.pidfd_open(int(process.stdout.readline()))
        try:
            process.send_signal(end)
            assert select.select([begun], [], [], 30)[0]
        finally:
            os.close(begun)
            process.kill()
