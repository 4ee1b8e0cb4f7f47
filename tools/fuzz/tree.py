"""Damages JSON as a tree, so that what comes out is JSON still, and in canonical form: one value a line.

Random bytes hardly ever get past a reader that demands one form; what is wrong in that form does.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec

JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**53, -(2**53), 2**53 + 1, 2**63, 65_536, 200, 302),
    *("", "\0", "A" * 300, "\u202e", "é", "\ud7ff\uffff", "0", "null", "system", "udp://192.0.2.1:53"),
    *("http://[", "https://site.example.org/", "http://192.0.2.7:1/x", "xn--", "..", "../../x", "192.0.2.1"),
    *("2001:db8::1%1", "::ffff:10.0.0.1", "1.2.3.4:99999", "9999-99-99 00:00:00", "1970-01-01 00:00:00"),
    *("connection_reset", "generic_timeout_error", "dns_nxdomain_error", "ssl_invalid_hostname", "AAA="),
    *([], {}, [None], [[]], [{}], [["a", "b"]], [[1, 2]],  {"format": "base64", "data": "A"}, 1.5, 1e300),
)  # fmt: skip


def changed(chance: random.Random, raw: bytes, most: int) -> bytes | None:
    """``raw`` with one to four changes to one of its lines; None: no line of it is JSON."""
    lines = raw.split(b"\n")
    at = chance.randrange(len(lines))
    try:
        root = [msgspec.json.decode(lines[at])]
        for _ in range(1 << chance.randrange(3)):
            _change(chance, root)
        lines[at : at + 1] = [msgspec.json.encode(value, order="sorted") for value in root]
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError):
        return None
    return b"\n".join(lines)[:most]


def _change(chance: random.Random, root: list[Any]) -> None:
    places = list(_places(root))
    if not places:  # an earlier change took everything
        return
    owner, key = chance.choice(places)
    other, source = chance.choice(places)
    what = chance.randrange(6)
    if what == 0:
        del owner[key]
    elif what == 1:
        owner[key] = chance.choice(JUNK)
    elif what == 2:
        owner[key] = msgspec.json.decode(msgspec.json.encode(other[source]))
    elif what == 3 and isinstance(owner, list):
        owner[key:key] = [owner[key]] * chance.choice((1, 2, 70))
    elif what == 4 and isinstance(owner[key], int):
        owner[key] += chance.choice((1, -1, 1_000_000, -1_000_000))
    elif what == 5 and isinstance(owner[key], str) and owner[key]:
        cut = chance.randrange(len(owner[key]))
        owner[key] = owner[key][:cut] + str(chance.choice(JUNK)) + owner[key][cut:]
    else:
        owner[key] = chance.choice(JUNK)


def _places(value: Any) -> Any:
    """Every (container, key or index) in ``value``."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from _places(inner)
