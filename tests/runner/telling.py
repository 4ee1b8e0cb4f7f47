"""Servers that tell their visitor who it is, in every way; and a search of everything that was kept.

The search shares no code with the program: it undoes whatever coding it knows, by other people's readers.
"""

from __future__ import annotations

import base64
import gzip
import html
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

import warcio.archiveiterator
import warcio.bufferedreaders


def _chunked(data: bytes) -> bytes:
    """In chunks of seven bytes, so that no address lies in one."""
    pieces = [data[at : at + 7] for at in range(0, len(data), 7)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


_GZIP = "Content-Encoding: gzip\r\n"
CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("", bytes),
    "gzip": ("Content-Encoding: gzip\r\n", gzip.compress),
    "zlib": ("Content-Encoding: deflate\r\n", zlib.compress),
    "deflate": ("Content-Encoding: deflate\r\n", _raw_deflate),
    "twice": ("Content-Encoding: gzip, gzip\r\n", lambda data: gzip.compress(gzip.compress(data))),
    "mixed": ("Content-Encoding: deflate, gzip\r\n", lambda data: gzip.compress(zlib.compress(data))),
    "chunks": ("Transfer-Encoding: chunked\r\n", _chunked),
    "gzip in chunks": (
        "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        lambda data: _chunked(gzip.compress(data)),
    ),
    "a file": ("Content-Type: application/gzip\r\n", gzip.compress),
    "torn": ("Content-Encoding: gzip\r\n", lambda data: gzip.compress(data)[:-9]),
    "wide": ("", lambda data: data.decode("ascii").encode("utf-16")),
    "wide, other end": ("", lambda data: data.decode("ascii").encode("utf-16-be")),
    "wide in gzip": (_GZIP, lambda data: gzip.compress(data.decode().encode("utf-32"))),
    "cyrillic": ("", lambda data: "Ваш адрес ".encode("cp1251") + data),
    "unreadable": ("Content-Encoding: br\r\n", zlib.compress),  # whoever has brotli could read it
}  # fmt: skip


def response(body: bytes, coding: str, *, status: str = "200 OK", headers: str = "") -> bytes:
    """A response in one of :data:`CODINGS`."""
    head, code = CODINGS[coding]
    coded = code(body)
    length = "" if "chunked" in head else f"Content-Length: {len(coded)}\r\n"
    return f"HTTP/1.1 {status}\r\n{headers}{head}{length}\r\n".encode("latin-1") + coded


def everything(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes, and all that a reader could make of them."""
    yield data
    if depth > 6:
        return
    for inner in _inner(data):
        yield from everything(inner, depth + 1)
    if b"\0" in data:
        yield data.replace(b"\0", b"")
    text = data
    for _ in range(3):
        read = html.unescape(unquote_to_bytes(text).decode("latin-1"))
        read = re.sub(r"\\(?:u00|x)([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), read)
        text = read.encode("utf-8")
        yield text


def _inner(data: bytes) -> Iterator[bytes]:
    for window in (31, 15, -15):
        stream = zlib.decompressobj(window)
        plain = b""
        try:
            while data and not (window != 31 and plain):
                plain += stream.decompress(data)
                data_left = stream.unused_data
                if window != 31 or not data_left.startswith(b"\x1f\x8b"):
                    break
                data, stream = data_left, zlib.decompressobj(31)
        except zlib.error:
            plain = b"" if window != 31 else plain
        if len(plain) > 20:
            yield plain
            break
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield repr([(one.filename, one.comment, one.extra) for one in archive.infolist()]).encode()
            yield from (archive.read(name) for name in archive.namelist())
    if data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            yield from (archive.extractfile(member).read() for member in archive.getmembers())
    if data.startswith(b"WARC/1."):
        for record in warcio.archiveiterator.ArchiveIterator(io.BytesIO(data), no_record_parse=False):
            yield record.raw_stream.read()
    if data.startswith(b"HTTP/1."):
        head, _, body = data.partition(b"\r\n\r\n")
        yield body
        joined = warcio.bufferedreaders.ChunkedDataReader(io.BytesIO(body)).read()
        if b"chunked" in head and joined != body:
            yield joined
    for found in re.finditer(rb'"([A-Za-z0-9+/]{8,}={0,2})"', data):
        if len(found[1]) % 4 == 0:
            yield base64.b64decode(found[1])


def telling(paths: Iterator[Path], needles: set[bytes]) -> list[tuple[str, bytes]]:
    """Which files, by name or content, hold any of ``needles`` in whatever case."""
    search = re.compile(b"|".join(map(re.escape, sorted(needles, key=len, reverse=True))), re.I)
    found = []
    for path in paths:
        for data in (path.name.encode(), *(everything(path.read_bytes()) if path.is_file() else ())):
            if hit := search.search(data):
                found.append((path.name, data[max(0, hit.start() - 60) : hit.end() + 20]))
    return found
