"""The agreement on disk, and where state is kept."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from blockwatch.cli.agreement import agreed
from blockwatch.errors import ConfigError, ConsentError
from blockwatch.host import consent
from blockwatch.host.last_run import LastRun, recall, remember
from blockwatch.host.place import state_folder, write_state
from tests.cli.command import blockwatch

DAY = 86_400_000_000
NOW = 1_795_316_700_000_000


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for state of this test's own."""
    monkeypatch.setenv("BLOCKWATCH_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_an_agreement_holds_for_thirty_days(state: Path) -> None:
    assert consent.given(NOW) is None
    consent.keep(NOW)
    assert stat.S_IMODE((state / "consent.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert consent.given(NOW + 29 * DAY) is not None
    assert consent.given(NOW + 30 * DAY) is None
    assert consent.given(NOW - 2 * DAY) is None  # given in the future: a clock that was wrong
    assert consent.withdraw()
    assert not consent.withdraw()
    assert consent.given(NOW) is None


def test_a_changed_text_or_an_unreadable_record_is_no_agreement() -> None:
    write_state("consent.json", msgspec.json.encode(consent.Consent(version="older", agreed=NOW)))
    assert consent.given(NOW) is None
    for broken in (b"", b"\xff", b"[]", b'{"version": 1}'):
        write_state("consent.json", broken)
        assert consent.given(NOW) is None


def test_the_text_is_short_and_says_its_version() -> None:
    assert consent.VERSION in consent.TEXT
    assert len(consent.TEXT.splitlines()) <= 24
    assert all(len(line) <= 80 for line in consent.TEXT.splitlines())


def test_yes_agrees_for_one_run_and_stores_nothing(state: Path) -> None:
    assert agreed(yes=True, tier=1) == consent.VERSION
    assert not state.exists()
    with pytest.raises(ConsentError):
        agreed(yes=True, tier=2)


def test_an_agreement_given_before_serves_an_unattended_run(tmp_path: Path) -> None:
    assert blockwatch("consent", cwd=tmp_path).returncode == 8
    assert blockwatch("consent", "--yes", cwd=tmp_path).returncode == 0
    assert "Agreed on" in blockwatch("consent", cwd=tmp_path).stdout
    assert blockwatch("consent", "--withdraw", cwd=tmp_path).stdout == "withdrawn\n"
    assert blockwatch("consent", cwd=tmp_path).returncode == 8


def test_where_state_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BLOCKWATCH_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_folder() == tmp_path / "xdg" / "blockwatch"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder() == tmp_path / ".local" / "state" / "blockwatch"
    monkeypatch.delenv("HOME")
    assert state_folder().is_absolute()


def test_a_place_that_cannot_be_written_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BLOCKWATCH_STATE", str(tmp_path / "file" / "below"))
    with pytest.raises(ConfigError) as error:
        consent.keep(NOW)
    assert "BLOCKWATCH_STATE=" in error.value.remedy


def test_the_last_run_is_remembered() -> None:
    assert recall() is None
    last = LastRun(
        run="r", folder="/f", started=1, ended=2, reason="done", exit_code=0, planned=3, measured=3
    )
    remember(last)
    assert recall() == last
    write_state("last_run.json", b"torn")
    assert recall() is None
