"""Tables for people: on a terminal as wide as it is, elsewhere 120 columns and no colour."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from blockwatch.cli.words import harmless, said
from blockwatch.verdict import State, Verdict

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {State.OK: "green", State.BLOCKED: "bold red", State.DOWN: "yellow", State.REFUSED: "yellow"}


def console(stream: TextIO | None = None) -> Console:
    """Return a console for ``stream`` (standard output) that never reads markup in text."""
    from rich.console import Console  # late: 0.1 s

    target = stream or sys.stdout
    return Console(
        file=target, width=None if target.isatty() else 120, markup=False, highlight=False, emoji=False
    )


def print_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str | tuple[str, ...]]],
    *,
    styles: Sequence[str | None] = (),
    stream: TextIO | None = None,
) -> None:
    """Print rows of text; ``styles`` names a colour a row; a tuple is a cell of several lines.

    Texts are made harmless here.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        table.add_column(Text(head), overflow="fold")
    for number, row in enumerate(rows):
        style = styles[number] if number < len(styles) else None
        lines = [cell if isinstance(cell, tuple) else (cell,) for cell in row]
        cells = ["\n".join(harmless(line, 400) for line in cell if line) for cell in lines]
        table.add_row(*(Text(cell) for cell in cells), style=style)
    console(stream).print(table)


def print_verdicts(verdicts: Iterable[Verdict], *, stream: TextIO | None = None) -> None:
    """Print one row a verdict: what was found, how sure, how, and the first fact it rests on."""
    shown = list(verdicts)
    rows = []
    for verdict in shown:
        why = "".join(f"{reason.text} [{reason.rule}]" for reason in verdict.why[:1])
        found = said(verdict) + (" (some addresses)" if verdict.partial else "")
        rows.append(((verdict.target, verdict.url), (found, verdict.mechanism or ""), why))
    styles = [_STYLES.get(verdict.state) for verdict in shown]
    print_table(("target and address", "found, and how", "why"), rows, styles=styles, stream=stream)
