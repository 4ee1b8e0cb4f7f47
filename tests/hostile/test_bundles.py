"""Bundles made to break their reader: refused in words, in bounded memory, and nothing lands anywhere.

All go through one ``blockwatch import`` in a process of its own, whose peak memory is measured; a second
one in a sandbox that would show anything written outside the results folder.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from blockwatch.evidence.opened import opened_runs
from blockwatch.store import find_runs
from tests.cli.command import BLOCKWATCH
from tests.hostile import bundles

MOST_KB = 200_000
ASIDE = "run-"  # names of those whose archive is in good form
_COUNTED = (
    "import os, subprocess, sys\n"
    "p = subprocess.Popen(sys.argv[1:], stdout=open('said', 'wb'), stderr=subprocess.STDOUT)\n"
    "_, status, usage = os.wait4(p.pid, 0)\n"
    "print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)\n"
)


class Told(NamedTuple):
    words: dict[str, str]
    code: int
    said: str
    peak_kb: int
    here: Path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Every bad file, imported in one go."""
    import pyrage

    bad = tmp_path_factory.mktemp("made") / "bad"
    words = bundles.make(bad)
    here = tmp_path_factory.mktemp("sandbox") / "a" / "b"
    here.mkdir(parents=True)
    (here / "key").write_text(str(pyrage.x25519.Identity.generate()) + "\n")
    command = [*BLOCKWATCH, "import", "--format", "bundle", "--identity", "key", "--results", "results"]
    command += [str(bad / name) for name in words]
    done = subprocess.run(
        [sys.executable, "-c", _COUNTED, *command],
        cwd=here, capture_output=True, text=True, timeout=120, check=True,
        env={"TMPDIR": str(here), "BLOCKWATCH_STATE": os.environ["BLOCKWATCH_STATE"]},
    )  # fmt: skip
    code, peak = map(int, done.stdout.split())
    return Told(words, code, (here / "said").read_text(), peak, here)


def test_the_good_one_is_good(tmp_path: Path) -> None:
    """So that each of the bad ones is refused for its own fault."""
    with opened_runs([bundles.good(tmp_path / "good")]) as runs:
        assert [run.name for run in runs] == ["20261122T042000Z-0123456789abcdef"]


def test_there_are_enough(told: Told) -> None:
    assert len(told.words) >= 100
    document = Path(__file__).parents[2] / "docs" / "evidence.md"
    assert f"under 200 MB of memory | {len(told.words)} |" in document.read_text("utf-8")


def test_each_is_refused_in_words(told: Told) -> None:
    assert told.code == 9
    wrong = []
    for name, words in told.words.items():
        place = re.escape(f"/bad/{name}: ")
        found = re.search(rf"{place}(.*(?:\n .*)*)", told.said)
        if found is None or not any(part in found[1] for part in words.split("|")):
            wrong.append((name, words, found and found[1]))
    assert wrong == []


def test_nothing_can_steer_a_terminal(told: Told) -> None:
    assert "Traceback" not in told.said
    assert "fault of ours" not in told.said
    assert all(c.isprintable() or c == "\n" for c in told.said)
    assert max(map(len, told.said.splitlines())) < 1_000


def test_memory_is_bounded(told: Told) -> None:
    assert told.peak_kb < MOST_KB


def test_nothing_lands_outside_and_nothing_is_kept(told: Told) -> None:
    sandbox = told.here.parents[1]
    found = {path.relative_to(sandbox).as_posix() for path in sandbox.rglob("*") if not path.is_dir()}
    outside = {path for path in found if not path.startswith("a/b/results/")}
    assert outside == {"a/b/key", "a/b/said"}
    inside = {path.removeprefix("a/b/results/").split("/")[0] for path in found - outside}
    assert inside == {".lock", "aside", "receipts"}
    assert find_runs([told.here / "results"]) == []
    aside = [name for name in told.words if name.startswith(ASIDE)]
    assert len(list((told.here / "results" / "aside").iterdir())) == len(aside)
    assert not any(path.is_symlink() for path in sandbox.rglob("*"))
    assert not Path("/tmp/escaped").exists()


def test_readers_refuse_them_too(told: Told, tmp_path: Path) -> None:
    """A bundle as a path of ``judge``: the same reader, and the private copy is gone."""
    bad = Path(re.findall(r"(/\S+/bad)/traversal: ", told.said)[0])
    for name in ("traversal", "symbolic-link", "bomb-that-says-so", "cut-at-half", "list-run-traversal"):
        done = subprocess.run(
            [*BLOCKWATCH, "judge", str(bad / name)],
            cwd=tmp_path, capture_output=True, text=True, timeout=60,
            env={"TMPDIR": str(tmp_path), "BLOCKWATCH_STATE": os.environ["BLOCKWATCH_STATE"]},
        )  # fmt: skip
        assert done.returncode == 9, done.stderr
        assert "refused as a bundle" in done.stderr
        assert list(tmp_path.iterdir()) == []
