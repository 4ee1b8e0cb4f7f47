"""Damages good input at random: a few changes, or one piece of it repeated until the input is long."""

from __future__ import annotations

import random
from collections.abc import Sequence

WORDS = (
    *(b"", b"\0", b"\xff", b"\n", b"\r\n\r\n", b"{", b"}", b"[", b"]", b'"', b",", b":", b"/", b"=", b"+"),
    *(b"null", b"true", b"-1", b"0", b"1e999", b"9007199254740993", b"18446744073709551616", b"../"),
    *(b"-9223372036854775809", b"\\u0000", b"\\ud800", b"\xed\xa0\x80", b"\xe2\x80\xae"),
    *(b"A" * 64, b"0" * 64),
    *(b"\x80\0\0\0\0\0\0\0", b"\x1f\x8b", b"HTTP/1.1 200 OK\r\n", b"Content-Length: 99999999999\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"WARC/1.1\r\n", b"0001-01-01", b"9999-12-31T23:59:60Z", b"xn--"),
    *(b"%00", b"%zz", b"[::ffff:127.0.0.1%25]", b"\\", b"&#x110000;", b"<title>", b"<!--", b"</"),
)  # fmt: skip


def damaged(chance: random.Random, corpus: Sequence[bytes], most: int) -> bytes:
    """One of the corpus with one to eight changes."""
    raw = bytearray(chance.choice(corpus))
    for _ in range(1 << chance.randrange(4)):
        at = chance.randrange(len(raw) + 1)
        size = min(len(raw) - at, 1 << chance.randrange(10))
        what = chance.randrange(8)
        if what == 0 and at < len(raw):
            raw[at] ^= 1 << chance.randrange(8)
        elif what == 1 and at < len(raw):
            raw[at] = chance.randrange(256)
        elif what == 2:
            del raw[at : at + size]
        elif what == 3:
            raw[at:at] = raw[at : at + size] * chance.choice((1, 2, 40))
        elif what == 4:
            raw[at:at] = chance.choice(WORDS)
        elif what == 5:
            word = chance.choice(WORDS)
            raw[at : at + len(word)] = word
        elif what == 6:
            other = chance.choice(corpus)
            begin = chance.randrange(len(other) + 1)
            raw[at : at + size] = other[begin : begin + size]
        else:
            del raw[len(raw) - chance.randrange(min(len(raw), 64) + 1) :]
    return bytes(raw[:most])


def stretched(chance: random.Random, corpus: Sequence[bytes], most: int) -> bytes:
    """One of the corpus with one piece of it, or a word, repeated until it is as long as may be."""
    raw = chance.choice(corpus)
    at = chance.randrange(len(raw) + 1)
    piece = raw[at : at + (1 << chance.randrange(8))] if chance.randrange(2) else chance.choice(WORDS)
    piece = piece or b"\0"
    room = max(0, most - len(raw)) >> chance.randrange(5)
    return (raw[:at] + piece * (room // len(piece)) + raw[at:])[:most]
