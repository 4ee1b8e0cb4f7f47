"""The index by which replay programs find a page in WARC files: CDXJ, one line a response.

Rules of this file (CDXJ and its compressed form as in the WACZ specification, version 1.1.1):

* a line is a sort key made of the address, the time, and a JSON object of fixed fields;
* only what a browser can be shown has a line: a response whose head came whole;
* whatever is written from a stranger's address is JSON or percent-encoded ASCII.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit

from blockwatch.codec import canonical
from blockwatch.content import header, parse_response
from blockwatch.evidence.warc import WarcRecord
from blockwatch.model import WarcRef

_LINES = 300  # lines of one compressed block
_WWW = re.compile(r"www\d*\.")
_PORTS = {"http": 80, "https": 443}
_MIME = re.compile(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,60}")


class Entry(NamedTuple):
    """One line of the index, in order of its fields."""

    key: str
    time: str  # fourteen digits, UTC
    fields: bytes  # JSON

    def line(self) -> bytes:
        """The line with its line feed."""
        return f"{self.key} {self.time} ".encode("ascii") + self.fields + b"\n"


def sort_key(url: str) -> str:
    """Reversed host, path and sorted query, lower case: ``org,example)/path?a=1&b=2``."""
    try:
        split = urlsplit(url.lower())
        host, port = split.hostname or "", split.port
    except ValueError:
        return url.lower().replace(" ", "%20")
    labels = [host] if ":" in host else host.removesuffix(".").split(".")[::-1]
    if ":" not in host and (www := _WWW.match(host)):
        labels = host[www.end() :].removesuffix(".").split(".")[::-1]
    place = "" if port in (None, _PORTS.get(split.scheme)) else f":{port}"
    query = f"?{'&'.join(sorted(split.query.split('&')))}" if split.query else ""
    return f"{','.join(labels)}{place}){split.path or '/'}{query}".replace(" ", "%20")


def index_entry(record: WarcRecord, ref: WarcRef, file: str) -> Entry | None:
    """The line of one record in ``file``; ``None``: nothing that could be shown."""
    if record.type != "response" or not _whole_head(record.block):
        return None
    response = parse_response(record.block)
    if response.status is None:
        return None
    url = record.field("WARC-Target-URI") or ""
    mime = (header(response.headers, "Content-Type") or "").partition(";")[0].strip()
    fields = {
        "url": url,
        "mime": mime if _MIME.fullmatch(mime) else "unk",
        "status": str(response.status),
        "digest": f"sha256:{sha256(response.body).hexdigest()}",
        "length": str(ref.length),
        "offset": str(ref.offset),
        "filename": file,
    }
    return Entry(sort_key(url), fourteen_digits(record), canonical(fields))


def fourteen_digits(record: WarcRecord) -> str:
    """WARC-Date to the second: 20261122042000."""
    return re.sub(r"[^0-9]", "", (record.field("WARC-Date") or ""))[:14].ljust(14, "0")


def _whole_head(block: bytes) -> bool:
    return b"\r\n\r\n" in block or b"\n\n" in block


def compressed(entries: list[Entry], name: str) -> tuple[bytes, bytes]:
    """The index in gzip blocks (``index.cdx.gz``), and the index of these blocks (``index.idx``)."""
    blocks: list[bytes] = []
    lines = [b'!meta 0 {"filename":"%s","format":"cdxj-gzip-1.0"}\n' % name.encode("ascii")]
    offset = 0
    for first, block in _blocks(sorted(entries)):
        place = {
            "digest": f"sha256:{sha256(block).hexdigest()}",
            "filename": name,
            "length": len(block),
            "offset": offset,
        }
        lines.append(f"{first.key} {first.time} ".encode("ascii") + canonical(place) + b"\n")
        blocks.append(block)
        offset += len(block)
    return b"".join(blocks), b"".join(lines)


def _blocks(entries: list[Entry]) -> Iterator[tuple[Entry, bytes]]:
    for at in range(0, len(entries), _LINES):
        some = entries[at : at + _LINES]
        yield some[0], gzip.compress(b"".join(entry.line() for entry in some), 6, mtime=0)
