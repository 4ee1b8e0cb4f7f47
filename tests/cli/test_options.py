"""Options that do not fit together, or would change nothing, are refused in words. No packet is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import blockwatch, kept_run, no_traceback

SECRET = "socks5://me:geheim@proxy.example.net:1080"
PROBE = (
    '"""Is it there?"""\nNAME, VERSION, TIER = "mine", "1", 1\nasync def measure(target, net):\n    pass\n'
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("options")
    kept_run(folder / "results")
    (folder / "targets.yaml").write_text("targets:\n  - {id: site, url: 'https://example.org/'}\n")
    (folder / "empty").mkdir()
    (folder / "own").mkdir()
    (folder / "own" / "mine.py").write_text(PROBE)
    (folder / "proxy").write_text(SECRET + "\n")
    (folder / "wrong").write_text("geheim\n")
    (folder / "torn").write_text("socks5://me:geheim\n")
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["judge", "results", "--control-window", "3"], 2, "--control-window is about control runs"),
        (["summarise", "results", "--control-window", "3"], 2, "--control-run PATH"),
        (["export", "results", "--format", "csv", "--control-window", "3"], 2, "--control-run PATH"),
        (["export", "results", "--format", "jsonl", "--control-window", "3"], 2, "--control-run PATH"),
        (["export", "results", "--format", "jsonl", "--control-run", "results"], 2, "Leave it out"),
        (["judge", "x.json", "--format", "ooni", "--control-window", "3"], 2, "blockwatch import"),
        (["judge", "x.json", "--format", "ooni", "--explain"], 2, "blockwatch import"),
        (["judge", "results", "--ruleset", "1", "--control-run", "results"], 2, "Leave out --ruleset"),
        (["import", "x.json", "--format", "ooni", "--identity", "key"], 2, "Leave out --identity"),
        (["plan", "--probes", "empty"], 6, "there is no probe in this folder"),
        (["plan", "--probes", "own"], 2, "in this folder: mine"),
        (["plan", "--probes", "own", "--probe", "mine"], 0, "mine: Is it there?"),
        (["plan", "--control", ""], 2, "--control"),
        (["plan", "--campaign", ""], 2, "--campaign"),
        (["plan", "--control", SECRET], 2, "--control @FILE"),
        (["plan", "--control", "@proxy"], 0, "proxy.example.net"),
        (["plan", "--control", "@wrong"], 6, "wrong: this is not the URL of a proxy"),
        (["plan", "--control", "@torn"], 6, "torn: this is not the URL of a proxy"),
        (["plan", "--control", "@none"], 6, "none: there is no file"),
        (["plan", "--control", "@empty"], 6, "empty: there is no file"),
        (["key", "show", "--campaign", ""], 2, "one line of 1 to 200 characters"),
        (["key", "show", "--campaign", "\udcff"], 2, "one line of 1 to 200 characters"),
        (["plan", "--encrypt-to", "\udcff"], 2, "is no age key"),
        (["retest", "--from", "results", "--targets", "targets.yaml"], 2, "--targets"),
        (["retest", "--from", "results"], 2, "there is no run in this folder"),
        (["summarise", "results", "--min-n", "-1"], 2, "--min-n"),
        (["summarise", "results", "--from", "2026-12-01", "--to", "2026-11-01"], 2, "the earlier one"),
        (["summarise", "empty"], 2, "there is no run here"),
        (["export", "empty", "--format", "csv"], 2, "there is no run here"),
        (["export", "empty", "--format", "jsonl"], 2, "there is no run here"),
        (["export", "results", "--format", "csv", "-o", "none/x"], 5, "in a folder that is there"),
        (["demo", "--results", "targets.yaml/x"], 5, "targets.yaml/x"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_fit_is_refused(arguments: list[str], code: int, words: str, here: Path) -> None:
    done = blockwatch(*arguments, cwd=here)
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr
    assert "geheim" not in done.stdout + done.stderr
    assert no_traceback(done)


def test_a_place_for_state_is_absolute(here: Path) -> None:
    done = blockwatch("consent", cwd=here, env={"BLOCKWATCH_STATE": "state"})
    assert done.returncode == 6
    assert "BLOCKWATCH_STATE is no absolute path" in done.stderr
