"""``blockwatch judge --format ooni``: OONI's files judged as they are read, without being kept."""

from __future__ import annotations

import sys
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.errors import Exit

if TYPE_CHECKING:
    from blockwatch.judge import Pack

_ROWS = 500  # verdicts of one table: memory does not grow with the files
_MOST_NAMED = 100  # places of what was skipped


def judge_files(paths: tuple[Path, ...], fingerprints: Pack, ruleset: int | None, *, as_json: bool) -> None:
    """Print the verdicts on the measurements in files; exit code 3 where something could not be read."""
    from blockwatch.cli.table import print_verdicts
    from blockwatch.cli.words import verdict_json
    from blockwatch.judge import LATEST
    from blockwatch.judge.recorded import few_collections, judge_records
    from blockwatch.ooni import records

    skipped = Skipped()
    found = chain.from_iterable(records(path) for path in paths)
    verdicts = judge_records(
        found, fingerprints=fingerprints, ruleset=LATEST if ruleset is None else ruleset, on_skip=skipped
    )
    with few_collections():
        if as_json:
            for verdict in verdicts:
                sys.stdout.write(verdict_json(verdict).decode())
        else:
            finals = (verdict for verdict in verdicts if verdict.final)
            while rows := list(islice(finals, _ROWS)):
                print_verdicts(rows)
    if skipped.unreadable:
        raise click.exceptions.Exit(Exit.PARTIAL)


class Skipped:
    """Names what is not judged, on standard error."""

    def __init__(self) -> None:
        self.unreadable = self._named = 0

    def __call__(self, where: str, why: str) -> None:
        """One place and its reason."""
        from blockwatch.cli.words import harmless

        self.unreadable += not why.startswith("not web_connectivity")
        self._named += 1
        if self._named <= _MOST_NAMED:
            click.echo(harmless(f"{where}: skipped: {why}", 400), err=True)
        elif self._named == _MOST_NAMED + 1:
            click.echo("… more were skipped, and are no longer named", err=True)
