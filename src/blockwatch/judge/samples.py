"""Where samples of many literals stand in a text: all samples of the text are looked up at once, by numpy.

Rules of this file:

* of each letter only the lowest eight bits count, so that all scripts cost the same; what is met by that is
  compared in full by others;
* the text is cut into blocks of 8 (or 4) letters. Wherever a literal of 15 (or 7) letters or more lies, one
  block lies wholly inside it, at one of 8 (or 4) offsets; for each offset the rarest block is kept;
* a table of bits, found by multiplying, says which blocks may be one of those; the few that it lets through
  are looked up in full;
* time and memory are linear in the text, whatever it holds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Low: TypeAlias = NDArray[np.uint8]
Pairs: TypeAlias = list[tuple[int, int]]  # literals, and how far into each of them the sample stands

# For samples of so many letters: how they are read, how their places in the table are, and what they
# are multiplied by (odd, about 2 to the power of their bits over the golden ratio; two letters are a place).
_READ: dict[int, tuple[np.dtype[Any], np.dtype[Any], Any]] = {
    8: (np.dtype("<u8"), np.dtype("i8"), np.uint64(0x9E3779B97F4A7C15)),
    4: (np.dtype("<u4"), np.dtype("i4"), np.uint32(0x9E3779B1)),
    2: (np.dtype("<u2"), np.dtype("u2"), np.uint16(1)),
}
_ROOM = 128  # places of the table a sample: so that few strangers meet one
_BITS = 10, 18  # of the table's size: least, most
_CHOICE = 64  # letters of a literal out of which its samples are chosen
_OFTEN = 640  # letters of a text: if a sample stands in fewer on average, one search is quicker
_MANY = 192  # places of all samples, up to which that is not looked into
# What most pages hold: a sample out of it is no rare one.
_MARKUP = (
    '<!DOCTYPE html><html lang="en"><html><head><meta charset="utf-8"><title></title></head><body></body>'
    '</html> <meta name="viewport" content="width=device-width, initial-scale=1"> <meta http-equiv="'
    'Content-Type" content="text/html; charset=utf-8"/> <link rel="stylesheet" type="text/css" href="/css/'
    'style.css" /> <script type="text/javascript" src="https://www.google.com/js/script.js"></script> '
    '<script async src="http://www. window.location document.getElementById( <div class="content" '
    'id="container"> <ul><li><a href="http://www. https://www. https:// <a href="/index.html" class="'
    '</a></li></ul></div> <img src="/images/ alt="" width="100%" height=" border="0" /></p><p></p> '
    '<table><tr><td></td></tr></table> style="text-align:center; font-size: background-color: #ffffff; '
    '<button type="submit"> <input type="text" name=" .com/ information and communication of the '
    'http://www.w3.org/1999/xhtml" <br /><br> <h1></h1> .png" .jpg" </span><span class=" &copy; &nbsp;'
    "display: inline-block; max-width: 80px; 0.5em; site system page policy twitter domain US index.html news"
    " of the that for and with from this not found страница решение суда Республика публикасы доступ"
)
# Letters in the order of how often pages hold them.
_RANK = {letter: at for at, letter in enumerate(' etaiosnrlc-"d/mphg=<>u0f.vb:2w1,k;y5x3_46879()zFCE#')}
_RARE = 2 * len(_RANK)  # any other
_SHARED = 8 * _RARE + 1  # outweighs all letters of a sample


def low_of(text: str) -> Low:
    """The lowest eight bits of each letter of ``text``."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.array(text).reshape(1).view(np.uint32).astype(np.uint8)


class Samples:
    """Samples of ``size`` letters that stand for ``literals``, each of at least ``2 * size - 1`` letters."""

    def __init__(self, literals: Mapping[int, str], size: int) -> None:
        self._size = size
        self._type, self._place, self._factor = _READ[size]
        self._index = _chosen(literals, size)
        bits = min(max((len(self._index) * _ROOM).bit_length(), _BITS[0]), _BITS[1]) if size > 2 else 16
        self._shift = self._type.type(8 * size - bits)
        self._table = np.zeros(1 << bits, np.bool_)
        self._table[self._places_of(np.array(list(self._index), self._type))] = True

    def suspects(self, low: Low, here: list[tuple[int, int]], anywhere: set[int]) -> None:
        """Add what is to be compared: to ``here`` literals with an offset in the text; to ``anywhere`` those
        of which a sample stands so often that one search is quicker.
        """
        samples = low[: len(low) // self._size * self._size].view(self._type)
        passed = self._table.take(self._places_of(samples)).nonzero()[0]
        found = samples[passed].tolist()
        often: Collection[int] = ()
        if len(found) > _MANY:
            most = max(_MANY // 4, len(low) // _OFTEN)
            often = {sample for sample, count in Counter(found).items() if count > most}
            anywhere.update(place for sample in often for place, _ in self._index.get(sample, ()))
        for block, sample in zip(passed.tolist(), found, strict=True):
            if sample in self._index and sample not in often:
                at = block * self._size
                for place, before in self._index[sample]:
                    if at >= before:
                        here.append((place, at - before))

    def _places_of(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Their places in the table."""
        if self._size == 2:
            return samples  # a table of all there are
        product: NDArray[Any] = samples * self._factor
        product >>= self._shift
        return product.view(self._place)


def _chosen(literals: Mapping[int, str], size: int) -> dict[int, Pairs]:
    """For each sample that stands for literals at some offset: these, and where in them it stands."""
    cut = {place: _cut(literal[:_CHOICE], size) for place, literal in literals.items()}
    common = Counter(sample for samples in cut.values() for sample in set(samples))
    common.update(dict.fromkeys(_cut(_MARKUP, size), len(cut)))
    index: dict[int, Pairs] = defaultdict(list)
    for place, samples in cut.items():
        sums = [0, *accumulate(_RANK.get(letter, _RARE) for letter in literals[place][:_CHOICE])]
        # The sample that fewest literals share; among those the one of the rarest letters.
        worth = [sums[at + size] - sums[at] - _SHARED * common[one] for at, one in enumerate(samples)]
        for offset in range(size):
            best = worth[offset::size]
            before = offset + best.index(max(best)) * size
            index[samples[before]].append((place, before))
    return dict(index)


def _cut(literal: str, size: int) -> list[int]:
    """Every ``size`` letters of it, from each letter on."""
    low = bytes(ord(letter) & 0xFF for letter in literal)
    return [int.from_bytes(low[at : at + size], "little") for at in range(len(low) - size + 1)]
