"""Which captured bytes are a page, and what of them the browser gets."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockwatch.errors import UsageError
from blockwatch.picture.drawing import page_in

HTML = "<!doctype html><title>x</title>Доступ ограничен".encode()
RAW_DEFLATE = zlib.compress(HTML)[2:-4]


def response(*headers: str, body: bytes = HTML, status: str = "200 OK") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode("latin-1") + body


@pytest.mark.parametrize(
    ("raw", "kind", "complete"),
    [
        (response("Content-Type: text/html"), "text/html", True),
        (response("Content-Type: text/html; charset=windows-1251"), "text/html; charset=windows-1251", True),
        (response("Content-Type: TEXT/HTML;charset=x"), "TEXT/HTML;charset=x", True),
        (response("Content-Type: application/xhtml+xml"), "application/xhtml+xml", True),
        (response("Content-Type: text/plain; charset=utf-8"), "text/plain; charset=utf-8", True),
        (response("Content-Type: text/html; x=\xff"), "text/html", True),
        (response("Content-Type: text/html; " + "x" * 300), "text/html", True),
        (response("Content-Type: text/html; x=\x01"), "text/html", True),
        (response("Content-Type: */*"), "text/html", True),
        (response(status="451 Unavailable"), "text/html", True),
        (response("Content-Length: 9999", "Content-Type: text/html"), "text/html", False),
        (
            response("Content-Type: text/html", "Content-Encoding: gzip", body=gzip.compress(HTML)),
            "text/html",
            True,
        ),
        (
            response("Content-Type: text/html", "Content-Encoding: deflate", body=RAW_DEFLATE),
            "text/html",
            True,
        ),
        (b"HTTP/2 200\r\ncontent-type: text/html\r\n\r\n" + HTML, "text/html", True),
        (HTML, "text/html", True),  # a page without a head: an injector that does not care
    ],
)
def test_pages(raw: bytes, kind: str, complete: bool) -> None:
    page = page_in(raw)
    assert (page.body, page.type, page.complete) == (HTML, kind, complete)


def test_text_without_a_type_is_text() -> None:
    assert page_in(response(body=b"hello")).type == "text/plain"
    assert page_in(response("Content-Encoding: gzip", body=gzip.compress(HTML)[:30])).body


def test_torn_chunks_and_a_bomb() -> None:
    torn = page_in(response("Transfer-Encoding: chunked", body=b"5\r\n<p>he\r\n9\r\nllo"))
    assert (torn.body, torn.complete) == (b"<p>hello", False)
    bomb = page_in(response("Content-Encoding: gzip", body=gzip.compress(b"<p>" + b"x" * 9_000_000)))
    assert (len(bomb.body), bomb.complete) == (524_288, False)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x28", "not HTTP"),
        (b"SSH-2.0-OpenSSH", "not HTTP"),
        (b"HTTP/1.1 20", "not HTTP"),
        (response("Content-Type: text/html", body=b""), "has no body"),
        (response("Location: http://x/", status="302 Found", body=b" \r\n"), r"status 302\) has no body"),
        (b"HTTP/1.1 200 OK\r\nServer: torn in the he", "has no body"),
        (response("Content-Type: image/png", body=b"\x89PNG"), "no page: its type is image/png"),
        (response("Content-Type: application/json", body=b"{}"), "no page: its type is application/json"),
        (response("Content-Encoding: br"), "coded in a way that is not undone here"),
        (response("Content-Encoding: \x1b[2J"), r"not undone here \('\\x1b\[2j'\)"),
        (response(body=b"\0\1\2"), "neither HTML nor text"),
    ],
)
def test_what_is_no_page_is_said(raw: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        page_in(raw)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_page_or_said_to_be_none(tail: bytes) -> None:
    for raw in (tail, b"HTTP/1.1 200 OK\r\n" + tail, b"HTTP/1.1 200 OK\r\nContent-Type: " + tail):
        try:
            page = page_in(raw)
        except UsageError:
            continue
        assert page.body
        assert page.type.isascii()
        assert page.type.isprintable()
