"""What tests of evidence share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.assets.world import write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run as it should be, sealed, with captured bytes."""
    return write_run(tmp_path / "results")
