"""Reading hostile bytes: framing, codings, charsets, titles."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockwatch.content import (
    charset_of,
    decode_body,
    parse_response,
    text_of,
    title_of,
    undecodable,
)

RUSSIAN = "Доступ к запрашиваемому ресурсу ограничен по решению уполномоченного органа"
HTML = [("Content-Type", "text/html")]


def test_plain_response() -> None:
    got = parse_response(b"HTTP/1.1 200 OK\r\nServer: a\r\nContent-Length: 5\r\n\r\nhellomore")
    assert (got.version, got.status, got.reason) == ("HTTP/1.1", 200, "OK")
    assert got.headers == (("Server", "a"), ("Content-Length", "5"))
    assert (got.body, got.complete) == (b"hello", True)


@pytest.mark.parametrize(
    ("raw", "status", "headers", "body", "complete"),
    [
        (b"HTTP/1.0 404 Not Found\n\nx", 404, (), b"x", None),
        (b"HTTP/1.1 200\r\n\r\nx", 200, (), b"x", None),
        (b"HTTP/1.1 200 OK\nA: b\n\nx", 200, (("A", "b"),), b"x", None),
        (b"HTTP/1.1 200 OK\nA: b\r\n\r\nx\n\ny", 200, (("A", "b"),), b"x\n\ny", None),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nbad\r\n: d\r\n\r\n", 200, (("A", "b c"),), b"", None),
        (b"HTTP/1.1 200 OK\r\nA: b\r\nC: to", 200, (("A", "b"),), b"", False),
        (b"HTTP/1.1 200 OK", 200, (), b"", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", 200, (("Content-Length", "9"),), b"x", False),
        (b"HTTP/2 200\r\n\r\nx", 200, (), b"x", None),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 204, (), b"", True),
        (b"", None, (), b"", None),
        (b"\x15\x03\x01\x00\x02\x02(", None, (), b"\x15\x03\x01\x00\x02\x02(", None),
        (b"<html>blocked</html>", None, (), b"<html>blocked</html>", None),
    ],
)
def test_odd_responses(
    raw: bytes, status: int | None, headers: tuple[tuple[str, str], ...], body: bytes, complete: bool | None
) -> None:
    got = parse_response(raw)
    assert (got.status, got.headers, got.body, got.complete) == (status, headers, body, complete)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("coded", "body", "complete"),
    [
        (b"5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nTrailer: t\r\n\r\n", b"helloabc", True),
        (b"5\nhello\n0\n\n", b"hello", True),
        (b"5\r\nhel", b"hel", False),
        (b"5\r\nhello\r\n", b"hello", False),
        (b"ffffffffffffffff\r\nhello", b"hello", False),
        (b"<html>not chunked", b"<html>not chunked", False),
        (b"", b"", False),
    ],
)
def test_chunks(coded: bytes, body: bytes, complete: bool) -> None:
    got = parse_response(CHUNKED + coded)
    assert (got.body, got.complete) == (body, complete)


@given(st.binary(max_size=600), st.integers(1, 50))
def test_chunking_round_trip(body: bytes, size: int) -> None:
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    coded = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    got = parse_response(CHUNKED + coded)
    assert (got.body, got.complete) == (body, True)


def _raw_deflate(data: bytes) -> bytes:
    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    return coder.compress(data) + coder.flush()


@pytest.mark.parametrize(
    ("coding", "code"), [("gzip", gzip.compress), ("X-GZIP", gzip.compress), ("deflate", zlib.compress),
                         ("deflate", _raw_deflate), ("identity", bytes), ("br", bytes)],
)  # fmt: skip
def test_codings(coding: str, code) -> None:  # type: ignore[no-untyped-def]
    body = RUSSIAN.encode() * 20
    headers = [("content-encoding", coding)]
    assert decode_body(headers, code(body)) == (body, False)
    assert undecodable(headers) == ("br" if coding == "br" else None)


def test_stacked_and_split_codings() -> None:
    body = gzip.compress(zlib.compress(b"hello"))
    assert decode_body([("Content-Encoding", "deflate, gzip")], body) == (b"hello", False)
    two = [("Content-Encoding", "deflate"), ("content-encoding", "gzip")]
    assert decode_body(two, body) == (b"hello", False)
    assert decode_body([("Content-Encoding", "gzip")], gzip.compress(b"a") + gzip.compress(b"b")) == (
        b"ab",
        False,
    )


def test_liars_and_torn_streams() -> None:
    gz = [("Content-Encoding", "gzip")]
    assert decode_body(gz, b"<html>plain") == (b"<html>plain", False)
    noise = bytes(range(256)) * 40
    whole = zlib.compressobj(1, zlib.DEFLATED, 31)
    stream = whole.compress(noise) + whole.flush()
    torn, truncated = decode_body(gz, stream[: len(stream) // 2])
    assert torn
    assert noise.startswith(torn)
    assert truncated is False
    damaged = bytearray(gzip.compress(RUSSIAN.encode() * 500, 0))
    damaged[20_005] ^= 0xFF  # length field of a stored block or its text; decoding stops or goes on
    assert decode_body(gz, bytes(damaged))[0].startswith((RUSSIAN.encode() * 500)[:10_000])


def test_bombs_are_bounded() -> None:
    bomb = gzip.compress(gzip.compress(bytes(100_000_000), 9), 9)
    body, truncated = decode_body([("Content-Encoding", "gzip, gzip")], bomb, 10_000)
    assert (len(body), truncated) == (10_000, True)
    many = gzip.compress(b"") * 50_000
    assert decode_body([("Content-Encoding", "gzip")], many) == (b"", False)
    codings = [("Content-Encoding", "gzip," * 100)]
    assert undecodable(codings) == "gzip"
    assert decode_body([], bytes(100), 10) == (bytes(10), True)
    assert decode_body([], bytes(10), 10) == (bytes(10), False)


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r", "ibm866", "utf-16le", "iso-8859-5"])
def test_declared_charsets(charset: str) -> None:
    codec = {"ibm866": "cp866", "utf-16le": "utf-16-le"}.get(charset, charset)
    body = RUSSIAN.encode(codec)
    assert text_of([("Content-Type", f'text/html; Charset="{charset}"')], body) == RUSSIAN
    if charset != "utf-16le":
        page = f"<meta http-equiv=Content-Type content='text/html; charset={charset}'>{RUSSIAN}"
        assert text_of(HTML, page.encode(codec)) == page


@pytest.mark.parametrize("codec", ["utf-8", "cp1251", "koi8-r", "cp866"])
@pytest.mark.parametrize(
    "words", [RUSSIAN, "ДОСТУП ЗАБЛОКИРОВАН", "Сайт заблокирован", "<b>Вход</b> на сайт"]
)
@pytest.mark.parametrize("headers", [HTML, [], [("Content-Type", "text/html; charset=utf-8")]])
def test_undeclared_or_wrong_cyrillic(codec: str, words: str, headers: list[tuple[str, str]]) -> None:
    assert text_of(headers, words.encode(codec)) == words


def test_marks_liars_and_others() -> None:
    assert (
        text_of([("Content-Type", "text/html; charset=windows-1251")], RUSSIAN.encode("utf-8-sig")) == RUSSIAN
    )
    assert text_of([("Content-Type", "text/html; charset=windows-1251")], RUSSIAN.encode()) == RUSSIAN
    assert text_of([], RUSSIAN.encode("utf-16")) == RUSSIAN
    assert text_of([], "Zürich, café".encode("latin-1")) == "Zürich, café"
    assert text_of([], "Мир".encode()[:-1]) == "Ми"
    assert charset_of([("Content-Type", "text/html; charset=punycode")], b"") is None
    assert charset_of([("Content-Type", "text/html; charset=idna")], b"<meta charset=unicode_escape>") is None
    assert charset_of([], b"<META CHARSET = 'Windows-1251' >") == "cp1251"
    assert charset_of([], b"<meta charset=utf-16>") == "utf-8"


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<html><head><title>Hello</title>", "Hello"),
        ("<TITLE lang='ru'>\n a\t&laquo;b&raquo;\n\n c </Title >", "a «b» c"),
        ("<titles>no</titles><title/>yes</title>", "yes"),
        ("<title>torn<p>more", "torn"),
        ("<title>  </title>", None),
        ("<title", None),
        ("no title", None),
        ("<title>" + "x" * 900 + "</title>", "x" * 200),
        ("<title>&#" + "1" * 9_000 + ";a</title>", "\ufffda"),
        ("<title>a&#xD800;b</title>", "a\ufffdb"),
    ],
)
def test_titles(page: str, title: str | None) -> None:
    assert title_of(page) == title


@pytest.mark.parametrize(
    "unit", ["<title", "<title >", "<", "<script>", "<!--", "</", "<a", "&#", "&", "<svg ", "\r\n", "<meta "]
)
def test_work_grows_with_size_only(unit: str) -> None:
    """Half a megabyte of the worst pattern: a quadratic pass would take hours."""
    page = unit * (524_288 // len(unit))
    raw = page.encode()
    assert len(title_of(page) or "") <= 200
    assert text_of([], raw + b"\xff").startswith(page)
    assert len(parse_response(b"HTTP/1.1 200 OK\r\n" + raw).headers) <= 2_000
    assert len(parse_response(CHUNKED + raw).body) <= len(raw)


@given(st.binary(max_size=400))
def test_nothing_raises(raw: bytes) -> None:
    for prefix in (b"", b"HTTP/1.1 200 OK\r\n", CHUNKED):
        got = parse_response(prefix + raw)
        for coding in ("gzip", "deflate", "x"):
            headers = [*got.headers, ("Content-Encoding", coding)]
            body, _ = decode_body(headers, got.body, 100)
            assert len(body) <= 100
        text = text_of(got.headers, got.body)
        text.encode()  # no lone surrogates: it must go into JSON
        title = title_of(text)
        assert title is None or 0 < len(title) <= 200


@given(st.text(alphabet=st.sampled_from("<>/!-?&#;x1 titlescriptTITLE\"'= \n"), max_size=300))
def test_markup_never_raises(page: str) -> None:
    assert len(title_of(page) or "") <= 200
