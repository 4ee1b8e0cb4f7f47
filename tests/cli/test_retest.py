"""What a run that was handed over may decide of what is measured again here, and what not."""

from __future__ import annotations

from pathlib import Path

import pytest

from blockwatch.cli.retest import _is_mine
from blockwatch.evidence.covered import read_covered
from blockwatch.host.keys import first_key
from blockwatch.target import Target
from tests.cli.command import blockwatch, kept_run, no_traceback
from tests.evidence.assets.world import OURS, THEIRS, unseal, write_run


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that holds our key."""
    monkeypatch.setenv("BLOCKWATCH_STATE", str(tmp_path / "state"))
    first_key(OURS.secret)
    return tmp_path / "state"


def test_mine_is_what_a_key_held_here_sealed(tmp_path: Path, state: Path) -> None:
    mine = write_run(tmp_path / "mine", signer=OURS)
    assert _is_mine(read_covered(mine))
    assert not _is_mine(read_covered(write_run(tmp_path / "theirs", signer=THEIRS)))
    assert not _is_mine(read_covered(write_run(tmp_path / "unsigned", signer=None)))
    unseal(mine)  # as whoever knows the name of my key can write it
    assert not _is_mine(read_covered(mine))


def test_another_ones_run_is_measured_again_only_if_that_is_said(tmp_path: Path, state: Path) -> None:
    targets = (Target(id="site", url="http://example.org/"), Target(id="left", url="https://left.example/"))
    mine = kept_run(tmp_path / "mine", signer=OURS, targets=targets)
    theirs = kept_run(tmp_path / "theirs", signer=THEIRS, targets=targets)
    done = blockwatch("retest", "--from", theirs, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "not sealed by a key held here" in done.stderr
    assert "its 2 addresses would be visited from your line: http://example.org/, https://left" in done.stderr
    for words in (["--from", theirs, "--not-mine"], ["--from", mine]):
        done = blockwatch("retest", *words, cwd=tmp_path)
        assert done.returncode == 8, done.stderr  # nobody has agreed to a run yet
        no_traceback(done)
