"""What a server says of the bytes it sent from which they can be found out again.

Rules of this file:

* a validator or checksum is often a plain hash of the page (``ETag`` of many frameworks, ``Content-MD5``,
  RFC 9530): beside a page from which an address was cut it tells the address to whoever tries all of them;
* so wherever something of a response is cut, the values of such fields are blanked, also in the trailers of a
  chunked body; the names are known by what they say, because everybody makes up new ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NAME = (
    rb"(?:etag|signature(?:-input)?|[!#-9A-Z^-z|~]{0,60}(?:digest|checksum|hash|md5|sha[-_]?[0-9]{1,3}|crc)"
    rb"[!#-9A-Z^-z|~]{0,60})"
)
_FIELD = re.compile(rb"^(" + _NAME + rb"[ \t]*:[ \t]*)([^\r\n]+)", re.I | re.M)
_FIELD_NAME = re.compile(_NAME, re.I)
_LAST_CHUNK = re.compile(rb"(?:^|\n)0+(?:;[^\n]{0,1000})?\r?\n")
_TAIL = 65_536  # bytes of a body in which trailers may stand
Headers = tuple[tuple[str, str], ...]


def without_hashes(head: bytes, body: bytes, mark: Callable[[int], bytes]) -> bytes:
    """The response with such values replaced by ``mark`` of their length."""
    tail = max(0, len(body) - _TAIL)
    last = next(reversed(list(_LAST_CHUNK.finditer(body, tail))), None)
    at = last.end() if last else len(body)
    return _blank(head, mark) + body[:at] + _blank(body[at:], mark)


def _blank(text: bytes, mark: Callable[[int], bytes]) -> bytes:
    return _FIELD.sub(lambda found: found[1] + mark(len(found[2])), text)


def fields_without_hashes(headers: Headers, mark: str) -> Headers:
    """The same for header fields as pairs of text."""
    return tuple(
        (name, mark if _FIELD_NAME.fullmatch(name.encode("latin-1", "replace")) else value)
        for name, value in headers
    )
