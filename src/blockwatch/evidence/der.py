"""DER (X.690): the little of it that a time-stamp token is made of.

Rules of this file:

* definite lengths and one-byte tags only, each length in its shortest form: what else there is in BER
  is refused, not guessed at;
* nothing is copied or followed before it is known to lie within the bytes given;
* every fault in the input is a ``ValueError``.
"""

from __future__ import annotations

from typing import NamedTuple

INTEGER, OCTETS, NULL, OID, TIME = 0x02, 0x04, 0x05, 0x06, 0x18
SEQUENCE, SET = 0x30, 0x31
_MAX_ITEMS = 1_000


class Item(NamedTuple):
    """One element: its tag, its content, and all its bytes."""

    tag: int
    body: bytes
    whole: bytes


def items(data: bytes) -> list[Item]:
    """Read the elements that ``data`` consists of, in order."""
    found: list[Item] = []
    at = 0
    while at < len(data):
        if len(found) == _MAX_ITEMS:
            raise ValueError("too many elements")
        start, body = at, _body_at(data, at)
        length = body[1]
        at = body[0] + length
        if at > len(data):
            raise ValueError("an element that is cut short")
        found.append(Item(data[start], data[body[0] : at], data[start:at]))
    return found


def _body_at(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at ``at`` begins, and its length."""
    if at + 2 > len(data) or data[at] & 0x1F == 0x1F:
        raise ValueError("no element")
    first = data[at + 1]
    if first < 0x80:
        return at + 2, first
    count = first & 0x7F
    raw = data[at + 2 : at + 2 + count]
    length = int.from_bytes(raw, "big")
    if not 1 <= count <= 4 or len(raw) < count or raw[0] == 0 or length < 0x80:
        raise ValueError("a length that is not DER")
    return at + 2 + count, length


def one(data: bytes, tag: int) -> list[Item]:
    """Read the content of the only element in ``data``, which must have this tag."""
    found = items(data)
    if len(found) != 1:
        raise ValueError("more or less than one element")
    return inside(found[0], tag)


def inside(item: Item, tag: int) -> list[Item]:
    """Read the elements in ``item``, which must have this tag."""
    return items(body(item, tag))


def body(item: Item, tag: int) -> bytes:
    """Give the content of ``item``, which must have this tag."""
    if item.tag != tag:
        raise ValueError(f"tag {item.tag:#04x} where {tag:#04x} belongs")
    return item.body


def integer(item: Item) -> int:
    """Read an INTEGER of at most 64 bytes."""
    raw = body(item, INTEGER)
    if not 1 <= len(raw) <= 64:
        raise ValueError("an integer of impossible size")
    return int.from_bytes(raw, "big", signed=True)


def oid(item: Item) -> str:
    """Read an OBJECT IDENTIFIER in dotted form."""
    raw = body(item, OID)
    if not 1 <= len(raw) <= 64 or raw[-1] & 0x80:
        raise ValueError("an object identifier that is cut short")
    arcs: list[int] = []
    value = 0
    for byte in raw:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def element(tag: int, *content: bytes) -> bytes:
    """Write one element."""
    joined = b"".join(content)
    size = len(joined)
    if size < 0x80:
        return bytes((tag, size)) + joined
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + joined


def integer_of(value: int) -> bytes:
    """Write a non-negative INTEGER."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid_of(dotted: str) -> bytes:
    """Write an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return element(OID, b"".join(_base_128(arc) for arc in (40 * first + second, *rest)))


def _base_128(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | value & 0x7F)
    return bytes(reversed(out))
