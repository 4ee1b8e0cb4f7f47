"""Every asset, before ``verify`` and before the checker that shares no code with it: they must agree."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from blockwatch.evidence.allow import Allowed
from blockwatch.evidence.report import Level, Report
from blockwatch.evidence.timestamps import Trust
from blockwatch.evidence.verify import Reader
from blockwatch.evidence.verify_paths import verify_paths
from blockwatch.evidence.which import which
from tests.cli.command import blockwatch, no_traceback
from tests.evidence.assets.asset import Asset, Authorities
from tests.evidence.assets.bad import RUNS
from tests.evidence.assets.world import OURS, THEIRS
from tests.evidence.assets.write import all_assets, authorities_in
from tests.evidence.checker import CHECKER, ask

ASSETS = all_assets()
BROKEN = [name for name, asset in ASSETS.items() if asset.where]
KEYS = {None: (), "ours": (OURS.key,), "theirs": (THEIRS.key,), "both": (OURS.key, THEIRS.key)}


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities_in(tmp_path_factory.mktemp("authorities"))


def by_us(path: Path, asset: Asset, authorities: Authorities) -> list[Report]:
    keys = tuple(Allowed(key=one) for one in KEYS[asset.key])
    trust = Trust(roots=(authorities.known.root,))
    return list(verify_paths([path], Reader(keys=keys or None, trust=trust)))


@pytest.mark.parametrize("name", list(ASSETS))
def test_verify_says_what_is_so(name: str, tmp_path: Path, authorities: Authorities) -> None:
    asset = ASSETS[name]
    reports = by_us(asset.make(tmp_path, authorities), asset, authorities)
    findings = [finding for report in reports for finding in report.findings]
    assert bool(findings) == bool(asset.where), findings
    if asset.where:
        assert asset.where in [finding.where for finding in findings], findings
        assert all(finding.what for finding in findings)
    if asset.grades:
        assert tuple(str(report.level) if report.sound else None for report in reports) == asset.grades
    if asset.titles:
        assert tuple(report.title if report.sound else None for report in reports) == asset.titles
    assert all(which(report) for report in reports if report.sound and report.kind != "folder")
    if asset.says:
        assert asset.says in " ".join(note for report in reports for note in report.notes)
    if asset.require:
        assert all(report.reaches(Level(asset.require)) for report in reports) != asset.low


@pytest.mark.parametrize("name", list(ASSETS))
def test_the_second_checker_agrees(name: str, tmp_path: Path, authorities: Authorities) -> None:
    """It finds what ``verify`` finds, and gives the same grades, but where the asset says why not."""
    asset = ASSETS[name]
    path = asset.make(tmp_path, authorities)
    code, told = ask(path, keys=KEYS[asset.key], roots=authorities.known.roots)
    bad = [one for one in told if one.where or one.stamps]
    assert code == (9 if bad else 0)
    assert bool(bad) == bool(asset.where and not asset.alone), told
    if asset.alone:
        return
    ours = by_us(path, asset, authorities)
    titles = [re.sub(r" \(clock \w+\)", "", report.title) if report.sound else "" for report in ours]
    assert sorted(titles) == sorted(one.title or "" for one in told)
    if asset.grades:
        assert tuple(one.grade for one in told) == asset.grades
    loose = ["only by an unsigned note" in " ".join(report.notes) for report in ours]
    assert any(loose) == any(one.loose for one in told)


@pytest.mark.parametrize("name", [name for name in RUNS if RUNS[name].record])
def test_the_record_is_named(name: str, tmp_path: Path, authorities: Authorities) -> None:
    path = ASSETS[name].make(tmp_path, authorities)
    assert by_us(path, ASSETS[name], authorities)[0].findings[0].record == RUNS[name].record


def test_what_the_second_checker_does_not_see_is_little_and_said_in_the_document() -> None:
    alone = [name for name in BROKEN if ASSETS[name].alone]
    assert len(BROKEN) - len(alone) >= 110
    text = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text("utf-8")
    (counted,) = re.findall(r"^\| of these, both checkers find \| ([0-9]+) \|", text, re.M)
    assert int(counted) == len(BROKEN) - len(alone)


def test_the_document_says_how_many_there_are() -> None:
    broken = len(BROKEN)
    low = len([asset for asset in ASSETS.values() if asset.low and not asset.where])
    text = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text("utf-8")
    counts = [
        int(found) for found in re.findall(r"^\| [a-z].* \| ([0-9]+) \| (?:`tests/|the same)", text, re.M)
    ]
    assert counts[:1] + counts[2:4] == [broken, low, len(ASSETS) - broken - low]


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 80
    assert len([name for name, asset in ASSETS.items() if not asset.where and not asset.low]) >= 20


@pytest.mark.parametrize(
    "name",
    [
        "a line removed", "a bit in a stamp", "a run removed from the chain",
        "a stamp of an unknown authority", "sealed by another key than named", "a proof with other bytes",
        "killed", "stamped", "witnessed", "a proof", "shortened to an earlier seal, and stamped",
        "unsigned, and a key named", "a link in the place of the log", "a link in the place of a run",
        "sealed, its clock unknown",
    ],
)  # fmt: skip
def test_the_commands_exit_alike(name: str, tmp_path: Path, authorities: Authorities) -> None:
    asset = ASSETS[name]
    (tmp_path / "made").mkdir()
    path = asset.make(tmp_path / "made", authorities)
    allow = tmp_path / "keys.txt"
    allow.write_text("".join(f"{key}\n" for key in KEYS[asset.key]))
    shared = [
        "--tsa-root",
        str(authorities.known.roots),
        *(["--require", asset.require] if asset.require else []),
    ]
    done = blockwatch("verify", path, *shared, *(["--allow", str(allow)] if asset.key else []), cwd=tmp_path)
    keys = [word for key in KEYS[asset.key] for word in ("--key", str(key))]
    argv = [sys.executable, str(CHECKER), str(path), *shared[:2], *keys]
    other = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert no_traceback(done)
    assert other.stderr == ""
    codes = (9 if asset.low or asset.where else 0, 9 if asset.where else 0)  # the latter requires no grade
    assert (done.returncode, other.returncode) == codes, done.stderr


def test_what_fails_around_the_second_checker_is_no_finding(tmp_path: Path, authorities: Authorities) -> None:
    (tmp_path / "made").mkdir()
    run = ASSETS["stamped"].make(tmp_path / "made", authorities)
    (tmp_path / "empty").mkdir()
    roots = ("--tsa-root", str(authorities.known.roots))
    for words, code, said in (
        ((run,), 0, ": sealed"),
        ((run, *roots), 1, "openssl"),  # there is none
        ((run, "--key", OURS.key.name), 2, "--key"),
        ((run, "--tsa-root", tmp_path / "nowhere"), 2, "--tsa-root"),
        ((tmp_path / "empty",), 1, "there is no run"),
    ):
        argv = [sys.executable, str(CHECKER), *map(str, words)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)})
        assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done
        assert "WRONG" not in done.stdout
        assert "bad stamp" not in done.stdout


def test_the_other_checker_stands_alone_and_can_be_read() -> None:
    text = CHECKER.read_text("utf-8")
    assert [path.name for path in CHECKER.parent.glob("check_*.py")] == [CHECKER.name]
    assert len(text.splitlines()) <= 200
    assert ";" not in [token.string for token in tokenize.generate_tokens(io.StringIO(text).readline)]
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"cryptography"}
