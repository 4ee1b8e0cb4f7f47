"""Every asset, before ``verify`` and before the checker that shares no code with it: they must agree."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from blockwatch.evidence.allow import Allowed
from blockwatch.evidence.report import Report
from blockwatch.evidence.timestamps import Trust
from blockwatch.evidence.verify import Reader
from blockwatch.evidence.verify_paths import verify_paths
from tests.cli.command import blockwatch, no_traceback
from tests.evidence.assets.bad import RUNS
from tests.evidence.assets.more import Authorities
from tests.evidence.assets.world import OURS, THEIRS
from tests.evidence.assets.write import all_assets, authorities_in

CHECKER = Path(__file__).parents[2] / "tools" / "check_evidence.py"
ASSETS = all_assets()
BROKEN = [name for name, asset in ASSETS.items() if not asset.grades]
KEYS = {None: (), "ours": (OURS.key,), "theirs": (THEIRS.key,), "both": (OURS.key, THEIRS.key)}
RANK = ["unsigned", "sealed", "timed", "witnessed"]


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities_in(tmp_path_factory.mktemp("authorities"))


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_evidence", CHECKER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_us(path: Path, key: str | None, authorities: Authorities) -> list[Report]:
    keys = tuple(Allowed(key=one) for one in KEYS[key])
    trust = Trust(roots=(authorities.known.root,))
    return list(verify_paths([path], Reader(keys=keys or None, trust=trust)))


@pytest.mark.parametrize("name", list(ASSETS))
def test_both_checkers_say_what_is_so(
    name: str, tmp_path: Path, authorities: Authorities, checker: ModuleType
) -> None:
    asset = ASSETS[name]
    path = asset.make(tmp_path, authorities)
    ours = by_us(path, asset.key, authorities)
    keys = [checker.key_of(str(key)) for key in KEYS[asset.key]]
    theirs: list[dict[str, Any]] = checker.check([path], keys, authorities.known.roots)
    found = [finding for report in ours for finding in report.findings]
    also_found = [one["bad"] for one in theirs if one["bad"]]
    if asset.grades:
        assert (found, also_found) == ([], [])
        assert tuple(report.level for report in ours) == asset.grades
        assert tuple(one["grade"] for one in theirs) == asset.grades
        wanted = asset.require or "unsigned"
        enough = all(RANK.index(grade) >= RANK.index(wanted) for grade in asset.grades)
        assert all(report.level.rank >= RANK.index(wanted) for report in ours) == enough
    else:
        assert asset.where in [finding.where for finding in found], found
        assert asset.where in [bad[0] for bad in also_found], also_found
        assert all(finding.what for finding in found)


@pytest.mark.parametrize("name", [name for name in RUNS if RUNS[name].record])
def test_the_record_is_named(
    name: str, tmp_path: Path, authorities: Authorities, checker: ModuleType
) -> None:
    path = ASSETS[name].make(tmp_path, authorities)
    assert by_us(path, None, authorities)[0].findings[0].record == RUNS[name].record
    assert checker.check([path])[0]["bad"][1] == RUNS[name].record


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 80
    assert len([name for name, asset in ASSETS.items() if asset.grades and not asset.require]) >= 20


@pytest.mark.parametrize(
    "name",
    [
        "a line removed", "a bit in a stamp", "a run removed from the chain",
        "a stamp of an unknown authority", "sealed by another key than named", "a proof with other bytes",
        "killed", "stamped", "witnessed", "a proof",
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
    argv = [sys.executable, str(CHECKER), str(path), *shared, *keys]
    other = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert no_traceback(done)
    assert other.stderr == ""
    low = asset.require and any(RANK.index(one) < RANK.index(asset.require) for one in asset.grades)
    assert (done.returncode, other.returncode) == ((9, 9) if low or not asset.grades else (0, 0)), done.stderr


def test_the_other_checker_stands_alone() -> None:
    text = CHECKER.read_text("utf-8")
    assert len(text.splitlines()) <= 200
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names | {"cryptography"}
