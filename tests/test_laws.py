"""The laws of the house, read from the files themselves: imports, sizes, probes, start-up."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blockwatch.registry import load_probes

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "blockwatch"
FILES = sorted(SOURCE.rglob("*.py"))
EVERY = sorted(
    file for name in ("src", "probes", "tests", "tools", "bench") for file in (ROOT / name).rglob("*.py")
)
BOUNDS = {"tools/check_evidence.py": 200}  # lines, where not 300: it is to be read in one sitting
PROBES = [file for file in sorted((ROOT / "probes").glob("*.py")) if not file.name.startswith("_")]

_PARTS = {
    "base": "model run target followup verdict failure errors codec content charset asn targets data ooni",
    "measure": "net probe registry control runner probes",
    "keep": "evidence store",
    "say": "judge analysis",
    "cli": "cli __main__",
    **{name: name for name in ("lab", "helper", "host", "exchange", "picture", "joined")},
}
PART = {name: part for part, names in _PARTS.items() for name in names.split()} | {"": "root"}
MAY_IMPORT = {
    "root": {"base", "joined"},
    "base": {"base"},
    "measure": {"base", "measure", "root"},
    "keep": {"base", "keep"},
    "say": {"base", "say"},
    "joined": {"base", "keep", "say"},
    "host": {"base", "host"},
    "exchange": {"base", "exchange"},
    "picture": {"base", "picture"},
    "helper": {"base", "measure", "helper", "root"},
    "lab": {"base", "measure", "helper", "lab", "root"},
    "cli": {*_PARTS, "root"},
}
NETWORK = {
    "socket",
    "ssl",
    "dns",
    "httpx",
    "httpcore",
    "asyncio",
    "http.client",
    "urllib.request",
    "requests",
}
TABLES = {"pandas", "ibis", "duckdb", "altair", "numpy", "pyarrow"}


def module_of(file: Path) -> str:
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def part_of(module: str) -> str:
    return PART[module.split(".")[0]]


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """Yield every imported module, and whether only for annotations; ``from a import b`` gives ``a.b``."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in typing_only
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or "", id(node) in typing_only
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) in typing_only


def within(name: str, family: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in family)


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_columns_do_not_import_each_other(file: Path) -> None:
    part = part_of(module_of(file))
    for name, _ in imports(file):
        if name.startswith("blockwatch."):
            other = name.removeprefix("blockwatch.")
            if other.split(".")[0] in PART:
                assert part_of(other) in MAY_IMPORT[part], f"{part} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_only_those_who_may_touch_the_network_do(file: Path) -> None:
    part = part_of(module_of(file))
    for name, typing_only in imports(file):
        if part not in ("measure", "exchange", "helper", "lab"):
            assert not within(name, NETWORK), f"{part} imports {name}"
            assert part == "cli" or not within(name, {"trio"}), f"{part} imports {name}"
        if within(name, TABLES) and not (within(name, {"numpy"}) and module_of(file) == "judge.samples"):
            assert file.is_relative_to(SOURCE / "analysis") or typing_only, f"{part} imports {name}"


@pytest.mark.parametrize("file", PROBES, ids=lambda file: file.stem)
def test_probes_import_only_what_is_recorded(file: Path) -> None:
    for name, _ in imports(file):
        if not name.startswith("blockwatch.probe"):
            assert name.split(".")[0] in sys.stdlib_module_names
            assert not within(name, NETWORK | {"_socket", "_ssl", "subprocess", "ctypes"})


@pytest.mark.parametrize("file", PROBES, ids=lambda file: file.stem)
def test_every_probe_has_its_contract(file: Path) -> None:
    probe = load_probes()[file.stem]
    assert probe.question.endswith("?")
    assert probe.tier == 1
    assert probe.version.isdecimal()


@pytest.mark.parametrize("file", EVERY, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_are_short_and_open_with_their_rules(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= BOUNDS.get(str(file.relative_to(ROOT)), 300)
    assert not text.strip() or ast.get_docstring(ast.parse(text))
    assert file.stem not in ("utils", "util", "helpers", "misc", "common")


def test_every_module_has_its_place_and_is_packaged() -> None:
    import tomllib

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {file.parent for file in FILES}
    packages = {".".join(("blockwatch", *folder.relative_to(SOURCE).parts)) for folder in folders}
    assert packages | {"blockwatch.probes"} == set(listed)


def test_the_lock_pins_everything_and_names_no_place() -> None:
    lines = [
        line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")
    ]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in lines)
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {line.partition("==")[0] for line in lines}
    for wanted in (*project["dependencies"], *project["optional-dependencies"]["test"]):
        assert re.split(r"[<>=]", wanted)[0].lower() in named


# What is loaded at start-up: cron starts often, and a measuring command needs no tables.

HEAVY = (
    "pandas",
    "numpy",
    "httpx",
    "httpcore",
    "trio",
    "dns",
    "cryptography",
    "rich",
    "yaml",
    "warcio",
    "ssl",
)


def loaded_by(*arguments: str) -> set[str]:
    script = (
        "import sys\n"
        "from blockwatch.cli.main import _run\n"
        f"code = _run({list(arguments)!r})\n"
        "print('LOADED', code, *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    words = done.stdout.rpartition("LOADED ")[2].split()
    assert words[0] == "0", done.stderr
    return set(words[1:])


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["judge", "--help"], ["lab", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert not loaded_by(*arguments) & set(HEAVY)


def test_planning_loads_no_tables() -> None:
    assert not loaded_by("plan", "--quiet") & {"pandas", "numpy", "rich", "httpx", "warcio"}
