"""``bodies.warc.gz``: the exact bytes of each exchange, in the format that web archives read.

Rules of this file (WARC 1.1, ISO 28500:2017; one gzip member a record):

* a block is the bytes as captured, not one re-written; whether they are HTTP decides only the type:
  what begins with an HTTP/1 status line is a ``response``, a request line a ``request``, anything
  else ``metadata`` of type application/octet-stream, which replay tools serve as plain bytes;
* the address in a record is the server's; nothing names the machine that measured;
* a record's id is made from the measurement's id, so that each leads to the other;
* a member is read back only where its length, SHA-256 and declared sizes agree, within fixed bounds.

Written here and not with warcio, which re-writes HTTP heads and throws on bytes that are not HTTP.
"""

from __future__ import annotations

import re
import uuid
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha1, sha256
from pathlib import Path
from urllib.parse import quote

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.failure import TIMEOUTS
from blockwatch.model import Exchange, HttpStep, WarcRef

WARC_FILE = "bodies.warc.gz"
MAX_BLOCK = 8_388_608  # bytes of one request or response; what is longer is stored cut and marked
_MAX_RECORD = MAX_BLOCK + 65_536
_MAX_MEMBER = MAX_BLOCK + 131_072  # gzip adds little to what it cannot compress
_LEVEL = 6
_IDS = uuid.UUID("6e7f2b0a-51c4-5d0c-9d7a-3a4c1f0b9e52")  # name space of record ids (version 5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RESPONSE = re.compile(rb"HTTP/1\.[01] [0-9]{3}(?=[ \r\n])")
_REQUEST = re.compile(rb"[A-Z]{1,20} [!-~\x80-\xff]{1,65536} HTTP/1\.[01]\r?\n")


class WarcRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record as read back."""

    type: str  # "warcinfo", "response", "request" or "metadata"
    fields: tuple[tuple[str, str], ...]
    block: bytes

    def field(self, name: str) -> str | None:
        """Value of a named field, or ``None``."""
        return next((value for key, value in self.fields if key == name), None)


def record_id(name: str) -> str:
    """WARC-Record-ID of "<run id>" (warcinfo) or "<measurement id>#<observation>/<request|response>"."""
    digest = bytearray(sha1(_IDS.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6], digest[8] = (
        digest[6] & 0x0F | 0x50,
        digest[8] & 0x3F | 0x80,
    )  # as uuid.uuid5, in a third of the time
    text = digest.hex()
    return f"<urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}>"


def warcinfo(run: str, software: str, started: int) -> bytes:
    """First member of the file; ``started`` in microseconds since the epoch."""
    block = f"software: {software}\r\nformat: WARC File Format 1.1\r\nisPartOf: {run}\r\n".encode()
    fields = [
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", record_id(run)),
        ("WARC-Date", _date(started)),
        ("WARC-Filename", WARC_FILE),
        ("Content-Type", "application/warc-fields"),
    ]
    return _member(fields, block)


def exchange_members(measurement: str, step: HttpStep, exchange: Exchange) -> Iterator[tuple[str, bytes]]:
    """Members of one exchange: ("response" | "request", member); none for a side that sent no byte."""
    name = f"{measurement}#{step.i}"
    request_id, response_id = record_id(f"{name}/request"), record_id(f"{name}/response")
    both = bool(exchange.request and exchange.response)
    if exchange.response:
        other = [("WARC-Concurrent-To", request_id)] if both else []
        yield "response", _exchange_member("response", response_id, other, exchange, _cut(step))
    if exchange.request:
        other = [("WARC-Concurrent-To", response_id)] if both else []
        yield "request", _exchange_member("request", request_id, other, exchange, None)


def _cut(step: HttpStep) -> str | None:
    """WARC-Truncated: why a response is not whole, or ``None``."""
    if step.truncated:
        return "length"
    if step.failure in TIMEOUTS:
        return "time"
    return "disconnect" if step.failure else None


def _exchange_member(
    side: str, own_id: str, other: list[tuple[str, str]], exchange: Exchange, cut: str | None
) -> bytes:
    block = exchange.request if side == "request" else exchange.response
    if len(block) > MAX_BLOCK:
        block, cut = block[:MAX_BLOCK], "length"
    is_http = (_REQUEST if side == "request" else _RESPONSE).match(block) is not None
    fields = [
        ("WARC-Type", side if is_http else "metadata"),
        ("WARC-Record-ID", own_id),
        ("WARC-Date", _date(exchange.started)),
        ("WARC-Target-URI", target_uri(exchange.url)),
        *([("WARC-IP-Address", ip_address(exchange.address))] if exchange.address else []),
        ("WARC-Protocol", quote(exchange.protocol, safe="/.")),
        *other,
        *([("WARC-Truncated", cut)] if cut else []),
        ("Content-Type", f"application/http;msgtype={side}" if is_http else "application/octet-stream"),
    ]
    return _member(fields, block)


def _member(fields: list[tuple[str, str]], block: bytes) -> bytes:
    fields = [*fields, ("WARC-Block-Digest", f"sha256:{sha256(block).hexdigest()}")]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    record = b"".join(
        (
            b"WARC/1.1\r\n",
            head.encode("ascii"),
            b"Content-Length: %d\r\n\r\n" % len(block),
            block,
            b"\r\n\r\n",
        )
    )
    return zlib.compress(record, _LEVEL, wbits=31)


def _date(microseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@lru_cache(maxsize=8)  # request and response of a step are beside one another
def target_uri(url: str) -> str:
    """``url`` on one line of ASCII: a hostile redirect must not write WARC fields of its own."""
    return quote(url, safe="!#$%&'()*+,/:;=?@[]~", errors="replace")


@lru_cache(maxsize=8)
def ip_address(address: str) -> str:
    """``address`` in the same way."""
    return quote(address, safe=":.")


def read_member(folder: Path, ref: WarcRef) -> WarcRecord:
    """Read the record that ``ref`` points to; raises ``EvidenceError`` where it is not what was stored."""
    return parse_member(read_stored(folder, ref), f"{folder / WARC_FILE} at byte {ref.offset}")


def read_stored(folder: Path, ref: WarcRef) -> bytes:
    """The gzip member that ``ref`` points to; raises ``EvidenceError`` where it is not what was stored."""
    path = folder / WARC_FILE
    where = f"{path} at byte {ref.offset}"
    if ref.offset < 0 or not 0 < ref.length <= _MAX_MEMBER:
        raise EvidenceError("a line refers to an impossible place", where=where)
    try:
        if not path.is_file():  # a pipe would be waited for
            raise EvidenceError("the captured bytes are missing", where=where)
        with path.open("rb") as file:
            file.seek(ref.offset)
            member = file.read(ref.length)
    except (OSError, OverflowError) as error:
        raise EvidenceError(f"the captured bytes cannot be read ({error})", where=where) from error
    if sha256(member).hexdigest() != ref.sha256:
        raise EvidenceError("the captured bytes are not those that the log names", where=where)
    return member


def parse_member(member: bytes, where: str) -> WarcRecord:
    """Read one gzip member; ``where`` is for the message of ``EvidenceError``."""
    stream = zlib.decompressobj(31)
    try:
        record = stream.decompress(member, _MAX_RECORD + 1)
    except zlib.error as error:
        raise EvidenceError(f"a record that does not decompress ({error})", where=where) from error
    if len(record) > _MAX_RECORD or not stream.eof or stream.unused_data:
        raise EvidenceError("a record that is not one whole gzip member of bounded size", where=where)
    head, blank, rest = record.partition(b"\r\n\r\n")
    version, *lines = head.decode("ascii", "replace").split("\r\n")
    split = [line.partition(": ") for line in lines]
    fields = {name: value for name, colon, value in split if colon}
    if len(fields) < len(lines) or not head.isascii():
        raise EvidenceError("a record whose head is not ASCII, one line a field, each once", where=where)
    block, length = rest[:-4], fields.get("Content-Length")
    if version != "WARC/1.1" or not blank or not rest.endswith(b"\r\n\r\n") or length != str(len(block)):
        raise EvidenceError("a record that is not WARC 1.1 as written by blockwatch", where=where)
    return WarcRecord(type=fields.get("WARC-Type", ""), fields=tuple(fields.items()), block=block)
