"""Hashes that a server took of what it sent: with them what was cut could be found by trying all there is.

Rules of this file:

* pure and linear; it is used only where something was cut, or where a response did not come whole: what is
  missing may be known from elsewhere, and hold the address;
* of a header that is known to hold one (``ETag`` of many frameworks, ``Content-MD5``, RFC 9530; also in the
  trailers of a chunked body) the whole value goes; the names are known by what they say, because everybody
  makes up new ones;
* elsewhere, and only where something was cut, what looks like one: 32 or more hexadecimal digits, 27 or more
  characters of base64 with both cases and digits in them, 22 or more that are padded, ``sha256-…`` as in a
  policy for scripts: a redirect signs what it tells, a token of three parts what it says;
* a cut keeps the length in bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import md5, sha1, sha256

from blockwatch.runner.marks import MARK, same_length

Headers = tuple[tuple[str, str], ...]

_NAMES = rb"(?:etag|md5|sha[_-]?[1-9]|digest|checksum|crc|hash|signature|hmac|integrity|fingerprint)"
_TOKEN = rb"[!#-9A-Z^-z|~]{0,60}"  # of a field's name (RFC 9110, section 5.6.2)
_NAME = re.compile(_NAMES, re.I)
_FIELD = re.compile(  # with the lines that go on (RFC 9112, section 5.2)
    rb"^(" + _TOKEN + _NAMES + _TOKEN + rb"[ \t]*:[ \t]*)([^\r\n]+(?:\r?\n[ \t][^\r\n]*)*)", re.I | re.M
)
_LAST_CHUNK = re.compile(rb"(?:^|\n)0+(?:;[^\n]{0,1000})?\r?\n")
_TAIL = 65_536  # bytes of a body in which trailers may stand
_ANY = rb"[0-9A-Za-z+/_-]"
_HASH = re.compile(
    rb"(?<![0-9A-Za-z])[0-9A-Fa-f]{32,}(?![0-9A-Za-z])"
    rb"|[Ss][Hh][Aa]-?(?:1|256|384|512)[=:-]{1,2}" + _ANY + rb"{20,}=*"
    rb"|(?<![]0-9A-Za-z+/_-])" + _ANY + rb"{22,}(?:=|%3[Dd]){1,2}(?![0-9A-Za-z%])"
    rb"|(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])(?=[A-Za-z_-]*[0-9])[0-9A-Za-z_-]{27,}"
)
_HEX = bytes(b"h"[0] if byte in b"0123456789abcdefABCDEF" else b"."[0] for byte in range(256))
_LEAST = b"h" * 32  # the shortest that is looked for, as _HEX shows it: most pages have none so long
_RUN = re.compile(rb"[0-9A-Fa-f]{32,64}")
_TEXT_HASH = re.compile(_HASH.pattern.decode("ascii"), re.A)


def of_addresses(addresses: Iterable[str]) -> frozenset[bytes]:
    """What sites tell visitors apart by: hashes of their addresses, in hexadecimal."""
    kinds = (md5, sha1, sha256)
    texts = [address.encode("ascii") for address in addresses]
    return frozenset(
        kind(text, usedforsecurity=False).hexdigest().encode() for kind in kinds for text in texts
    )


def without_known(data: bytes, known: frozenset[bytes], mark: Callable[[int], bytes]) -> bytes:
    """``data`` with a mark for each of ``known`` that stands in it."""
    if not known or _LEAST not in data.translate(_HEX):
        return data
    return _RUN.sub(lambda run: mark(len(run[0])) if run[0].lower() in known else run[0], data)


def without_hashes(head: bytes, body: bytes, *, told: bool) -> tuple[bytes, bytes]:
    """A response's head and body without them; ``told``: something was cut, not merely missing."""
    last = next(reversed(list(_LAST_CHUNK.finditer(body, max(0, len(body) - _TAIL)))), None)
    at = last.end() if last else len(body)
    head, body = _without_fields(head), body[:at] + _without_fields(body[at:])
    return (_without_any(head), _without_any(body)) if told else (head, body)


def fields_without_hashes(headers: Headers, *, told: bool) -> Headers:
    """The stored fields of such a head."""
    return tuple(
        (name, MARK)
        if value and _NAME.search(name.encode("latin-1", "replace"))
        else (name, text_without_hashes(value) if told else value)
        for name, value in headers
    )


def text_without_hashes(text: str) -> str:
    """A text out of which something was cut, without what looks like a hash."""
    return _TEXT_HASH.sub(MARK, text)


def _without_fields(lines: bytes) -> bytes:
    return _FIELD.sub(lambda found: found[1] + same_length(len(found[2])), lines)


def _without_any(data: bytes) -> bytes:
    return _HASH.sub(lambda found: same_length(len(found[0])), data)
