"""Beside what was cut stands no hash of it, and nothing of it is kept behind other bytes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from typing import Any

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


@pytest.mark.parametrize(
    "missing", [{"failure": "connection_reset"}, {"truncated": True}, {"raw": PAGE[:20]}], ids=str
)
def test_a_hash_of_what_did_not_come_goes_too(missing: dict[str, Any]) -> None:
    """The rest may be known from another measurement of the page, the address cut out."""
    fields = (("ETag", f'"{HASH}"'), *OTHERS, ("X-Session", HASH))
    lines = (f"{name}: {value}" for name, value in (*fields, ("Content-Length", str(len(PAGE)))))
    raw = "\r\n".join(("HTTP/1.1 200 OK", *lines, "", "")).encode() + missing.pop(
        "raw", PAGE[:9].ljust(len(PAGE))
    )
    one = measured(raw, headers=fields)
    step = msgspec.structs.replace(one.measurement.observations[0], **missing)
    one = msgspec.structs.replace(
        one, measurement=msgspec.structs.replace(one.measurement, observations=(step,))
    )
    clean = KNOWN.measured(one)
    after = clean.exchanges[0].response
    assert (len(after), after.count(HASH.encode())) == (len(raw), 1)
    assert clean.measurement.observations[0].headers == (("ETag", "[scrubbed]"), *fields[1:])


MD5 = hashlib.md5(PAGE, usedforsecurity=False).hexdigest()
TOKEN = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"RS256"}', f'{{"ip":"{OWN}"}}'.encode(), hashlib.sha512(PAGE).digest())
)
SAID = [
    f"http://portal.example/?ip={OWN}&sign={MD5}",
    f"http://portal.example/?ip%3D{OWN}%26sign%3D{MD5}",
    f"visit={OWN}:{base64.b64encode(bytes.fromhex(MD5)).decode()}; path=/",
    f"t={TOKEN}",
    f"v={OWN}; script-src 'sha256-{HASH}'",
]


@pytest.mark.parametrize("value", SAID)
def test_what_was_made_of_it_goes_with_it(value: str) -> None:
    hashes = [part for part in (MD5, HASH, TOKEN.rpartition(".")[2]) if part in value] or [value[-32:-8]]
    body = f"<a href='{value}'>".encode()
    raw, headers = scrubbed(body, (("X-Said", value),))
    assert [part for part in hashes if part in repr((raw, headers))] == []
    assert b"<a href='" in raw
    url = KNOWN.measured(measured(b"", url=value, hop=1))
    assert [part for part in hashes if part in repr(url)] == []


def test_what_only_looks_like_a_hash_stays_where_nothing_is_cut() -> None:
    for value in SAID:
        innocent = value.replace(OWN, "95.56.8.21").replace(TOKEN, "a" * 60)
        one = measured(response(innocent.encode(), f"X-Said: {innocent}"), headers=(("X-Said", innocent),))
        assert KNOWN.measured(one) == one


ZIPPED = gzip.compress(PAGE, mtime=0)
BEHIND = {
    "a line before the status": b"\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + ZIPPED,
    "a byte before": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n " + ZIPPED,
    "a second answer": response(b"one") + b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + ZIPPED,
    "a part of several": response(b"--x\r\nContent-Encoding: gzip\r\n\r\n" + ZIPPED + b"\r\n--x--"),
    "beyond its length": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + ZIPPED,
    "beyond no length": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n" + ZIPPED,
    "after many": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"a") * 90 + ZIPPED,
    "after a word": b"HTTP/1.1 200 OK\r\n\r\n<!-- x -->" + ZIPPED,
    "HTTP/2": b"HTTP/2 200\r\ncontent-encoding: gzip\r\n\r\n" + ZIPPED,
    "twice": response(b"one") + b"x" + gzip.compress(ZIPPED, mtime=0),
    "after the last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ZIPPED,
}


@pytest.mark.parametrize("name", BEHIND)
def test_what_is_compressed_behind_other_bytes_is_not_kept(name: str) -> None:
    clean = KNOWN.measured(measured(BEHIND[name])).exchanges[0].response
    assert len(clean) == len(BEHIND[name])
    assert ZIPPED[10:30] not in clean


DEFLATED = zlib.compress(PAGE)
BROTLI = b"\x1b\x2f\x00\xf8" + PAGE[:9] + b"\x00\x01"


@pytest.mark.parametrize(
    "raw",
    [
        response(b"one") + b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + DEFLATED,
        response(b"one") + b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n" + BROTLI,
        b"220 hello\r\nHTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + DEFLATED,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 5\r\n\r\n" + DEFLATED,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 2\r\n\r\n{}" + DEFLATED,
        response(b"one")
        + b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n95.56\r\n5\r\n.8.20\r\n0\r\n\r\n",
    ],
    ids=["second, deflate", "second, br", "after a line", "short", "behind", "second, chunks"],
)
def test_no_framing_and_no_first_answer_is_trusted_alone(raw: bytes) -> None:
    clean = KNOWN.measured(measured(raw)).exchanges[0].response
    assert (len(clean), clean[-12:]) == (len(raw), b"_" * 12)
    for hidden in (DEFLATED[4:], BROTLI[4:], b"95.56"):
        assert hidden not in clean


def test_a_page_about_answers_stays() -> None:
    answer = b"<pre>HTTP/1.1 200 OK\nContent-Encoding: br\n\ntext</pre>"
    for page in (answer * 9, b"it begins \x1f\x8b\x08, and " * 9):
        raw = response(page)
        assert KNOWN.measured(measured(raw)).exchanges[0].response == raw


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
