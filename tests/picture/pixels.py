"""The upper rows of a PNG file as colours: enough to see what a browser painted."""

from __future__ import annotations

import struct
import zlib

Colour = tuple[int, int, int]
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def upper_rows(png: bytes, count: int) -> list[list[Colour]]:
    """The first ``count`` rows of a picture of 8 bits a channel, without its transparency."""
    kinds = chunks(png)
    width, _, depth, kind, *_ = struct.unpack(">IIBBBBB", kinds[0][1])
    assert (depth, kind) in ((8, 2), (8, 6))
    step = 3 if kind == 2 else 4
    length = width * step
    raw = zlib.decompressobj().decompress(b"".join(c for k, c in kinds if k == b"IDAT"), count * (length + 1))
    rows: list[list[Colour]] = []
    above = bytearray(length)
    for at in range(0, len(raw), length + 1):
        row = bytearray(raw[at + 1 : at + 1 + length])
        for i in range(length):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            row[i] = (row[i] + predicted(raw[at], left, above[i], corner)) & 255
        rows.append([(row[i], row[i + 1], row[i + 2]) for i in range(0, length, step)])
        above = row
    return rows


def predicted(filter_: int, left: int, up: int, corner: int) -> int:
    """PNG, section 9.2."""
    if filter_ == 4:
        distances = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
        return (left, up, corner)[distances.index(min(distances))]
    return (0, left, up, (left + up) // 2)[filter_]


def colours(png: bytes, rows: int = 8) -> set[Colour]:
    """Every colour in the first rows."""
    return {colour for row in upper_rows(png, rows) for colour in row}
