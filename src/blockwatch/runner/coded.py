"""Base64 in what servers send: what it says, piece by piece, without decoding all that might be base64.

Rules of this file:

* pure, and linear: each byte is decoded at most six times, however much looks like base64;
* four characters stand for three bytes, and the first of them tells which kind the first byte is: where
  addresses stand as text, three such groups in a row begin with a digit, a point, a dash, a colon or a
  letter of hexadecimal. That is rare, and looked for first, at every offset;
* both alphabets (RFC 4648, sections 4 and 5), any padding, whatever stands before and after.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator

LONG_ENOUGH = 9  # bytes of a text of which three groups begin within it, wherever it stands
_BEFORE, _STRIDE, _PAST = 16, 128, 96  # characters before what was found, after it, and past that
# A group begins with one of them where its first byte is one of ,-./ 0-9 : ; @A-G \\]^_ `a-g
_FIRST = b"LMNOQRXYZ"
_OTHER = b"0123456789ABCDEFGHIJKPSTUVWabcdefghijklmnopqrstuvwxyz+/-_"
_KINDS = bytes(b"x"[0] if byte in _FIRST else b"a"[0] if byte in _OTHER else 0 for byte in range(256))
_SIGNS = re.compile(rb"x(?=...x...x)(?=[ax]{8})", re.S)
_STANDARD = bytes.maketrans(b"-_", b"+/")
_FOREIGN = re.compile(rb"[^0-9A-Za-z+/_-]")
_TELLING = re.compile(rb"[0-9A-Fa-f.:_/-]{6}")  # every form that is looked for has as many in a row


def decoded(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Pieces of ``data`` that may be base64: where each begins, and what it says."""
    kinds = data.translate(_KINDS)
    done = [0, 0, 0, 0]  # of each offset: up to where it was looked at
    for found in _SIGNS.finditer(kinds):
        at = found.start()
        if at < done[at % 4]:
            continue
        done[at % 4] = at + _STRIDE
        start = _first(kinds, at)
        foreign = _FOREIGN.search(data, at, at + _STRIDE + _PAST)
        end = foreign.start() if foreign else at + _STRIDE + _PAST
        said = plain(data[start:end])
        if _TELLING.search(said):
            yield start, said


def without(data: bytes, clean: Callable[[bytes], bytes], mark: Callable[[int], bytes]) -> bytes:
    """``data`` with a mark for what ``clean`` changes in a piece of it; it keeps the length."""
    parts: list[bytes] = []
    kept = 0
    for start, said in decoded(data):
        left = clean(said)
        if left == said:
            continue
        changed = [n for n, (old, new) in enumerate(zip(said, left, strict=True)) if old != new]
        begin, end = start + changed[0] // 3 * 4, min(start + changed[-1] // 3 * 4 + 4, len(data))
        begin = max(begin, kept)
        if begin < end:
            parts += (data[kept:begin], mark(end - begin))
            kept = end
    return b"".join((*parts, data[kept:])) if parts else data


def plain(coded: bytes) -> bytes:
    """What base64 without foreign characters says; a torn end loses what is not whole."""
    whole = coded.translate(_STANDARD)
    rest = len(whole) % 4
    return binascii.a2b_base64(whole[:-1] if rest == 1 else whole + b"=" * (-rest % 4))


def _first(kinds: bytes, at: int) -> int:
    """Where a piece begins: whole groups before the one that was found, as long as it is base64."""
    start = at
    while start >= 4 and at - start < _BEFORE and 0 not in kinds[start - 4 : start]:
        start -= 4
    return start
