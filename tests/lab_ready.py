"""Whether this machine can run the lab; tests that need it skip with the kernel's reason, never in CI."""

from __future__ import annotations

import os
from functools import cache

import pytest

from blockwatch.errors import LabError
from blockwatch.lab.build import build_world
from blockwatch.lab.running import start


@cache
def _hindrance() -> str:
    """Why the lab cannot start here; empty if it can."""
    try:
        with start(build_world((), name="trial")):
            return ""
    except LabError as error:
        return str(error)


needs_lab = pytest.mark.skipif(
    os.environ.get("CI") != "true" and bool(_hindrance()), reason=f"the lab cannot start: {_hindrance()}"
)
