"""The forms in which servers write an address that is known: patterns to cut it by.

Rules of this file:

* pure; every pattern begins with one literal byte, in its own case, and what must not stand before it
  follows that byte: so a search can skip to the few bytes that begin any of them;
* linear time: repeats are bounded;
* a form that may be a number like any other (hexadecimal, decimal) is cut as a whole word only;
* an escaped character before it (``%22``, ``\\u0022``) ends in a digit and is no part of it;
* IPv6: everything under the own /64 is the own line's.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

V4_END = rb"(?![0-9])(?!\.[0-9])"
COLON = rb"(?::|%3A)"
_DOT = rb"(?:\.|%2E|%252E)"
_DASH = rb"(?:-|_|%2D|%5F)"
_JOINT = rb"(?::|%3A|-|_|%2D|%5F)"  # between groups of IPv6
_ESCAPE = rb"|(?<=%[0-9A-Fa-f]{2}.)|(?<=\\u[0-9A-Fa-f]{4}.)"
_NO_DIGIT = rb"(?:(?<![0-9].)" + _ESCAPE + rb")"
_NO_OCTET = rb"(?:(?<![0-9].)(?<![0-9]\..)" + _ESCAPE + rb")"
_NO_HEX = rb"(?:(?<![0-9A-Fa-f].)" + _ESCAPE + rb")"
_NO_WORD = rb"(?:(?<![0-9A-Za-z_.-].)|(?<=0[xX].)" + _ESCAPE + rb")"
_AFTER_COLON = rb"(?:(?<=:.)|(?<=%3[Aa].))"
_WORD_END = rb"(?![0-9A-Za-z_])"


def pattern(addresses: Iterable[str]) -> re.Pattern[bytes] | None:
    """What finds any form of ``addresses``; None: there are none."""
    forms: list[bytes] = []
    for text in sorted(set(addresses)):
        address = ipaddress.ip_address(text)
        found = _v4(address) if isinstance(address, ipaddress.IPv4Address) else _v6(address)
        forms += [*found, *_base64(str(address))]
    return re.compile(b"|".join(dict.fromkeys(forms)), re.S) if forms else None


def _form(first: str, before: bytes, rest: bytes) -> Iterator[bytes]:
    """``first`` in both cases, then what must not precede it, then ``rest`` in any case."""
    for letter in sorted({first.lower(), first.upper()}):
        yield re.escape(letter.encode("ascii")) + before + rb"(?i:" + rest + rb")"


def _groups(parts: Sequence[str], width: int, joint: bytes, before: bytes, end: bytes) -> Iterator[bytes]:
    """Numbers with leading zeros or without, up to ``width`` digits, between joints."""
    zeros = [rb"0{0,%d}" % (width - len(part)) if len(part) < width else b"" for part in parts]
    texts = [part.encode("ascii") for part in parts]
    rest = b"".join(joint + zero + text for zero, text in zip(zeros[1:], texts[1:], strict=True)) + end
    yield from _form(parts[0][0], before, texts[0][1:] + rest)
    if zeros[0] and parts[0] != "0":
        more = rb"0{0,%d}" % (width - len(parts[0]) - 1)
        yield from _form("0", before, more + texts[0] + rest)


def _v4(address: ipaddress.IPv4Address) -> Iterator[bytes]:
    octets = str(address).split(".")
    yield from _groups(octets, 3, _DOT, _NO_OCTET, V4_END)
    yield from _groups(octets, 3, _DASH, _NO_DIGIT, rb"(?![0-9])")
    yield from _groups(octets[::-1], 3, _DOT, _NO_OCTET, rb"(?=\.[A-Z_])")  # a name: in-addr.arpa, pools
    yield from _groups(octets[::-1], 3, _DASH, _NO_DIGIT, rb"(?![0-9])")
    digits = address.packed.hex()
    halves = [f"{int(half, 16):x}" for half in (digits[:4], digits[4:])]
    yield from _groups(halves, 4, COLON, _AFTER_COLON, rb"(?![0-9A-F])")  # ::ffff:, 64:ff9b::, 2002:
    for number in dict.fromkeys((digits, digits.lstrip("0"), str(int(address)))):
        yield from _form(number[0], _NO_WORD, number[1:].encode("ascii") + _WORD_END)


def _v6(address: ipaddress.IPv6Address) -> Iterator[bytes]:
    groups = [f"{int(group, 16):x}" for group in address.exploded.split(":")]
    # any address under the /64, and the bare text of it
    under = rb"(?:" + _JOINT + rb"[0-9A-F]{0,4}){0,5}(?![0-9A-F])"
    yield from _groups(groups[:4], 4, _JOINT, _NO_HEX, under)
    if groups[3] == "0":  # :: may stand for the end of the prefix: at most four groups follow then
        known = next((n for n in (3, 2) if groups[n - 1] != "0"), 1)
        few = _JOINT + rb"{2}(?:[0-9A-F]{1,4}(?:" + _JOINT + rb"[0-9A-F]{1,4}){0,3})?(?![0-9A-F])"
        yield from _groups(groups[:known], 4, _JOINT, _NO_HEX, few)
    text = str(address)  # :: may stand within the prefix
    parts = re.sub(r":(?=[0-9a-f])", ":0{0,3}", text[1:]).encode("ascii").replace(b":", _JOINT)
    yield from _form(text[0], _NO_HEX, parts + rb"(?![0-9A-F])")
    digits = address.packed.hex()
    yield from _form(digits[0], _NO_WORD, digits[1:16].encode("ascii") + rb"(?:[0-9A-F]{16})?" + _WORD_END)
    for nibbles in (digits[::-1], digits[15::-1]):  # ip6.arpa
        rest = b"".join(_DOT + nibble.encode("ascii") for nibble in nibbles[1:])
        yield from _form(nibbles[0], _NO_HEX, rest + rb"(?![0-9A-F])")


def _base64(text: str) -> Iterator[bytes]:
    """What the text looks like inside base64, after 0, 1 or 2 other bytes (RFC 4648)."""
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + text.encode("ascii") + b"\0\0")
        known = coded[(0, 2, 3)[shift] : (shift + len(text)) * 8 // 6]
        yield from dict.fromkeys((re.escape(known), re.escape(known.translate(_URL_SAFE))))


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
