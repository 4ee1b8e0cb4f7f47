"""Which of many literals occur in a text: one pass over samples of it instead of one search a literal.

Rules of this file:

* exact: what is found was compared in full; what is sampled only says where to look;
* long literals: the text is cut into blocks of 16 bytes, and the first 8 bytes of each are looked up, all
  in one call. Wherever a literal of 23 bytes or more lies, one such sample lies wholly inside it, at one
  of 16 offsets; for each offset the rarest of its samples is kept, and a second one where it looks ordinary;
* literals of 15 to 22 bytes: likewise, in blocks of 8 (and then the long ones too, in the same pass); shorter
  ones: from the rarest byte in them and the three that follow it. Both are looked for in short texts only: in
  a long one a short literal is more likely to stand by accident;
* hostile text costs little more than the plain loop: where a byte is not rare after all, its literals are
  searched one by one.

The samples are read as floating-point numbers, which Python makes and hashes fastest. In valid UTF-8 no two
different samples are equal as numbers: neither NaN (7F or FF after F0 or more) nor a negative
zero can occur.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

_BLOCK, _SAMPLE = 16, 8
_LONG = _BLOCK + _SAMPLE - 1  # bytes: shorter literals may hold no sample of a block of 16
_MIDDLE = _SAMPLE + _SAMPLE - 1  # bytes: shorter literals may hold no sample at all
_KEY = 4  # bytes compared at a rare byte before the literal is
# Microseconds: to look for one byte in 20 kB, for each place where it is, for a plain search.
_SCAN, _LOOK, _PLAIN = 1.5, 0.25, 4.0
# How often bytes occur in 20 kB of pages, roughly (measured on recorded ones); all others: 3.
_OFTEN = {
    **dict.fromkeys(b' etaiosnrl-c"d/\n\tpmhg=<>u0f.vb:2w1,', 300),
    **dict.fromkeys(b"k;y5x3_4", 110),
    **dict.fromkeys(b"6879()zFCE#", 55),
    **dict.fromkeys(b"S%jAMPBDNTI\r", 25),
    **dict.fromkeys(b"RLO!qUVHG[]{}'?|J", 11),
    **dict.fromkeys(range(0x80, 0x100), 300),
}
# Words of markup that most pages hold: a sample out of them is no rare one.
_MARKUP = (
    b'<!DOCTYPE html><html lang="en"><html><head><meta charset="utf-8"><title></title></head><body></body>'
    b'</html> <meta name="viewport" content="width=device-width, initial-scale=1"> <meta http-equiv="'
    b'Content-Type" content="text/html; charset=utf-8"/> <link rel="stylesheet" type="text/css" href="/css/'
    b'style.css" /> <script type="text/javascript" src="https://www.google.com/js/script.js"></script> '
    b'<script async src="http://www. window.location document.getElementById( <div class="content" '
    b'id="container"> <ul><li><a href="http://www. https://www. https:// <a href="/index.html" class="'
    b'</a></li></ul></div> <img src="/images/ alt="" width="100%" height=" border="0" /></p><p></p> '
    b'<table><tr><td></td></tr></table> style="text-align:center; font-size: background-color: #ffffff; '
    b'<button type="submit"> <input type="text" name=" .com/ information and communication of the '
    b'http://www.w3.org/1999/xhtml" <br /><br> <h1></h1> .png" .jpg" </span><span class=" &copy; &nbsp;'
)

_SHARED = 5
_RUNS = frozenset(_MARKUP[at : at + _SHARED] for at in range(len(_MARKUP) - _SHARED + 1))

Keys = dict[bytes, list[tuple[int, int]]]  # what begins with the byte → (place, offset of the byte)


class Matcher:
    """The literals ``patterns``; their places in that sequence are what is found.

    Those under 23 bytes are not looked for in texts of more than ``short_within`` characters.
    """

    def __init__(self, patterns: Iterable[str], short_within: int = 20_000) -> None:
        self._short_within = short_within
        self._all = [pattern.encode("utf-8", "replace") for pattern in patterns]
        sizes = [len(literal) for literal in self._all]
        places = range(len(sizes))
        self._long = _Samples(self._all, [p for p in places if sizes[p] >= _LONG], _BLOCK)
        self._sampled = _Samples(self._all, [p for p in places if sizes[p] >= _MIDDLE], _SAMPLE)
        self._anchors, dear = _anchored(self._all, [p for p in places if _KEY <= sizes[p] < _MIDDLE])
        self._plain = dear + [p for p in places if 0 < sizes[p] < _KEY]  # searched one by one

    def found(self, text: str) -> list[int]:
        """Places of the literals that ``text`` contains, ascending."""
        data = text.encode("utf-8", "replace")
        numbers = _numbers_of(data)
        hits: set[int] = set()
        if len(text) > self._short_within:
            asked = self._long.suspects(numbers[:: _BLOCK // _SAMPLE])
        else:
            asked = self._sampled.suspects(numbers).union(self._plain)
            for byte, by_key in self._anchors.items():
                self._from_anchor(data, byte, by_key, hits, asked)
        hits.update(place for place in asked if self._all[place] in data)
        return sorted(hits)

    def _from_anchor(self, data: bytes, byte: int, by_key: Keys, hits: set[int], asked: set[int]) -> None:
        """Add to ``hits`` what stands around each ``byte``; to ``asked`` where there are too many of it."""
        every = {place for pairs in by_key.values() for place, _ in pairs}
        if data.count(byte) * _LOOK > len(every) * _PLAIN:
            asked |= every
            return
        at = data.find(byte)
        while at >= 0:
            for place, offset in by_key.get(data[at : at + _KEY], ()):
                if at >= offset and data.startswith(self._all[place], at - offset):
                    hits.add(place)
            at = data.find(byte, at + 1)


class _Samples:
    """Samples that stand for literals, one for each offset at which a block of the text may begin in them.

    A sample that looks like ordinary markup stands for its literal only beside a second one, where the
    literal has two at that offset.
    """

    def __init__(self, literals: Sequence[bytes], places: Sequence[int], block: int) -> None:
        self._index = _sampled(literals, places, block)
        seconds = (second for pairs in self._index.values() for _, second in pairs if second is not None)
        self._keys = frozenset(self._index).union(seconds)

    def suspects(self, numbers: array[float]) -> set[int]:
        """Places of the literals of which the samples are among those of a text."""
        hits = self._keys.intersection(numbers)
        return {
            place
            for sample in hits
            for place, second in self._index.get(sample, ())
            if second is None or second in hits
        }


def _numbers_of(data: bytes) -> array[float]:
    numbers = array("d", data[: len(data) // _SAMPLE * _SAMPLE])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _sampled(
    literals: Sequence[bytes], places: Sequence[int], block: int
) -> dict[float, list[tuple[int, float | None]]]:
    """For each sample that stands for literals at some offset: these, and which second one each needs."""
    cut: dict[int, tuple[float, ...]] = {}
    for place in places:
        literal = literals[place]
        shifts = [_numbers(literal, shift) for shift in range(_SAMPLE)]
        cut[place] = tuple(shifts[at % _SAMPLE][at // _SAMPLE] for at in range(len(literal) - _SAMPLE + 1))
    common = Counter(sample for samples in cut.values() for sample in set(samples))
    common.update({sample: len(cut) for shift in range(_SAMPLE) for sample in _numbers(_MARKUP, shift)})
    index: dict[float, list[tuple[int, float | None]]] = defaultdict(list)
    for place, samples in cut.items():
        for offset in range(block):
            first, *more = sorted(dict.fromkeys(samples[offset::block]), key=common.__getitem__)[:2]
            pair = (place, more[0] if more and _ordinary(first) else None)
            if pair not in index[first]:
                index[first].append(pair)
    return dict(index)


def _ordinary(sample: float) -> bool:
    """Whether a sample shares five bytes in a row with what most pages hold."""
    data = struct.pack("<d", sample)
    return any(data[at : at + _SHARED] in _RUNS for at in range(_SAMPLE - _SHARED + 1))


def _numbers(literal: bytes, shift: int) -> tuple[float, ...]:
    count = (len(literal) - shift) // _SAMPLE
    return struct.unpack_from(f"<{count}d", literal, shift)


Anchors = dict[int, Keys]


def _anchored(literals: Sequence[bytes], places: list[int]) -> tuple[Anchors, list[int]]:
    """A few rare bytes of which most literals hold one, and the places of those for which none pays."""
    left = {place: set(literals[place][: 1 - _KEY]) for place in places}
    anchors: Anchors = {}
    while left:
        gain = Counter(byte for held in left.values() for byte in held)
        best = max(sorted(gain), key=lambda byte: gain[byte] / _cost(byte))
        if _cost(best) > gain[best] * _PLAIN:
            break
        by_key: Keys = defaultdict(list)
        for place in [place for place, held in left.items() if best in held]:
            del left[place]
            offset = literals[place].index(best)
            by_key[literals[place][offset : offset + _KEY]].append((place, offset))
        anchors[best] = dict(by_key)
    return anchors, list(left)


def _cost(byte: int) -> float:
    return _SCAN + _LOOK * _OFTEN.get(byte, 3)
