"""A Citizen Lab test list as a targets file, for ``blockwatch targets import citizenlab``.

Rules of this file:

* what is written is read back by :func:`blockwatch.targets.load` without a problem;
* notes stay notes, also where they name an order: a person makes an order of it, with its source;
* the lists are CC BY-NC-SA 4.0 and are never copied into this project; the header of what is
  written says where it came from.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml  # type: ignore[import-untyped]

from blockwatch.errors import ConfigError, UsageError
from blockwatch.target import Target
from blockwatch.targets import lists, source
from blockwatch.targets.fields import CATEGORIES
from blockwatch.targets.problem import Problem, Report, nearest


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A list as YAML text, and what was not taken."""

    text: str
    count: int
    left_out: dict[str, int]  # category → rows
    problems: list[Problem]  # rows that cannot be measured, and doubles


def convert(path: Path, country: str | None, categories: tuple[str, ...]) -> Imported:
    """Return the list at ``path`` as a targets file.

    ``country`` is noted with each target; without it, a file name such as ``kz.csv`` gives it.
    ``categories``: only these; none: all but the risky ones. Raises :class:`ConfigError` where the
    file is no such list, :class:`UsageError` for an unknown category or country.
    """
    named = _categories(categories)
    country = _country(path, country)
    report = Report(str(path))
    text = source.read_text(path, report)
    rows = iter(()) if text is None else lists.citizenlab_rows(text, report)
    targets, left_out = lists.select(rows, named, country, report)
    problems = report.problems()
    if not targets:
        if any(not problem.warning for problem in problems):
            raise ConfigError("\n".join(map(str, problems)))
        raise ConfigError(
            "no row of this list is wanted",
            where=str(path),
            remedy="Categories in it: " + ", ".join(sorted(left_out)) + ".",
        )
    return Imported(
        text=_header(path, targets) + _yaml(targets), count=len(targets), left_out=left_out, problems=problems
    )


def _categories(written: tuple[str, ...]) -> frozenset[str]:
    named = frozenset(word.strip().upper() for word in written)
    for word in sorted(named - set(CATEGORIES)):
        raise UsageError(f'there is no category "{word[:40]}"', remedy=nearest(word, CATEGORIES))
    return named


def _country(path: Path, written: str | None) -> str | None:
    word = (written or (path.stem if len(path.stem) == 2 else "")).upper()
    if word and not (word.isascii() and word.isalpha() and len(word) == 2):
        raise UsageError(f'"{word[:40]}" is no two-letter country code', remedy="For example KZ.")
    return word or None


def _header(path: Path, targets: list[Target]) -> str:
    name = "".join(c if c.isprintable() else "?" for c in path.name)
    return (
        f"# {len(targets)} targets from {name}, a Citizen Lab test list\n"
        "# (https://github.com/citizenlab/test-lists, CC BY-NC-SA 4.0).\n"
        '# Orders named in a note are no orders yet: add them under "orders:" with their source.\n'
    )


def _yaml(targets: list[Target]) -> str:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    items = [msgspec.to_builtins(target) for target in targets]
    written: str = yaml.dump(
        {"targets": items}, Dumper=dumper, sort_keys=False, allow_unicode=True, width=1_000
    )
    return written
