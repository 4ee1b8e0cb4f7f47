"""Whether pages can be drawn here; tests that need it skip with the reason, never on the build machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from blockwatch.picture import cell
from blockwatch.picture.browser import PROGRAMS

ON_BUILD_MACHINE = os.environ.get("CI") == "true"


def in_cell(*program: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a cell; its files 3 and 4 are its standard output."""
    argv = [sys.executable, "-I", "-S", cell.__file__, "1", "1", "--", *program]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


@cache
def _no_cell() -> str:
    done = in_cell("/bin/true")
    return f"no namespaces here: {done.stderr.strip()}" if done.returncode == cell.REFUSED else ""


def _no_browser() -> str:
    found = any(shutil.which(name) for name in PROGRAMS)
    return "" if found else f"not installed: {' or '.join(PROGRAMS)} (Debian: apt install chromium)"


needs_cell = pytest.mark.skipif(not ON_BUILD_MACHINE and bool(_no_cell()), reason=_no_cell())
needs_browser = pytest.mark.skipif(
    not ON_BUILD_MACHINE and bool(_no_browser() or _no_cell()), reason=_no_browser() or _no_cell()
)
