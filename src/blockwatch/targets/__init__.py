"""Targets files: every problem at once, each with its place and what to do.

Rules of this package:

* a file is read by :func:`load` or :func:`check` and by nothing else; both go the same way;
* by its name: ``.txt`` is a URL a line, ``.csv`` a Citizen Lab list, ``pack:NAME`` a built-in list,
  everything else YAML of the form in README.md;
* nothing here touches the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from blockwatch.errors import ConfigError
from blockwatch.target import Target, TargetsFile
from blockwatch.targets.packs import is_pack, pack_file
from blockwatch.targets.problem import Problem, Report

__all__ = ["Problem", "check", "load", "load_all", "read"]


def read(path: Path | str) -> tuple[TargetsFile, list[Problem]]:
    """Read one file or ``pack:NAME``; return what it says and every problem, in the order of the file."""
    from blockwatch.targets import document, lists, source, tree  # late: `--help` needs none of it

    file = pack_file(str(path)) if is_pack(str(path)) else Path(path)
    report = Report(str(path))
    text = source.read_text(file, report)
    if text is None:
        return TargetsFile(), report.problems()
    if file.suffix.lower() == ".txt":
        found = lists.read_plain(text, report)
    elif file.suffix.lower() == ".csv":
        found = lists.read_citizenlab(text, report)
    else:
        root = tree.parse(text, report)
        found = TargetsFile() if root is None and report.failed else document.read(root, report)
    return found, report.problems()


def check(path: Path | str) -> list[Problem]:
    """Return every problem of a file, warnings included; an empty list: nothing to put right."""
    return read(path)[1]


def load(path: Path | str) -> TargetsFile:
    """Return what a file says; raises :class:`ConfigError` that names all its problems at once."""
    found, problems = read(path)
    errors = [problem for problem in problems if not problem.warning]
    if errors:
        raise _refusal(map(str, errors))
    return found


def load_all(paths: Sequence[Path | str]) -> TargetsFile:
    """Return several files as one; raises :class:`ConfigError` with the problems of all of them.

    A target that stands in two files in the same words is measured once; two different targets
    with one id are a problem.
    """
    problems: list[str] = []
    targets: dict[str, tuple[Target, Path | str]] = {}
    merged = TargetsFile()
    for path in paths:
        found, noted = read(path)
        problems += [str(problem) for problem in noted if not problem.warning]
        for target in found.targets:
            first, where = targets.setdefault(target.id, (target, path))
            if first != target:
                problems.append(
                    f'{path}:1:1: the target id "{target.id}" means another target in {where}\n'
                    "    Give one of the two another id."
                )
        orders = {order.id: order for order in (*merged.orders, *found.orders)}
        merged = TargetsFile(
            orders=tuple(orders.values()), searches=tuple(dict.fromkeys((*merged.searches, *found.searches)))
        )
    if problems:
        raise _refusal(problems)
    return TargetsFile(
        targets=tuple(target for target, _ in targets.values()),
        orders=merged.orders,
        searches=merged.searches,
    )


def _refusal(problems: Iterable[str]) -> ConfigError:
    """One error with every problem on lines of its own, so that editors find the places."""
    return ConfigError("\n".join(("these targets cannot be used:", *problems)))
