"""Which probes there are: the files of ``blockwatch.probes``, and those of a folder of the user's.

Rules of this file:

* the library never knows a probe's name; a file in the folder is the whole registration;
* a probe imports ``blockwatch.probe`` and the standard library, but nothing that opens a connection:
  what it did would not be recorded. This is a guard against mistakes, not a sandbox;
* a file that breaks the contract is refused with its name and line.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from blockwatch.errors import ConfigError

if TYPE_CHECKING:
    from blockwatch.net.session import Session, Task

_FORBIDDEN = frozenset(
    {"socket", "ssl", "_socket", "_ssl", "asyncio", "http", "urllib", "ftplib", "smtplib", "poplib"}
    | {"imaplib", "telnetlib", "nntplib", "xmlrpc", "socketserver", "select", "selectors", "subprocess"}
    | {"multiprocessing", "ctypes", "importlib", "webbrowser"}
)
_ALLOWED_ANYWAY = frozenset({"urllib.parse", "http.HTTPStatus"})
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_CONTRACT = "see the docstring of blockwatch.probe for what a probe must contain"


@dataclass(frozen=True)
class Probe:
    """One question that can be put to the network."""

    name: str
    version: str
    question: str
    tier: int
    measure: Callable[[Task, Session], Awaitable[None]]

    @property
    def label(self) -> str:
        """Name and version, as in ``RunOpen.probes``."""
        return f"{self.name} {self.version}"


def load_probes(extra_dir: Path | None = None) -> dict[str, Probe]:
    """Every probe by name, the shipped ones first; raises :class:`~blockwatch.errors.ConfigError`."""
    package = importlib.import_module("blockwatch.probes")
    probes: dict[str, Probe] = {}
    shipped = sorted(file for folder in package.__path__ for file in Path(folder).glob("*.py"))
    own = sorted(extra_dir.glob("*.py")) if extra_dir is not None else []
    if extra_dir is not None and not extra_dir.is_dir():
        raise ConfigError("no such folder", where=str(extra_dir), remedy="give a folder of *.py to --probes")
    for file in [*shipped, *own]:
        if file.name.startswith("_"):
            continue
        probe = _load(file, shipped=file in shipped)
        if probe.name in probes:
            raise ConfigError(f"a second probe named {probe.name!r}", where=str(file), remedy="rename it")
        probes[probe.name] = probe
    return probes


def _load(file: Path, *, shipped: bool) -> Probe:
    if not file.is_file():
        raise ConfigError("a probe is a file", where=str(file), remedy=_CONTRACT)
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(file), remedy=_CONTRACT) from None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the last two: nested too deep
        line = getattr(error, "lineno", None) or 1
        raise ConfigError(f"not Python: {error}", where=f"{file}:{line}", remedy=_CONTRACT) from None
    _check_imports(tree, file)
    question = (ast.get_docstring(tree) or "").strip().split("\n")[0].strip()
    if not question:
        raise ConfigError("no docstring to say the question", where=f"{file}:1", remedy=_CONTRACT)
    module = _execute(file, shipped=shipped)
    measure = _wanted(module, file, "measure", "async function measure(target, net)")
    if not inspect.iscoroutinefunction(measure) or len(inspect.signature(measure).parameters) != 2:
        line = getattr(getattr(measure, "__code__", None), "co_firstlineno", 1)
        what = "measure must be `async def measure(target, net)`"
        raise ConfigError(what, where=f"{file}:{line}", remedy=_CONTRACT)
    name, version = _wanted(module, file, "NAME", "name"), _wanted(module, file, "VERSION", "version")
    tier = _wanted(module, file, "TIER", "risk tier")
    words = [word for word in (name, version) if isinstance(word, str) and _WORD.fullmatch(word)]
    if len(words) != 2 or tier not in (1, 2):
        remedy = "NAME and VERSION are words of letters, digits, dots, - and _; TIER is 1 or 2"
        raise ConfigError("NAME, VERSION or TIER is not as it must be", where=f"{file}:1", remedy=remedy)
    return Probe(name, version, question, tier, measure)


def _check_imports(tree: ast.Module, file: Path) -> None:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." if node.level else (node.module or "")]
        for name in names:
            if not _may_import(name):
                where = f"{file}:{getattr(node, 'lineno', 1)}"
                remedy = "a probe imports blockwatch.probe and harmless parts of the standard library only"
                raise ConfigError(f"a probe must not import {name!r}", where=where, remedy=remedy)


def _may_import(name: str) -> bool:
    if name == "blockwatch.probe" or name in _ALLOWED_ANYWAY:
        return True
    first = name.split(".")[0]
    return first in sys.stdlib_module_names and first not in _FORBIDDEN


def _execute(file: Path, *, shipped: bool) -> ModuleType:
    if shipped:
        return importlib.import_module(f"blockwatch.probes.{file.stem}")
    spec = importlib.util.spec_from_file_location(f"blockwatch_user_probe_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ConfigError("cannot be loaded", where=str(file), remedy=_CONTRACT)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a user's file does: name it and the line
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
        where = f"{file}:{lines[-1] if lines else 1}"
        raise ConfigError(f"{type(error).__name__}: {error}", where=where, remedy=_CONTRACT) from None
    return module


def _wanted(module: ModuleType, file: Path, name: str, what: str) -> Any:
    if name not in vars(module):
        raise ConfigError(f"no {name} ({what})", where=f"{file}:1", remedy=_CONTRACT)
    return getattr(module, name)
