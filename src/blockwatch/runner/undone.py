"""What bytes say once a reader has undone their coding: where an address may stand that no search finds.

Rules of this file:

* pure, linear and bounded: at most :data:`MOST` bytes come out of one coding, :data:`_LAYERS` of them, and of
  what is compressed somewhere in the middle no more than :data:`_STARTS` are read;
* nothing is cut here; who finds something in what comes out blanks what it came from;
* what is not undone: encryption, scripts, pictures, archives; of a coding that has no reader here it is
  said that it could not be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from blockwatch import content
from blockwatch.runner import coded

MOST = 4 * 1024 * 1024  # bytes of a decoded body that are searched
_LAYERS = 3
_STARTS = 16  # of something compressed behind other bytes
_COMPRESSED = b"\x1f\x8b\x08"  # how gzip begins (RFC 1952)
_IN_BASE64 = re.compile(rb"H4sI[0-9A-Za-z+/_-]{12,}")  # the same in base64
_HEAD = re.compile(rb"HTTP/[0-9](?:\.[0-9])?[ \t]+[0-9]{3}(?![0-9])")
_CODED = ("content-encoding", "transfer-encoding")
_ENCODING = re.compile(rb"(?:content|transfer)-encoding[ \t]*:", re.I)
_HIDDEN = (b"&#", b"&p", b"&c", b"&h", b"%", b"\\u", b"\\x", b"\\/")
_COMPRESSORS = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})
# What an address, a MAC address or a name can consist of, - . / 0-9 : A-Z _ a-z, what lists and networks have
# between (a space, a comma, a star, a plus), and other escapes: # % & ; = \ { }
_HEX = rb"(?:2[0356A-F]|3[0-9ABD]|[46][1-9A-F]|[57][0-9A]|5[CF]|7[BD])"
_ESCAPED = re.compile(
    rb"%(" + _HEX + rb")|\\u00(" + _HEX + rb")|\\x(" + _HEX + rb")|&#x0{0,5}(" + _HEX + rb");?"
    rb"|&#0{0,5}([0-9]{2,3});?|&(period|colon|hyphen|dash|lowbar);|\\(/)",
    re.I,
)
_GZIP = (("Content-Encoding", "gzip"),)
_NAMED = {b"period": b".", b"colon": b":", b"hyphen": b"-", b"dash": b"-", b"lowbar": b"_"}
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def undone(data: bytes) -> Iterator[bytes | None]:
    """``data`` with compression, wide characters and escapes undone, where there are any.

    None: there is more of it than is read.
    """
    for _ in range(_LAYERS):
        if not data.startswith(_COMPRESSED):
            break
        yield from within(data, 1)
        data, _ = content.decode_body(_GZIP, data, MOST)
        yield data
    yield from within(data)
    for found in islice(_IN_BASE64.finditer(data), _STARTS):
        yield content.decode_body(_GZIP, coded.plain(found[0]), MOST)[0]
    if b"\0" in data[:4_096]:  # UTF-16, UTF-32
        data = data.replace(b"\0", b"")
        yield data
    yield from unescaped(data)


def within(data: bytes, start: int = 0) -> Iterator[bytes | None]:
    """What is compressed behind other bytes: a second answer, one of several parts, a stray line."""
    at, left = data.find(_COMPRESSED, start), MOST
    for _ in range(_STARTS):
        if at < 0:
            return
        rest = data[at:]
        plain, more = content.decode_body(_GZIP, rest, left)
        if more:
            yield None
            return
        if plain != rest:  # else these bytes only look like the beginning of it
            left -= len(plain)
            yield plain
            yield from unescaped(plain)
        at = data.find(_COMPRESSED, at + 1)
    if at >= 0:
        yield None


def layered(data: bytes) -> bool:
    """Whether something compressed may begin anywhere in ``data``."""
    return _COMPRESSED in data


def strays(framed: bytes, body: bytes) -> bool:
    """Whether something compressed begins in ``body`` outside of what its framing tells."""
    return body.count(_COMPRESSED) > framed.count(_COMPRESSED)


def further(body: bytes) -> Iterator[bytes | None]:
    """Coded bodies of further responses in ``body``, undone; None: they cannot be read, or are too many."""
    if b"HTTP/" not in body or _ENCODING.search(body) is None:
        return
    room = MOST
    for number, found in enumerate(_HEAD.finditer(body)):
        if number == _STARTS or room < 0:
            yield None
            return
        parsed = content.parse_response(body[found.start() :])
        if not any(name.lower() in _CODED for name, _ in parsed.headers):
            continue  # what stands there as it is was searched
        plain, unread = body_of(parsed.headers, parsed.body)
        room -= len(plain)
        yield None if unread and _BINARY.search(parsed.body) else plain


def unescaped(data: bytes) -> Iterator[bytes]:
    """``data`` with escapes undone, where there are any."""
    for _ in range(_LAYERS):
        if not (b"%" in data or b"&" in data or b"\\" in data) or not any(sign in data for sign in _HIDDEN):
            return
        plain = _ESCAPED.sub(_character, data)
        if plain == data:
            return
        yield plain
        data = plain


def body_of(headers: content.Headers, body: bytes) -> tuple[bytes, bool]:
    """The body with its content coding undone, and whether something of it could not be read."""
    plain, more = content.decode_body(headers, body, MOST)
    return plain, more or _unread(content.undecodable(headers), plain)


def _unread(coding: str | None, data: bytes) -> bool:
    """Whether a coding that has no reader here is really one: servers also write ``utf-8`` there."""
    return coding is not None and (coding in _COMPRESSORS or _BINARY.search(data) is not None)


def _character(found: re.Match[bytes]) -> bytes:
    kind = found.lastindex or 0
    text = found[kind]
    if kind == 5:
        number = int(text)
        return bytes((number,)) if number < 128 else found[0]
    if kind == 6:
        return _NAMED[text.lower()]
    return text if kind == 7 else bytes((int(text, 16),))
