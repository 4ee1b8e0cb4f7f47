"""What is wrong with a file of targets: the place, the fault in words, and what to do.

Rules of this file:

* every problem has a line and a column (both from 1) of the file as the person sees it;
* what a file says is hostile: it is quoted through :func:`shown`, cut and escaped;
* an error keeps a file from being used, a warning does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

MOST_PROBLEMS = 200  # more do not help anybody; the rest is counted


class Problem(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One thing to put right in one file."""

    file: str
    line: int  # from 1
    column: int  # from 1, in characters
    what: str
    remedy: str = ""
    warning: bool = False  # true: the file can be used all the same

    def __str__(self) -> str:
        word = "warning: " if self.warning else ""
        return f"{self.file}:{self.line}:{self.column}: {word}{self.what}" + (
            f"\n    {self.remedy}" if self.remedy else ""
        )


class Placed(Protocol):
    """Anything that knows its place in the file."""

    @property
    def line(self) -> int:
        """Line, from 1."""

    @property
    def column(self) -> int:
        """Column, from 1."""


class Place(msgspec.Struct, frozen=True):
    """A bare place in a file."""

    line: int = 1
    column: int = 1


class Report:
    """Collects the problems of one file; nothing stops at the first.

    A file can have a million problems: only the first are kept, of the others the number.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.failed = False  # whether an error was noted
        self._first: list[Problem] = []
        self._last: _Order | None = None  # what comes after it is only counted
        self._count = 0

    def error(self, place: Placed, what: str, remedy: str | Callable[[], str] = "") -> None:
        """Note something that keeps the file from being used; a remedy that costs time may be a function."""
        self.failed = True
        self._note(place, what, remedy, warning=False)

    def warn(self, place: Placed, what: str, remedy: str | Callable[[], str] = "") -> None:
        """Note something that a person should know; the file can be used."""
        self._note(place, what, remedy, warning=True)

    def _note(self, place: Placed, what: str, remedy: str | Callable[[], str], *, warning: bool) -> None:
        self._count += 1
        if self._last is not None and (warning, place.line, place.column, what) > self._last:
            return
        self._first.append(
            Problem(
                file=self.file,
                line=place.line,
                column=place.column,
                what=what,
                remedy=remedy if isinstance(remedy, str) else remedy(),
                warning=warning,
            )
        )
        if len(self._first) >= 2 * MOST_PROBLEMS:
            self._cut()

    def _cut(self) -> None:
        self._first = sorted(self._first, key=_order)[:MOST_PROBLEMS]
        if len(self._first) == MOST_PROBLEMS:
            self._last = _order(self._first[-1])

    def problems(self) -> list[Problem]:
        """Return all problems in the order of the file, at most ``MOST_PROBLEMS`` and a count of the rest."""
        self._cut()
        kept = list(self._first)
        if self._count > len(kept):
            last = kept[-1]
            kept.append(
                Problem(
                    file=self.file,
                    line=last.line,
                    column=last.column,
                    what=f"and {self._count - len(self._first)} more problems",
                    remedy="Put these right first, then check again.",
                    warning=last.warning,
                )
            )
        return sorted(kept, key=lambda p: (p.line, p.column, p.warning))


_Order = tuple[bool, int, int, str]


def _order(problem: Problem) -> _Order:
    """Errors before warnings, then as in the file."""
    return problem.warning, problem.line, problem.column, problem.what


def shown(text: str, most: int = 60) -> str:
    """Quote ``text`` for a message: one line, escaped, at most ``most`` characters."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return f'"{clean}"'


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean "…"?`` for the most similar known word, or the list of all."""
    from difflib import get_close_matches  # late: only where something is wrong

    choices = list(known)
    match = get_close_matches(word.lower()[:60], choices, n=1, cutoff=0.6)
    upper = get_close_matches(word.upper()[:60], choices, n=1, cutoff=0.6)
    if match or upper:
        return f'Did you mean "{(match or upper)[0]}"?'
    return "Known: " + ", ".join(choices) + "."
