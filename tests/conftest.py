"""What holds for all tests: none touches the keys, notes and agreement of whoever runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import begun


def pytest_configure(config: pytest.Config) -> None:
    """Have long programs begun before the tests that want them."""
    config.pluginmanager.register(begun)


@pytest.fixture(scope="session", autouse=True)
def place_for_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for state of the tests' own, unless a test names another; looked after at the end."""
    from blockwatch.host.place import state_folder

    real = state_folder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLOCKWATCH_STATE", str(tmp_path_factory.mktemp("state")))
        yield
    ours = str(tmp_path_factory.getbasetemp())
    for name in ("last_run.json", "results_folders"):
        assert ours not in _text(real / name), f"a test wrote into {real}: give its program BLOCKWATCH_STATE"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
