"""``blockwatch judge --format ooni``: OONI's files judged as they are read, without being kept.

Rules of this file: what is no file at all is refused before any is read; what cannot be read in one is named,
and reading goes on; where nothing was found to judge, that is an error and not an empty answer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.errors import Exit, UsageError

if TYPE_CHECKING:
    from blockwatch.judge import Pack
    from blockwatch.verdict import Verdict

_ROWS = 500  # verdicts of one table: memory does not grow with the files
_MOST_NAMED = 100  # places of what was skipped
REMEDY = "Name files of OONI's web_connectivity measurements: JSON or JSONL, plain or gzip."


def judge_files(paths: tuple[Path, ...], fingerprints: Pack, ruleset: int | None, *, as_json: bool) -> None:
    """Print the verdicts on the measurements in files; exit code 3 where something could not be read.

    Raises :class:`UsageError` for what is no file, and where there is no measurement in any of them.
    """
    from blockwatch.judge import LATEST
    from blockwatch.judge.recorded import few_collections, judge_records
    from blockwatch.ooni import records

    for path in paths:
        _check(path)
    skipped = Skipped()
    found = chain.from_iterable(records(path) for path in paths)
    verdicts = judge_records(
        found, fingerprints=fingerprints, ruleset=LATEST if ruleset is None else ruleset, on_skip=skipped
    )
    with few_collections():
        judged = (_print_lines if as_json else _print_tables)(verdicts)
    if not judged and not skipped.other_tests:
        where = ", ".join(map(str, paths))
        raise UsageError("there is no measurement of OONI's that can be read", where=where, remedy=REMEDY)
    if skipped.unreadable:
        raise click.exceptions.Exit(Exit.PARTIAL)


def _check(path: Path) -> None:
    """Refuse what is no file of bytes that lie on a disk."""
    if path.is_file():
        return
    what, remedy = "there is no such file", REMEDY
    if path.is_dir():
        what = "this is a folder"
        remedy = f"{REMEDY} A run, or a folder of runs, is judged without --format."
    elif str(path) == "-":
        what, remedy = "standard input is not read", "Write what comes there into a file, and name that."
    elif path.exists():
        what, remedy = "this is no ordinary file", "Write what comes out of it into a file, and name that."
    raise UsageError(what, where=str(path), remedy=remedy)


def _print_lines(verdicts: Iterator[Verdict]) -> int:
    from blockwatch.cli.words import verdict_json

    count = 0
    for count, verdict in enumerate(verdicts, start=1):  # noqa: B007 - the count is the answer
        sys.stdout.write(verdict_json(verdict).decode())
    return count


def _print_tables(verdicts: Iterator[Verdict]) -> int:
    from blockwatch.cli.table import print_verdicts

    finals = (verdict for verdict in verdicts if verdict.final)
    count = 0
    while rows := list(islice(finals, _ROWS)):
        print_verdicts(rows)
        count += len(rows)
    return count


class Skipped:
    """Names what is not judged, on standard error."""

    def __init__(self) -> None:
        self.unreadable = self.other_tests = 0

    def __call__(self, where: str, why: str) -> None:
        """One place and its reason."""
        from blockwatch.cli.words import harmless

        if why.startswith("not web_connectivity"):
            self.other_tests += 1
        else:
            self.unreadable += 1
        named = self.unreadable + self.other_tests
        if named <= _MOST_NAMED:
            click.echo(harmless(f"{where}: skipped: {why}", 400), err=True)
        elif named == _MOST_NAMED + 1:
            click.echo("… more were skipped, and are no longer named", err=True)
