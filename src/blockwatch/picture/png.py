"""Words in a PNG file (PNG, third edition, W3C 2025; tEXt: section 11.3.3).

Rules of this file: the picture comes from a browser that drew hostile bytes, so only the chunks that make
the picture are taken over, each checked, and nothing that the browser says besides; the same picture and
the same words give the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

from blockwatch.errors import PictureError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ORDER = (b"IHDR", b"PLTE", b"IDAT", b"IEND")  # the chunks without which there is no picture
_MOST_PIXELS = 1 << 25


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height in pixels; ``PictureError`` where it is no PNG file."""
    _, head = next(_chunks(png))
    width, height = struct.unpack_from(">II", head)
    if not 0 < width * height <= _MOST_PIXELS:
        raise PictureError(f"the browser gives a picture of {width} times {height} pixels")
    return width, height


def with_words(png: bytes, words: Sequence[tuple[str, str]]) -> bytes:
    """Return the picture alone with ``words`` (keyword, text) right after its head.

    Keywords: 1 to 79 characters. Both are to be printable ASCII; ``ValueError`` where they are not.
    ``PictureError`` where ``png`` is no PNG file.
    """
    size_of(png)
    texts = []
    for keyword, text in words:
        if not (0 < len(keyword) < 80 and (keyword + text).isascii() and (keyword + text).isprintable()):
            raise ValueError(f"not for a PNG file: {keyword!r}: {text!r}")
        texts.append(_chunk(b"tEXt", f"{keyword}\0{text}".encode("ascii")))
    kept = [_chunk(kind, content) for kind, content in _chunks(png) if kind in _ORDER]
    return _SIGNATURE + b"".join((kept[0], *texts, *kept[1:]))


def words_in(png: bytes) -> list[tuple[str, str]]:
    """Return (keyword, text) of every tEXt chunk."""
    pairs = [content.decode("latin-1").partition("\0") for kind, content in _chunks(png) if kind == b"tEXt"]
    return [(keyword, text) for keyword, _, text in pairs]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each chunk, the first an IHDR, the last an IEND with nothing behind it."""
    if not png.startswith(_SIGNATURE):
        raise PictureError("what the browser gives is no picture")
    at, before = len(_SIGNATURE), 0
    while True:
        length = int.from_bytes(png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        chunk = png[at : at + 12 + length]
        at += 12 + length
        if at > len(png) or chunk != _chunk(kind, content):
            raise PictureError("the browser gives a damaged picture")
        if kind in _ORDER or before == 0:
            if kind not in _ORDER[before:] or (before == 0 and (kind, length) != (b"IHDR", 13)):
                raise PictureError("the browser gives a damaged picture")
            before = max(1, _ORDER.index(kind))
        yield kind, content
        if kind == b"IEND":
            break
    if at != len(png):
        raise PictureError("the browser gives more than a picture")
