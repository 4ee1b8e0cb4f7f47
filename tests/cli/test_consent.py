"""The agreement on disk, and where state is kept."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest

from blockwatch.cli.agreement import agreed, now_us
from blockwatch.errors import ConfigError, ConsentError
from blockwatch.host import consent
from blockwatch.host.last_run import LastRun, recall, remember
from blockwatch.host.place import state_folder, write_state
from blockwatch.lab.volunteer import on_terminal
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


@pytest.mark.parametrize("tier", consent.TIERS)
def test_the_texts_are_short_and_say_their_version(tier: int) -> None:
    lines = consent.TEXTS[tier].splitlines()
    assert consent.VERSIONS[tier] in consent.TEXTS[tier]
    assert len(lines) <= 24
    assert all(len(line) <= 80 for line in lines)


def test_each_tier_has_an_agreement_of_its_own(state: Path) -> None:
    consent.keep(NOW, 1)
    assert consent.given(NOW, 2) is None
    write_state("consent-tier2.json", (state / "consent.json").read_bytes())  # the wrong text
    assert consent.given(NOW, 2) is None
    consent.keep(NOW, 2)
    assert consent.given(NOW, 2) == consent.Consent(version=consent.VERSION_2, agreed=NOW, tier=2)
    assert consent.given(NOW + 30 * DAY, 2) is None
    assert consent.withdraw(2)
    assert consent.given(NOW, 1) is not None
    consent.keep(NOW, 2)
    assert consent.withdraw()  # who withdraws the first tier withdraws what rests on it
    assert consent.given(NOW, 2) is None


def test_a_run_of_tier_2_needs_both_agreements() -> None:
    consent.keep(now_us(), 2)
    with pytest.raises(ConsentError) as error:
        agreed(yes=False, tier=2)
    assert "--yes" in error.value.remedy
    assert agreed(yes=True, tier=2) == f"{consent.VERSION}, {consent.VERSION_2}"
    assert agreed(yes=True, tier=1) == consent.VERSION


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 8), ("\n", 8)])
def test_only_a_person_on_a_terminal_agrees_to_tier_2(typed: str, code: int, state: Path) -> None:
    shown, ended = on_terminal(["consent", "--tier", "2"], os.environ, typed=typed)
    assert "queries that no ordinary program sends" in shown
    assert ended == code
    assert (consent.given(now_us(), 2) is not None) is (code == 0)
    assert consent.given(now_us(), 1) is None


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
    last = LastRun(started=1, ended=2, reason="done", exit_code=0, planned=3, measured=3)
    remember(last)
    assert recall() == last
    write_state("last_run.json", b"torn")
    assert recall() is None
