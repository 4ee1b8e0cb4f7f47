"""What holds for all tests: none touches the keys, notes and agreement of whoever runs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def place_for_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for state of the tests' own, unless a test names another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLOCKWATCH_STATE", str(tmp_path_factory.mktemp("state")))
        yield
