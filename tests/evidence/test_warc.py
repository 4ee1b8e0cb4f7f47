"""Captured bytes as the web archive tools read them (warcio, an independent implementation)."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import uuid
import zlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from blockwatch.errors import EvidenceError
from blockwatch.evidence.warc import (
    MAX_BLOCK,
    exchange_members,
    parse_member,
    record_id,
    warcinfo,
)
from blockwatch.failure import EOF, RESET, TIMEOUT
from blockwatch.model import Exchange, HttpStep
from blockwatch.store import RunWriter
from tests.evidence.made import (
    OBSERVATIONS,
    PAGE,
    REQUEST,
    RESPONSE,
    RUN,
    STARTED,
    measured,
    run_close,
    run_open,
)

WARCIO = [sys.executable, "-m", "warcio.cli"]
STEP = OBSERVATIONS[11]
assert isinstance(STEP, HttpStep)

EXCHANGES = {
    "whole": (REQUEST, RESPONSE, "response"),
    "reset in the body": (REQUEST, RESPONSE[:-4_000], "response"),
    "torn in the head": (REQUEST, RESPONSE[:40], "response"),
    "torn in the status line": (REQUEST, b"HTTP/1.1 20", "metadata"),
    "no reply": (REQUEST, b"", None),
    "not HTTP": (REQUEST, b"\x15\x03\x01\x00\x02\x02\x28", "metadata"),
    "a page without a head": (REQUEST, b"<html>blocked</html>", "metadata"),
    "bare LF": (REQUEST, b"HTTP/1.0 200 OK\nServer: x\n\nhello", "response"),
    "no reason": (REQUEST, b"HTTP/1.1 200\r\n\r\nhello", "response"),
    "HTTP/2 head": (REQUEST, b"HTTP/2 200\r\n\r\nhello", "metadata"),
    "odd header lines": (
        REQUEST,
        b"HTTP/1.1 200 OK\r\nno colon\r\n: x\r\n\xff: \xfe\r\n\r\nhello",
        "response",
    ),
    "chunked": (
        REQUEST,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "response",
    ),
    "nothing asked": (b"", RESPONSE, "response"),
    "WARC inside": (REQUEST, b"HTTP/1.1 200 OK\r\n\r\nWARC/1.1\r\nWARC-Type: response\r\n\r\n", "response"),
}
RESPONSES = sum(kind == "response" for _, _, kind in EXCHANGES.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    writer = RunWriter(tmp_path_factory.mktemp("results"))
    writer.open(run_open())
    for seq, (request, response, _) in enumerate(EXCHANGES.values(), 1):
        writer.write(measured(seq, request=request, response=response))
    writer.close(run_close(len(EXCHANGES)))
    return writer.folder


def test_every_record_as_warcio_sees_it(folder: Path) -> None:
    """The same types and, byte for byte, the same blocks."""
    expected = []
    for request, response, kind in EXCHANGES.values():
        expected += [(kind, response)] if response else []
        expected += [("request", request)] if request else []
    with (folder / "bodies.warc.gz").open("rb") as file:
        records = [
            (record.rec_type, record.raw_stream.read())
            for record in ArchiveIterator(file, no_record_parse=True, check_digests="raise")
        ]
    assert records[0][0] == "warcinfo"
    assert records[1:] == expected


def test_warcio_check_and_index(folder: Path) -> None:
    path = str(folder / "bodies.warc.gz")
    checked = subprocess.run([*WARCIO, "check", "-v", path], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count("digest pass") >= 2 * len(EXCHANGES) - 2
    fields = "offset,warc-type,warc-target-uri,warc-ip-address,warc-protocol,http:status"
    index = subprocess.run([*WARCIO, "index", "-f", fields, path], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in index.stdout.splitlines()]
    assert len(rows) == 1 + 2 * len(EXCHANGES) - 2
    assert {row["warc-ip-address"] for row in rows[1:]} == {"203.0.113.7"}
    assert {row["warc-protocol"] for row in rows[1:]} == {"http/1.1"}
    assert [row.get("http:status") for row in rows].count("200") == RESPONSES


@given(response=st.binary(max_size=200), torn=st.integers(0, 200), request=st.binary(max_size=60))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_exchange_is_a_warc(response: bytes, torn: int, request: bytes) -> None:
    for answer in (response, RESPONSE[:torn] + response):
        for asked in (request, REQUEST[:torn] + request):
            exchange = Exchange(
                url="http://a/", address="::1", started=STARTED, request=asked, response=answer
            )
            members = [member for _, member in exchange_members("m", STEP, exchange)]
            whole = warcinfo(RUN, "x", STARTED) + b"".join(members)
            blocks = [parse_member(member, "").block for member in members]
            assert blocks == [block for block in (answer, asked) if block]
            seen = [
                record.raw_stream.read()
                for record in ArchiveIterator(io.BytesIO(whole), no_record_parse=True)
            ]
            assert seen[1:] == blocks
            for record in ArchiveIterator(io.BytesIO(whole)):  # heads are read, as replay does
                record.content_stream().read()


@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=20))
def test_no_field_can_be_smuggled_in(url: str, address: str, protocol: str) -> None:
    """A hostile redirect target is part of the record's head."""
    url = "http://a/\r\nWARC-Type: response\r\n\r\n" + url
    exchange = Exchange(url=url, address=address, started=0, request=b"", response=b"x", protocol=protocol)
    ((_, member),) = exchange_members("m", STEP, exchange)
    record = parse_member(member, "")
    assert [name for name, _ in record.fields].count("WARC-Type") == 1
    assert (record.type, record.block) == ("metadata", b"x")
    assert len(record.fields) == (9 if address else 8)
    (seen,) = ArchiveIterator(io.BytesIO(member))
    assert seen.rec_headers.get_header("Content-Length") == "1"


@pytest.mark.parametrize(
    ("changes", "cut"),
    [
        ({}, None),
        ({"truncated": True}, "length"),
        ({"failure": TIMEOUT}, "time"),
        ({"failure": RESET}, "disconnect"),
        ({"failure": EOF}, "disconnect"),
    ],
)
def test_why_a_response_is_not_whole(changes: dict[str, object], cut: str | None) -> None:
    step = msgspec.structs.replace(STEP, **changes)
    exchange = measured().exchanges[11]
    fields = {side: parse_member(member, "") for side, member in exchange_members("m", step, exchange)}
    assert fields["response"].field("WARC-Truncated") == cut
    assert fields["request"].field("WARC-Truncated") is None
    assert fields["request"].field("WARC-Concurrent-To") == fields["response"].field("WARC-Record-ID")
    assert fields["response"].field("WARC-Record-ID") == record_id("m#11/response")
    assert fields["response"].field("WARC-Date") == "2026-11-22T04:20:00.000001Z"


@given(st.text(st.characters(codec="utf-8")))
def test_a_record_id_is_a_uuid_of_version_5(name: str) -> None:
    space = uuid.UUID("6e7f2b0a-51c4-5d0c-9d7a-3a4c1f0b9e52")
    assert record_id(name) == f"<urn:uuid:{uuid.uuid5(space, name)}>"


def test_http2_is_said() -> None:
    exchange = msgspec.structs.replace(measured().exchanges[11], protocol="h2")
    for _, member in exchange_members("m", STEP, exchange):
        assert parse_member(member, "").field("WARC-Protocol") == "h2"


def test_endless_response_is_cut_and_marked() -> None:
    exchange = msgspec.structs.replace(measured().exchanges[11], response=RESPONSE + bytes(MAX_BLOCK))
    members = dict(exchange_members("m", STEP, exchange))
    record = parse_member(members["response"], "")
    assert len(record.block) == MAX_BLOCK
    assert record.field("WARC-Truncated") == "length"
    assert exchange.response.startswith(record.block)


def test_an_address_that_is_not_known_is_left_out() -> None:
    exchange = Exchange(
        url="http://site.example.org/", address="", started=STARTED, request=REQUEST, response=RESPONSE
    )
    for _, member in exchange_members("m", STEP, exchange):
        assert parse_member(member, "").field("WARC-IP-Address") is None
        assert b"WARC-IP-Address" not in gzip.decompress(member)


BROKEN = {
    "not gzip": lambda member: b"hello",
    "nothing": lambda member: b"",
    "torn": lambda member: member[:-9],
    "two members": lambda member: member * 2,
    "a bit": lambda member: member[:60] + bytes([member[60] ^ 1]) + member[61:],
    "a bomb": lambda member: gzip.compress(bytes(200_000_000), 1),
    "another version": lambda member: zlib.compress(
        gzip.decompress(member).replace(b"1.1", b"1.0", 1), wbits=31
    ),
    "a lying length": lambda member: zlib.compress(gzip.decompress(member)[:-4] + b"!\r\n\r\n", wbits=31),
    "no end": lambda member: zlib.compress(gzip.decompress(member)[:-4], wbits=31),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_members_are_refused(name: str) -> None:
    (_, member), _ = exchange_members("m", STEP, measured().exchanges[11])
    assert parse_member(member, "").block.endswith(PAGE)
    with pytest.raises(EvidenceError, match="here"):
        parse_member(BROKEN[name](member), "here")


@given(st.binary(max_size=300))
def test_any_member_is_read_or_refused(raw: bytes) -> None:
    for member in (raw, zlib.compress(raw, wbits=31), zlib.compress(b"WARC/1.1\r\n" + raw, wbits=31)):
        with pytest.raises(EvidenceError):
            parse_member(member, "here")
