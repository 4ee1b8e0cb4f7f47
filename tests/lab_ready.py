"""Whether this machine can run the lab; tests that need it skip with the kernel's reason, never in CI.

Only a hindrance of the machine, for which the error names a remedy, is a reason: a lab that does not
start for a fault of ours makes them fail.
"""

from __future__ import annotations

import os
from functools import cache

import pytest

from blockwatch.errors import LabError
from blockwatch.lab.build import build_world
from blockwatch.lab.running import start


@cache
def _hindrance() -> str:
    """What of this machine keeps the lab from starting; empty if nothing does."""
    try:
        with start(build_world((), name="trial")):
            return ""
    except LabError as error:
        return str(error) if error.remedy else ""


needs_lab = pytest.mark.skipif(
    os.environ.get("CI") != "true" and bool(_hindrance()), reason=f"the lab cannot start: {_hindrance()}"
)
