"""The forms in which servers write what is known of this line: patterns to cut it by.

Rules of this file:

* pure; every pattern begins with one literal byte, in its own case, and what must not stand before it
  follows that byte: so a search can skip to the few bytes that begin any of them;
* linear time: repeats are bounded;
* a form that may be a number like any other (hexadecimal, decimal) is cut as a whole word only;
* an escaped character before it (``%22``, ``\\u0022``) ends in a digit and is no part of it;
* IPv6: everything under the own /64 is the own line's; of shorter prefixes only what is written as one;
* what a limit of ours cut off in its middle is found by its beginning, at the very end, or before a byte
  that is in no text (0xFF), by which texts are parted that are looked at together.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

from blockwatch.runner.coded import LONG_ENOUGH

V4_END = rb"(?![0-9])(?!\.[0-9])"
COLON = rb"(?::|%3A)"
_DOT = rb"(?:[.,] ?|%(?:25)?2E| [.,] ?|=2E|\\(?:u\{2E\}|056|2E ?))"  # in lists, mails, scripts, styles, too
_DASH = rb"(?:-|_|%2D|%5F)"
_JOINT = rb"(?::|%3A|-|_|%2D|%5F)"  # between groups of IPv6
_ANY_JOINT = rb"(?:[:._ -]|%3A|%2D)?"  # between the bytes of a MAC address
_BYTE_JOINT = rb"(?:[: +-]|%|\\x)"  # between those of an IPv4 address
_ESCAPE = rb"|(?<=%[0-9A-Fa-f]{2}.)|(?<=\\u[0-9A-Fa-f]{4}.)"
_NO_DIGIT = rb"(?:(?<![0-9].)" + _ESCAPE + rb")"
_NO_OCTET = rb"(?:(?<![0-9].)(?<![0-9]\..)" + _ESCAPE + rb")"
_NO_HEX = rb"(?:(?<![0-9A-Fa-f].)" + _ESCAPE + rb")"
_NO_MAC = rb"(?:(?<![0-9A-Fa-f].)(?<![0-9A-Fa-f][:.-].)" + _ESCAPE + rb")"
_NO_WORD = rb"(?:(?<![0-9A-Za-z_.-].)|(?<=0[xX].)" + _ESCAPE + rb")"
_NO_LETTER = rb"(?:(?<![0-9A-Za-z].)" + _ESCAPE + rb")"
_NO_BASE64 = rb"(?<![0-9A-Za-z+].)"
_AFTER_COLON = rb"(?:(?<=:.)|(?<=%3[Aa].))"
_MAC_END = rb"(?![0-9A-F])(?![:.-][0-9A-F]{2}(?![0-9A-Z]))"
_WORD_END = rb"(?![0-9A-Za-z_])"
_SLASH = rb"(?:/|\\/|%2F)"
_SPACE = rb"(?: |%20|[+]|&nbsp;){0,2}"
_TO = _SPACE + rb"(?:-|\xe2\x80\x93|&ndash;|to)" + _SPACE  # from the first of a network to its last
_GUARD = re.compile(rb"\(\?!\[[^\]]*\]\)")  # what must not follow
_IPV4 = ipaddress.IPv4Address
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Form = tuple[bytes, bytes, bytes]  # its first byte, what must not precede it, the rest of it


def pattern(
    addresses: Iterable[str],
    *,
    alone: Iterable[str] = (),
    macs: Iterable[str] = (),
    words: Iterable[str] = (),
    bare: bool = False,
) -> re.Pattern[bytes] | None:
    """What finds any form of them; None: there are none.

    ``alone``: addresses without their networks; ``macs``: 12 hex digits each; ``words``: names and paths;
    ``bare``: whatever stands around them, since a length before or after a text may look like a digit.
    """
    forms: list[Form] = []
    for address, lonely in _sorted(addresses, alone):
        forms += _address(address, lonely)
    for mac in sorted(set(macs)):
        pairs = [mac[at : at + 2].encode("ascii") for at in range(2, 12, 2)]
        rest = mac[1].encode("ascii") + b"".join(_ANY_JOINT + pair for pair in pairs)
        forms += _form(mac[0], _NO_MAC, rest + _MAC_END)
    for word in sorted(set(words)):
        raw = word.encode("utf-8", "surrogateescape")
        forms += _bytes_form(raw[:1], _NO_LETTER, re.escape(raw[1:]) + rb"(?![0-9A-Z])")
    if bare:
        forms = [(first, b"", _GUARD.sub(b"", rest)) for first, _, rest in forms]
    return re.compile(_joined(forms), re.S) if forms else None


def _sorted(addresses: Iterable[str], alone: Iterable[str]) -> Iterator[tuple[Address, bool]]:
    """Each address, and whether its network is not ours: its alone, or one that many have (private)."""
    own = set(addresses)
    for text in sorted(own | set(alone)):
        address = ipaddress.ip_address(text)
        yield address, text not in own or not address.is_global


def _joined(forms: Iterable[Form]) -> bytes:
    """One pattern: by first byte, then by what must not precede it, so that most bytes cost little."""
    tree: dict[bytes, dict[bytes, dict[bytes, None]]] = {}
    for first, before, rest in forms:
        tree.setdefault(first, {}).setdefault(before, {})[rest] = None
    return b"|".join(
        re.escape(first)
        + b"(?:"
        + b"|".join(b + b"(?:" + b"|".join(r) + b")" for b, r in under.items())
        + b")"
        for first, under in tree.items()
    )


def packed_pattern(addresses: Iterable[str], *, alone: Iterable[str] = ()) -> re.Pattern[bytes] | None:
    """What finds them in a DNS message or a certificate: as an address, or as the subnet of a client."""
    forms = []
    for address, lonely in _sorted(addresses, alone):
        packed = address.packed
        if len(packed) == 4:  # RFC 7871, section 6: option 8, its length, family, two prefix lengths
            subnet = rb"\x00\x08\x00[\x06-\x08]\x00\x01.." + re.escape(packed[:2])
        else:
            subnet = rb"\x00\x08\x00.\x00\x02.." + re.escape(packed[:4])
        forms += [re.escape(packed if lonely else packed[:8]), *([] if lonely else [subnet])]
    return re.compile(b"|".join(forms), re.S) if forms else None


def _address(address: Address, lonely: bool) -> Iterator[Form]:
    if not lonely:
        yield from _prefixes(address)
    if isinstance(address, _IPV4):
        yield from _v4(address)
        if not lonely:
            yield from _odd_v4(address)
    else:
        yield from _v6(address)
        if not lonely:
            yield from _under_prefix(address)
    if not lonely:
        yield from _torn(str(address))
    if len(str(address)) < LONG_ENOUGH:
        yield from _base64(str(address))
    yield from _packed_base64(address.packed)
    digits = str(address).encode("ascii").hex()
    yield from _form(digits[0], rb"", digits[1:].encode("ascii"))


def _bytes_form(first: bytes, before: bytes, rest: bytes) -> Iterator[Form]:
    """``first`` in both cases, then what must not precede it, then ``rest`` in any case."""
    for letter in sorted({first.lower(), first.upper()}):
        yield letter, before, rb"(?i:" + rest + rb")"


def _form(first: str, before: bytes, rest: bytes) -> Iterator[Form]:
    yield from _bytes_form(first.encode("ascii"), before, rest)


def _groups(parts: Sequence[str], width: int, joint: bytes, before: bytes, end: bytes) -> Iterator[Form]:
    """Numbers with leading zeros or without, up to ``width`` digits, between joints."""
    zeros = [rb"0{0,%d}" % (width - len(part)) if len(part) < width else b"" for part in parts]
    texts = [part.encode("ascii") for part in parts]
    rest = b"".join(joint + zero + text for zero, text in zip(zeros[1:], texts[1:], strict=True)) + end
    yield from _form(parts[0][0], before, texts[0][1:] + rest)
    if zeros[0] and parts[0] != "0":
        more = rb"0{0,%d}" % (width - len(parts[0]) - 1)
        yield from _form("0", before, more + texts[0] + rest)


def _v4(address: ipaddress.IPv4Address) -> Iterator[Form]:
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
    hexadecimal = _DOT.join(b"0x0?%x" % octet for octet in address.packed)
    yield from _form("0", _NO_LETTER, hexadecimal[1:] + rb"(?![0-9A-F])")
    octal = _DOT.join(b"0{1,3}%o" % octet for octet in address.packed)  # as in 0137.070.010.024
    yield from _form("0", _NO_OCTET, rb"0{0,2}" + octal[6:] + V4_END)


def _odd_v4(address: ipaddress.IPv4Address) -> Iterator[Form]:
    """As little-endian machines have the number, and the four bytes one by one."""
    turned = address.packed[::-1].hex()
    for number in dict.fromkeys((turned, turned.lstrip("0"), str(int(turned, 16)))):
        yield from _form(number[0], _NO_WORD, number[1:].encode("ascii") + _WORD_END)
    pairs = _BYTE_JOINT.join(b"%02x" % octet for octet in address.packed)
    yield from _form(f"{address.packed[0]:02x}"[0], _NO_MAC, pairs[1:] + _MAC_END)


def _under_prefix(address: ipaddress.IPv6Address) -> Iterator[Form]:
    """Any address under the /64, and the bare text of it."""
    groups = [f"{int(group, 16):x}" for group in address.exploded.split(":")]
    under = rb"(?:" + _JOINT + rb"[0-9A-F]{0,4}){0,5}(?![0-9A-F])"
    yield from _groups(groups[:4], 4, _JOINT, _NO_HEX, under)
    if groups[3] == "0":  # :: may stand for the end of the prefix: at most four groups follow then
        known = next((n for n in (3, 2) if groups[n - 1] != "0"), 1)
        few = _JOINT + rb"{2}(?:[0-9A-F]{1,4}(?:" + _JOINT + rb"[0-9A-F]{1,4}){0,3})?(?![0-9A-F])"
        yield from _groups(groups[:known], 4, _JOINT, _NO_HEX, few)
    digits = address.packed.hex()
    yield from _form(digits[0], _NO_WORD, digits[1:16].encode("ascii") + rb"(?:[0-9A-F]{16})?" + _WORD_END)
    yield from _nibbles(digits[15::-1])


def _v6(address: ipaddress.IPv6Address) -> Iterator[Form]:
    """This address alone; :: may stand anywhere in it."""
    yield from _shortened(str(address))
    groups = [f"{int(group, 16):x}" for group in address.exploded.split(":")]
    yield from _groups(groups, 4, _JOINT, _NO_HEX, rb"(?![0-9A-F])")
    digits = address.packed.hex()
    yield from _form(digits[0], _NO_WORD, digits[1:].encode("ascii") + _WORD_END)
    yield from _nibbles(digits[::-1])


def _shortened(text: str) -> Iterator[Form]:
    parts = re.sub(r":(?=[0-9a-f])", ":0{0,3}", text[1:]).encode("ascii").replace(b":", _JOINT)
    yield from _form(text[0], _NO_HEX, parts + rb"(?![0-9A-F])(?!:[0-9A-F])")


def _nibbles(nibbles: str) -> Iterator[Form]:
    """As in ip6.arpa."""
    rest = b"".join(_DOT + nibble.encode("ascii") for nibble in nibbles[1:])
    yield from _form(nibbles[0], _NO_HEX, rest + rb"(?![0-9A-F])")


def _prefixes(address: Address) -> Iterator[Form]:
    """The network of an address as anonymisers write it: 1.2.3.0, 1.2.3.x, 1.2.0.0/16, 2001:db8::/48."""
    if isinstance(address, _IPV4):
        for length in (*range(9, 24), *range(25, 33), 24):  # before what a range begins with
            network = ipaddress.ip_network((int(address) >> 32 - length << 32 - length, length))
            written = str(network.network_address).split(".")
            last = re.escape(str(network.broadcast_address).encode("ascii"))
            end = rb"(?:" + _SLASH + b"%d" % length + rb"|" + _TO + last + rb")"
            yield from _groups(written, 3, _DOT, _NO_OCTET, end + V4_END)
        octets = str(address).split(".")
        yield from _groups([*octets[:3], "0"], 3, _DOT, _NO_OCTET, V4_END)
        end = rb"(?:" + _SLASH + rb"24|\.(?:[X*]{1,3}|(?![0-9])))"
        yield from _groups(octets[:3], 3, _DOT, _NO_OCTET, end + V4_END)
        yield from _groups(octets[:2], 3, _DOT, _NO_OCTET, rb"(?:\.[X*]{1,3}){2}" + V4_END)
        return
    for length in (32, 40, 44, 48, 52, 56, 60):
        text = str(ipaddress.ip_network((int(address) >> 128 - length << 128 - length, length)))
        start = text[1 : text.index("::")].encode("ascii").replace(b":", _JOINT)
        slash = _SLASH + b"%d" % length
        end = rb"(?:" + slash + rb")?" if length >= 48 else slash
        yield from _form(text[0], _NO_HEX, start + _JOINT + rb"{2}(?![0-9A-F])" + end + rb"(?![0-9])")


def _torn(text: str) -> Iterator[Form]:
    """The beginning of an address at the end of what was kept of a text: three octets or groups."""
    joint, at = (":", 2) if ":" in text else (".", 2)
    parts = text.split(joint)
    least = len(joint.join(parts[: at + 1]))
    optional = b""
    for letter in reversed(text[least:-1]):
        optional = rb"(?:" + re.escape(letter.encode("ascii")) + optional + rb")?"
    before = _NO_OCTET if joint == "." else _NO_HEX
    yield from _form(
        text[0], before, re.escape(text[1:least].encode("ascii")) + optional + rb"(?:\Z|(?=\xff))"
    )


def _base64(text: str) -> Iterator[Form]:
    """What a short text looks like inside base64, after 0, 1 or 2 other bytes (RFC 4648)."""
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + text.encode("ascii") + b"\0\0")
        known = coded[(0, 2, 3)[shift] : (shift + len(text)) * 8 // 6]
        for one in dict.fromkeys((known, known.translate(_URL_SAFE))):
            yield one[:1], b"", re.escape(one[1:])


def _packed_base64(packed: bytes) -> Iterator[Form]:
    """The bytes themselves in base64, as a word of its own."""
    coded = base64.b64encode(packed).rstrip(b"=")
    for known in dict.fromkeys((coded, coded.translate(_URL_SAFE))):
        yield known[:1], _NO_BASE64, re.escape(known[1:]) + rb"(?:={1,2}|%3[Dd]|(?![0-9A-Za-z+]))"


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
