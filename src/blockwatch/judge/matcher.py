"""Which of many literals occur in a text: one look at samples of it instead of one search a literal.

Rules of this file:

* exact: what is found was compared in full, letter by letter; what is sampled only says where to compare;
* few literals are searched one by one, and so are those of less than 7 letters that hold a rare one; for
  the others see ``samples``, which is loaded only where there are many (it takes numpy);
* hostile text costs little more than the plain loop: where a sample stands too often to compare at each
  place, its literals are searched one by one, each at most once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blockwatch.judge.samples import Samples

_FEW = 24  # literals: so many are found quicker one by one
_SIZES = (8, 4, 2)  # letters a sample


class Matcher:
    """The literals ``patterns``; their places in that sequence are what is found. Empty ones always are."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._all = list(patterns)
        plain = list(range(len(self._all)))
        self._samples: list[Samples] = []
        if len(plain) > _FEW:
            plain = self._sample(plain)
        self._plain = [(place, max(self._all[place], default="")) for place in plain]

    def _sample(self, places: list[int]) -> list[int]:
        """Take samples as large as each literal surely holds one; the places of those that hold none."""
        from blockwatch.judge.samples import Samples, low_of

        self._low_of = low_of
        for size in _SIZES:
            chosen = {place: self._all[place] for place in places if _holds(self._all[place], size)}
            places = [place for place in places if place not in chosen]
            if chosen:
                self._samples.append(Samples(chosen, size))
        return places

    def found(self, text: str) -> list[int]:
        """Places of the literals that the text contains, ascending."""
        here, anywhere = self.suspects(text)
        hits = {place for place, at in here if text.startswith(self._all[place], at)}
        hits.update(place for place in anywhere - hits if self._all[place] in text)
        return sorted(hits)

    def suspects(self, text: str) -> tuple[list[tuple[int, int]], set[int]]:
        """What is to be compared: literals with an offset in the text, and literals with the whole text.

        The first are at most so many for each letter of the text as literals share a sample, the second at
        most as many as there are literals.
        """
        here: list[tuple[int, int]] = []
        anywhere = {place for place, letter in self._plain if letter in text}
        if self._samples:
            low = self._low_of(text)
            for samples in self._samples:
                samples.suspects(low, here, anywhere)
        return here, anywhere


def _holds(literal: str, size: int) -> bool:
    """Whether samples of ``size`` letters are taken of it: not of a few letters, where one is a rare one."""
    return len(literal) >= 2 * size - 1 and (size > _SIZES[-1] or literal.isascii())
