"""What the lab's tests share."""

from __future__ import annotations

import pytest

from blockwatch.lab.ca import LabCA


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> LabCA:
    """An authority with its files in a folder of its own."""
    return LabCA(tmp_path_factory.mktemp("ca"))
