"""An authority for all tests here: making one takes a second."""

from __future__ import annotations

import pytest

from tests.exchange.authority import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "one")
