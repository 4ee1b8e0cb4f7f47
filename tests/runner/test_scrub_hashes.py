"""Beside what was cut stands no hash of it, and nothing of it is kept behind other bytes."""

from __future__ import annotations

import base64
import gzip
import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockwatch.model import TlsStep
from blockwatch.runner.hashes import without_hashes
from blockwatch.runner.scrub import Scrubber
from tests.runner.test_scrub import OWN, measured, response

KNOWN = Scrubber((OWN,))
PAGE = f"<html>Denied. Your IP: {OWN}</html>".encode()
HASH = base64.b64encode(hashlib.sha256(PAGE).digest()).decode()
FIELDS = [
    ("ETag", f'W/"30-{HASH}"'), ("etag", f'"{HASH}"'), ("Content-MD5", HASH), ("Digest", f"sha-256={HASH}"),
    ("Repr-Digest", f"sha-256=:{HASH}:"), ("Content-Digest", f"sha-512=:{HASH}:"),
    ("x-goog-hash", f"md5={HASH}"),
    ("x-amz-checksum-sha256", HASH), ("x-ms-content-crc64", HASH), ("X-Content-SHA1", HASH),
    ("Signature", f"sig=:{HASH}:"), ("X-Checksum", HASH),
]  # fmt: skip
OTHERS = (("Server", "nginx"), ("Content-Type", "text/html"), ("X-Shard", "1"))


def scrubbed(body: bytes, fields: tuple[tuple[str, str], ...]) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    raw = response(body, *(f"{name}: {value}" for name, value in fields))
    clean = KNOWN.measured(measured(raw, headers=fields))
    after = clean.exchanges[0].response
    assert len(after) == len(raw)
    return after, clean.measurement.observations[0].headers


@pytest.mark.parametrize(("name", "value"), FIELDS)
@pytest.mark.parametrize("body", [PAGE, gzip.compress(PAGE, mtime=0)])
def test_a_hash_of_what_was_cut_goes_too(name: str, value: str, body: bytes) -> None:
    coding = (("Content-Encoding", "gzip"),) if body is not PAGE else ()
    raw, headers = scrubbed(body, (*OTHERS, *coding, (name, value)))
    assert HASH.encode() not in raw
    assert headers == (*OTHERS, *coding, (name, "[scrubbed]"))
    for kept in OTHERS:
        assert ": ".join(kept).encode() in raw


@pytest.mark.parametrize(("name", "value"), FIELDS)
def test_where_nothing_is_cut_it_stays(name: str, value: str) -> None:
    raw, headers = scrubbed(b"nothing of anybody", (*OTHERS, (name, value)))
    assert f"{name}: {value}".encode() in raw
    assert headers == (*OTHERS, (name, value))


def test_trailers_are_looked_at() -> None:
    body = b"%x\r\n%b\r\n0\r\nETag: %b\r\nX-Time: 3\r\n\r\n" % (len(PAGE), PAGE, HASH.encode())
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    clean = KNOWN.measured(measured(raw)).exchanges[0].response
    assert (len(clean), HASH.encode() in clean, b"\r\nX-Time: 3\r\n" in clean) == (len(raw), False, True)


@given(st.binary(max_size=300), st.binary(max_size=300), st.booleans())
def test_any_response_keeps_its_length(head: bytes, body: bytes, told: bool) -> None:
    assert [*map(len, without_hashes(head, body, told=told))] == [len(head), len(body)]


ZIPPED = gzip.compress(PAGE, mtime=0)
BEHIND = {
    "a line before the status": b"\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + ZIPPED,
    "a byte before": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n " + ZIPPED,
    "a second answer": response(b"one") + b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + ZIPPED,
    "a part of several": response(b"--x\r\nContent-Encoding: gzip\r\n\r\n" + ZIPPED + b"\r\n--x--"),
    "after the last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ZIPPED,
}


@pytest.mark.parametrize("name", BEHIND)
def test_what_is_compressed_behind_other_bytes_is_not_kept(name: str) -> None:
    clean = KNOWN.measured(measured(BEHIND[name])).exchanges[0].response
    assert len(clean) == len(BEHIND[name])
    assert ZIPPED[10:30] not in clean


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 403 Forbidden\r\nContent-Encoding: gzip\r\n\r\n" + ZIPPED,
        b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n95.56\r\n5\r\n.8.20\r\n0\r\n\r\n",
    ],
)
def test_an_answer_in_place_of_tls_is_looked_into(raw: bytes) -> None:
    step = TlsStep(
        i=0, t=0, us=1, failure="ssl_error", address="93.184.216.34", port=443, server_name="a", plaintext=raw
    )
    one = measured()
    one = msgspec.structs.replace(
        one, measurement=msgspec.structs.replace(one.measurement, observations=(step,)), exchanges={}
    )
    clean = KNOWN.measured(one).measurement.observations[0].plaintext
    assert (len(clean), clean[:26]) == (len(raw), raw[:26])
    assert (ZIPPED[10:30] in clean, b".8.20" in clean) == (False, False)
