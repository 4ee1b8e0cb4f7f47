"""Asks the second checker, tools/check_evidence.py, as its readers do: options in, printed lines and an exit code out."""
# ruff: noqa: E501

from __future__ import annotations

import importlib.util
import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

CHECKER = Path(__file__).parents[2] / "tools" / "check_evidence.py"
LINE = re.compile(
    r".*?: (?:WRONG at (?P<where>\S+): .*|(?P<title>\w+(?: up to here)?(?P<loose>, the run before .*)?))"
)
STAMP = re.compile(r"bad stamp '([^']+)': .+")


class Told(NamedTuple):
    """What it says of one run or proof, or of a note of a run that is not there."""

    title: str | None  # null: something is wrong
    where: str | None
    loose: bool  # the run before it is vouched for only by an unsigned note
    stamps: list[str]  # names of bad ones

    @property
    def grade(self) -> str | None:
        return self.title.split(" ")[0] if self.title else None


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_evidence", CHECKER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_CHECKER = _load()


def ask(path: Path, *, keys: tuple[object, ...] = (), roots: Path | None = None) -> tuple[int, list[Told]]:
    """Exit code, and what is said of each."""
    arguments = [str(path), *(word for key in keys for word in ("--key", str(key)))]
    arguments += ["--tsa-root", str(roots)] if roots else []
    with redirect_stdout(io.StringIO()) as out:
        code = _CHECKER.main(arguments)
    told: list[Told] = []
    for line in out.getvalue().splitlines():
        if line.startswith("  "):
            found = STAMP.fullmatch(line.strip())
            assert found, line
            told[-1].stamps.append(found[1])
        else:
            match = LINE.fullmatch(line)
            assert match, line
            loose = match["loose"] or ""
            title = match["title"] and match["title"].removesuffix(loose)
            told.append(Told(title, match["where"], bool(loose), []))
    return code, told
