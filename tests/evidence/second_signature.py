"""Another signature over the same text by the same key: only who has the secret can make one.

Ed25519 (RFC 8032, section 5.1.6) takes its secret number from the text, so that every program makes the same
signature; here it is another number. Slow, and not safe for anything but tests.
"""

from __future__ import annotations

from hashlib import sha512

from blockwatch.evidence.note import Signature, format_note, parse_note
from blockwatch.evidence.signing import Signer

P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
BASE_Y = 4 * pow(5, -1, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
Point = tuple[int, int]


def add(a: Point, b: Point) -> Point:
    product = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, P) % P
    return x, (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P) % P


def times(number: int, point: Point) -> Point:
    result = (0, 1)
    for bit in f"{number:b}":
        result = add(result, result)
        result = add(result, point) if bit == "1" else result
    return result


def second(note: bytes, signer: Signer) -> bytes:
    """The note with a signature by the same key that holds, and is another one."""
    text = parse_note(note).text
    half = sha512(signer._private.private_bytes_raw()).digest()[:32]
    secret = int.from_bytes(half, "little") & (2**254 - 8) | 2**254
    x, y = times(12345, (BASE_X, BASE_Y))
    start = (y | (x & 1) << 255).to_bytes(32, "little")
    challenge = int.from_bytes(sha512(start + signer.key.public + text).digest(), "little")
    end = (12345 + challenge * secret) % ORDER
    signed = Signature(signer.key.name, signer.key.id, start + end.to_bytes(32, "little"))
    return format_note(text, (signed,))
