"""DNS replies that are broken in one named way each."""

from __future__ import annotations

import random
import struct

_FLAGS = 0x8180  # reply, recursion desired and available


def malformed(how: str, query: bytes, end: int) -> bytes:
    """A broken reply to ``query``, whose question ends at byte ``end``."""
    question = query[12:end]
    pointer = b"\xc0\x0c"
    address = struct.pack(">HHIH", 1, 1, 60, 4) + b"\x05\x2d\x41\x07"
    if how == "garbage":
        return random.Random(query).randbytes(60)  # noqa: S311  (not for secrets)
    if how == "loop":  # the owner name points to itself
        here = 12 + len(question)
        return _head(query, 1) + question + struct.pack(">H", 0xC000 | here) + address
    if how == "cut":
        return _head(query, 1) + question + pointer + address[:7]
    if how == "counts":
        return _head(query, 65_535) + question
    if how == "question":
        return _head(query, 1) + b"\5other\7example\0\0\1\0\1" + pointer + address
    raise ValueError(f"no such malformed reply: {how}")


def _head(query: bytes, answers: int) -> bytes:
    return query[:2] + struct.pack(">HHHHH", _FLAGS, 1, answers, 0, 0)
