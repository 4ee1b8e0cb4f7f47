"""``blockwatch prove --since``: that a log only grew, shown to who has a seal and no line of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blockwatch.codec import canonical
from blockwatch.errors import EvidenceError
from blockwatch.evidence.growth import check_growth, make_growth
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.report import Level
from blockwatch.evidence.verify import Reader
from blockwatch.evidence.verify_paths import verify_paths
from tests.cli.command import blockwatch, no_traceback
from tests.evidence.assets.world import (
    FIRST,
    OURS,
    SECOND,
    THEIRS,
    in_record,
    log_of,
    put_log,
    seal_over,
    sealed_again,
    write_run,
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "results", count=20)  # sealed after line 3 and after line 22


def test_a_stranger_checks_it_without_the_log(run: Path, tmp_path: Path) -> None:
    seal = run / "checkpoints" / "3"
    done = blockwatch("prove", run, "--since", seal, "-o", "grown.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 of 22 lines were sealed before" in done.stdout
    assert "no line of the log" in done.stderr
    said = json.loads((tmp_path / "grown.json").read_bytes())
    assert said["earlier"] == seal.read_text()
    assert set(said) == {"type", "key", "earlier", "checkpoint", "path"}
    run.rename(tmp_path / "gone")
    done = blockwatch("verify", "grown.json", "--key", str(OURS.key), "--require", "sealed", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "  sealed: nobody without the key has altered it" in done.stdout
    assert "the first 3 of 22 lines are those under the earlier seal: the log only grew" in done.stdout
    done = blockwatch("verify", "grown.json", "--key", str(THEIRS.key), cwd=tmp_path)
    assert (done.returncode, "NOT FROM A KEY YOU NAMED" in done.stdout) == (9, True)
    told = json.loads(blockwatch("verify", "grown.json", "--json", cwd=tmp_path).stdout)
    assert (told["kind"], told["ok"], told["clock"], told["lines"]) == ("growth", True, None, 22)


@pytest.mark.parametrize("first", range(1, 23))
def test_from_every_size(run: Path, tmp_path: Path, first: int) -> None:
    (tmp_path / "seal").write_bytes(seal_over(log_of(run)[:first], OURS))
    grown = check_growth(make_growth(run, tmp_path / "seal"))
    assert (grown.earlier.size, grown.later.size) == (first, 22)
    assert grown.later.root == root_of(map(leaf_hash, log_of(run)))


def other_root(said: dict[str, Any]) -> None:
    said["earlier"] = seal_over([b"x", b"y", b"z"], OURS).decode()


def other_run(said: dict[str, Any]) -> None:
    said["earlier"] = OURS.note(
        said["earlier"].split("\n\n")[0].replace(FIRST, SECOND).encode() + b"\n"
    ).decode()


def swapped(said: dict[str, Any]) -> None:
    said["earlier"], said["checkpoint"] = said["checkpoint"], said["earlier"]


def bit_in_path(said: dict[str, Any]) -> None:
    raw = bytearray(base64.b64decode(said["path"][0]))
    raw[0] ^= 1
    said["path"][0] = base64.b64encode(raw).decode()


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "another log": other_root,
    "another run": other_run,
    "the wrong way round": swapped,
    "a bit in the path": bit_in_path,
    "a shorter path": lambda said: said["path"].pop(),
    "a longer path": lambda said: said["path"].append(said["path"][0]),
    "another key": lambda said: said.update(key=str(THEIRS.key)),
    "a signature of nobody": lambda said: said.update(earlier=said["earlier"][:-12] + "AAAAAAAAAAA\n"),
    "another format": lambda said: said.update(format=2),
    "a path of numbers": lambda said: said.update(path=[1]),
    "no note": lambda said: said.update(checkpoint="x"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_hold_is_found(run: Path, tmp_path: Path, name: str) -> None:
    said = json.loads(make_growth(run, run / "checkpoints" / "3"))
    WRONG[name](said)
    path = tmp_path / "grown.json"
    path.write_bytes(canonical(said))
    (report,) = verify_paths([path], Reader())
    assert [finding.kind for finding in report.findings] == ["damage"]
    assert not report.reaches(Level.SEALED)


def test_a_log_that_was_altered_gives_no_proof(run: Path, tmp_path: Path) -> None:
    """The owner of the key alters a line under the first seal and seals it all again."""
    early = tmp_path / "early"
    early.write_bytes((run / "checkpoints" / "3").read_bytes())
    in_record(2, lambda said: said.update(target="other"))(run)
    sealed_again(run)
    done = blockwatch("prove", run, "--since", early, "-o", "x", cwd=tmp_path)
    assert (done.returncode, "not a seal of the first 3 lines of the log" in done.stderr) == (9, True)
    put_log(run, log_of(run)[:2])
    sealed_again(run)
    with pytest.raises(EvidenceError, match="some were cut off"):
        make_growth(run, early)
    other = write_run(tmp_path / "other", SECOND)
    with pytest.raises(EvidenceError, match="the seal of another run"):
        make_growth(other, early)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("days", "retired"),
    [("", False), ("to=2020-06-30", True), ("to=2999-12-31", False), ("from=2020-01-01", False)],
)
def test_a_retired_key_proves_no_growth(run: Path, tmp_path: Path, days: str, *, retired: bool) -> None:
    """There is no time in such a proof, so whoever has the key could have made it today."""
    path, keys = tmp_path / "grown.json", tmp_path / "keys"
    path.write_bytes(make_growth(run, run / "checkpoints" / "3"))
    keys.write_text(f"{OURS.key} {days} Aigerim\n")
    done = blockwatch("verify", path, "--allow", keys, "--require", "sealed", cwd=tmp_path)
    assert "signed by Aigerim" in done.stdout
    assert (done.returncode == 9) is retired
    assert ("no time in a proof of this kind" in done.stdout) is retired


@pytest.mark.parametrize("words", [[], ["2", "--since", "checkpoint"]])
def test_one_of_the_two_is_named(run: Path, words: list[str]) -> None:
    done = blockwatch("prove", run, *words, "-o", "x", cwd=run)
    assert (done.returncode, no_traceback(done)) == (2, True)
