"""What is wrong with a file of targets: the place, the fault in words, and what to do.

Rules of this file:

* every problem has a line and a column (both from 1) of the file as the person sees it;
* what a file says is hostile: it is quoted through :func:`shown`, cut and escaped;
* an error keeps a file from being used, a warning does not.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    """Collects the problems of one file; nothing stops at the first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Problem] = []

    def error(self, place: Placed, what: str, remedy: str = "") -> None:
        """Note something that keeps the file from being used."""
        self._note(place, what, remedy, warning=False)

    def warn(self, place: Placed, what: str, remedy: str = "") -> None:
        """Note something that a person should know; the file can be used."""
        self._note(place, what, remedy, warning=True)

    def _note(self, place: Placed, what: str, remedy: str, *, warning: bool) -> None:
        self._found.append(
            Problem(
                file=self.file,
                line=place.line,
                column=place.column,
                what=what,
                remedy=remedy,
                warning=warning,
            )
        )

    @property
    def failed(self) -> bool:
        """Whether an error was noted."""
        return any(not problem.warning for problem in self._found)

    def problems(self) -> list[Problem]:
        """Return all problems in the order of the file, at most ``MOST_PROBLEMS`` and a count of the rest."""
        ordered = sorted(self._found, key=lambda p: (p.warning, p.line, p.column, p.what))
        kept, rest = ordered[:MOST_PROBLEMS], ordered[MOST_PROBLEMS:]
        if rest:
            last = kept[-1]
            kept.append(
                Problem(
                    file=self.file,
                    line=last.line,
                    column=last.column,
                    what=f"and {len(rest)} more problems",
                    remedy="Put these right first, then check again.",
                    warning=last.warning,
                )
            )
        return sorted(kept, key=lambda p: (p.line, p.column, p.warning))


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
