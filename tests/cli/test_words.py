"""What is printed: harmless, in one form, and never a traceback."""

from __future__ import annotations

import time

import pytest

from blockwatch.cli.main import _explained
from blockwatch.cli.measure import _EXIT_OF_REASON, _exit_code
from blockwatch.cli.progress import words
from blockwatch.cli.words import duration, harmless, iso, moment, moment_here, said, size
from blockwatch.errors import ConfigError, DiskError, Exit
from blockwatch.model import Measurement
from blockwatch.run import RunClose
from blockwatch.runner.parts import Progress
from blockwatch.verdict import Grade, State, Verdict


def test_text_of_strangers_is_harmless() -> None:
    assert harmless("a\x1b[31mb\nc\u202ed") == "a\\x1b[31mb\\nc\\u202ed"
    assert harmless("x" * 500, 10) == "xxxxxxxxx…"
    assert harmless("Новости") == "Новости"


@pytest.mark.parametrize(
    ("zone", "told"), [("Asia/Almaty", " (2026-11-22 08:05:00 +0500 here)"), ("UTC", "")]
)
def test_the_reader_s_own_time_stands_beside_utc(
    monkeypatch: pytest.MonkeyPatch, zone: str, told: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert moment_here(1_795_316_700_000_001) == f"2026-11-22 03:05:00 UTC{told}"
        assert moment_here(2**62) == moment(2**62)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_times_sizes_and_lengths() -> None:
    assert iso(1_795_316_700_000_001) == "2026-11-22T03:05:00.000001Z"
    assert moment(1_795_316_700_000_001) == "2026-11-22 03:05:00 UTC"
    assert iso(2**62).startswith("9999")
    assert (duration(1_500), duration(2_500_000), duration(180_000_000)) == ("2 ms", "2.5 s", "3 min")
    assert (size(12), size(1_200), size(1_250_000)) == ("12 B", "1 kB", "1.2 MB")


@pytest.mark.parametrize("state", State)
def test_every_state_has_words(state: State) -> None:
    verdict = Verdict(id="r-1", target="t", url="u", probe="web", asn=None, started=0, state=state)
    assert said(verdict)


def test_blocking_is_said_as_surely_as_it_is_known() -> None:
    said_of = {
        grade: said(
            Verdict(
                id="r-1",
                target="t",
                url="u",
                probe="web",
                asn=None,
                started=0,
                state=State.BLOCKED,
                grade=grade,
            )
        )
        for grade in Grade
    }
    assert said_of == {
        Grade.SIGNS: "signs of blocking",
        Grade.STRONG: "strong evidence of blocking",
        Grade.CONFIRMED: "blocking confirmed",
    }


def test_a_fault_of_ours_is_one_line_and_how_to_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert _explained(ValueError("two\nlines")) == Exit.FAULT
    shown = capsys.readouterr().err
    assert "a fault of ours: ValueError: two lines" in shown
    assert "BLOCKWATCH_DEBUG=1" in shown
    assert "Traceback" not in shown


def test_the_traceback_is_there_when_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKWATCH_DEBUG", "1")
    assert _explained(ValueError("x")) == Exit.FAULT
    assert "ValueError: x" in capsys.readouterr().err


def test_an_error_in_a_group_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    group = ExceptionGroup(
        "nursery", [ExceptionGroup("inner", [DiskError("the disk is full", remedy="Make room.")])]
    )
    assert _explained(group) == Exit.DISK
    assert capsys.readouterr().err == "blockwatch: the disk is full\n  Make room.\n"
    mixed = ExceptionGroup("nursery", [ConfigError("x"), KeyError("y")])
    assert _explained(mixed) == Exit.FAULT
    assert _explained(BaseExceptionGroup("stopped", [KeyboardInterrupt()])) == Exit.PARTIAL


@pytest.mark.parametrize("reason", _EXIT_OF_REASON)
def test_every_end_of_a_run_has_its_exit_code(reason: str) -> None:
    close = RunClose(ended=2, us=1, reason=reason, planned=5, measured=5)
    expected = {"done": 0, "line": 4, "disk": 5, "fault": 1}.get(reason, 3)
    assert _exit_code(close) == expected


def test_a_run_that_measured_less_than_planned_is_partial() -> None:
    assert _exit_code(RunClose(ended=2, us=1, reason="done", planned=5, measured=4)) == Exit.PARTIAL


def test_progress_says_counts_rate_and_time_left() -> None:
    last = Measurement(id="r-1", seq=1, target="t", url="u", probe="web", probe_version="1", started=0, us=0)
    progress = Progress(done=20, planned=50, bytes=1_500_000, last=last)
    assert words(progress, 10.0) == "20 of 50 measured, 2.0 a second, 1.5 MB, about 15.0 s left"
    assert "left" not in words(Progress(done=50, planned=50, bytes=1, last=last), 10.0)
