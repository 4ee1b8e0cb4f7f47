"""Counting verdicts: shares with Wilson intervals, and the confusion matrix by mechanism."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import sqrt

from blockwatch.lab.trial import Row

_Z = 1.959964  # of the normal distribution, for 95 %


@dataclass(frozen=True)
class Share:
    """``hits`` of ``n``, with the 95 % interval of Wilson (1927), JASA 22, 209-212."""

    hits: int
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper bound of the true share; (0, 1) of nothing."""
        if not self.n:
            return 0.0, 1.0
        p, z2 = self.hits / self.n, _Z * _Z
        middle = (p + z2 / (2 * self.n)) / (1 + z2 / self.n)
        half = _Z * sqrt(p * (1 - p) / self.n + z2 / (4 * self.n * self.n)) / (1 + z2 / self.n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        if not self.n:
            return "none"
        low, high = self.interval
        return f"{self.hits}/{self.n} = {self.hits / self.n:.2%} ({low:.2%} to {high:.2%})"


@dataclass(frozen=True)
class Counts:
    """All counts of a set of rows; what each means is said in the page."""

    right: Share
    sensitivity: Share
    specificity: Share
    mechanism: Share
    undecided: Share
    accused_hard: int  # clean, called blocked with grade `strong` or `confirmed`
    accused_signs: int


def count(rows: Iterable[Row]) -> Counts:
    """Count ``rows``."""
    rows = list(rows)
    blocked = [row for row in rows if _is_block(row)]
    found = [row for row in blocked if row.state == "blocked"]
    clean = [row for row in rows if not row.may_be_blocked]
    accused = [row for row in clean if row.state == "blocked"]
    decided = [row for row in rows if row.decided]
    return Counts(
        right=_share(rows, lambda row: row.right),
        sensitivity=Share(len(found), len(blocked)),
        specificity=Share(len(clean) - len(accused), len(clean)),
        mechanism=_share(
            found, lambda row: (row.mechanism or "").startswith(row.truth.removeprefix("blocked"))
        ),
        undecided=_share(decided, lambda row: row.state == "inconclusive"),
        accused_hard=sum(row.grade in ("strong", "confirmed") for row in accused),
        accused_signs=sum(row.grade == "signs" for row in accused),
    )


def _share(rows: list[Row], hit: Callable[[Row], bool]) -> Share:
    return Share(sum(1 for row in rows if hit(row)), len(rows))


def _is_block(row: Row) -> bool:
    return row.truth not in ("ok", "down", "refused", "inconclusive")


def is_lookalike(row: Row) -> bool:
    """Nobody blocks, but one network sees what a block looks like: the truth allows `blocked` as well."""
    return row.may_be_blocked and not _is_block(row)


def matrix(rows: Iterable[Row]) -> Counter[tuple[str, str]]:
    """How often each (truth, said) was seen; a mechanism without its trigger (``.sni``, ``.ip``, …).

    The truth of a lookalike ends with a star.
    """
    return Counter((_plain(row.truth) + "*" * is_lookalike(row), _said(row)) for row in rows)


def _said(row: Row) -> str:
    return _plain(row.mechanism or "blocked") if row.state == "blocked" else row.state or "nothing"


def _plain(mechanism: str) -> str:
    return ".".join(mechanism.split(".")[:2])
