"""Other people's programs that tests hold ours against; without one its tests skip, never in CI."""

from __future__ import annotations

import os
import shutil

import pytest


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where one of these is not installed, but never on the build machine."""
    missing = [program for program in programs if shutil.which(program) is None]
    wanted = os.environ.get("CI") != "true"
    return pytest.mark.skipif(wanted and bool(missing), reason=f"not installed: {', '.join(missing)}")
