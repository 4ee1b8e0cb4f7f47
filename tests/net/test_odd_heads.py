"""Careless servers are read as browsers read them; only what has no status line is no HTTP."""

import gzip

import pytest
import trio

from blockwatch import content

from .far import SITE, plain_page, posts, read_head

URL = "http://a.example/"
BODY = b"<title>Hello</title>"
SIZE = b"Content-Length: %d" % len(BODY)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


def answer(
    *lines: bytes, body: bytes = BODY, first: bytes = b"HTTP/1.1 200 OK", end: bytes = b"\r\n"
) -> bytes:
    return end.join((first, *lines, b"", b"")) + body


ODD = {
    "space before the colon": answer(b"Server : x", SIZE),
    "space before the colon of the length": answer(b"Content-Length : %d" % len(BODY)),
    "bare LF": answer(b"Server: x", SIZE, end=b"\n"),
    "mixed line ends": b"HTTP/1.1 200 OK\nServer: x\r\n" + SIZE + b"\n\r\n" + BODY,
    "a control character": answer(b"X-Odd: a\x01b\x00c", SIZE),
    "a carriage return within": answer(b"X-Odd: a\rb", SIZE),
    "a name with a space": answer(b"X Odd: a", SIZE),
    "a name that is empty": answer(b": a", SIZE),
    "a line without a colon": answer(b"hello", SIZE),
    "folded": answer(b"X-Odd: a", b"   b", SIZE),
    "folded at once": answer(b"   b", SIZE),
    "no reason": answer(SIZE, first=b"HTTP/1.1 200"),
    "no reason, old": answer(first=b"HTTP/1.0 200"),
    "an odd reason": answer(SIZE, first=b"HTTP/1.1 200 \x01\xff"),
    "two spaces": answer(SIZE, first=b"HTTP/1.1  200  OK"),
    "HTTP/2 in words": answer(SIZE, first=b"HTTP/2 200 OK"),
    "lower case": answer(SIZE, first=b"http/1.1 200 OK"),
    "two framings": answer(b"Transfer-Encoding: chunked", b"Content-Length: 3", body=CHUNKED),
    "an odd coding": answer(b"Transfer-Encoding: identity, chunked", body=CHUNKED),
    "an unknown coding": answer(b"Transfer-Encoding: identity", SIZE),
    "two lengths": answer(SIZE, b"Content-Length: 99"),
    "two lengths in one": answer(SIZE + b", 99"),
    "no length in words": answer(b"Content-Length: unknown"),
    "a negative length": answer(b"Content-Length: -1"),
    "no framing, odd line": answer(b"Server : x"),
    "after an interim response": b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"Server : x", SIZE),
}


@pytest.mark.parametrize("raw", ODD.values(), ids=list(ODD))
async def test_an_odd_head_is_read(tools, raw):
    await tools.far.serve(SITE, 80, plain_page(raw))
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.status, http.title, http.body_length) == (None, 200, "Hello", len(BODY))
    assert not http.truncated
    response = tools.record.exchanges()[1].response
    assert response == raw
    assert content.parse_response(response).body == BODY


@pytest.mark.parametrize("cut", [1, 7, 20, 40])
async def test_an_odd_head_in_pieces(tools, cut):
    raw = ODD["space before the colon"]

    async def handler(stream):
        await read_head(stream)
        for at in range(0, len(raw), cut):
            await stream.send_all(raw[at : at + cut])
            await trio.sleep(0.001)

    await tools.far.serve(SITE, 80, handler)
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.title, http.received) == (None, "Hello", len(raw))


@pytest.mark.parametrize("status", [999, 99, 0, 101, 299, 204])
async def test_any_status_is_a_status(tools, status):
    await tools.far.serve(
        SITE, 80, plain_page(answer(b"Server : x", SIZE, first=b"HTTP/1.1 %03d x" % status))
    )
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.status) == (None, status)


async def test_an_odd_coded_page_is_read(tools):
    coded = gzip.compress(BODY)
    raw = answer(b"Server : x", b"Content-Encoding: gzip", b"Content-Length: %d" % len(coded), body=coded)
    await tools.far.serve(SITE, 80, plain_page(raw))
    http = (await tools.visit(URL))[1]
    assert (http.title, http.headers[0]) == ("Hello", ("Server", "x"))


@pytest.mark.parametrize("head", [(), (b"Server : x",)])
async def test_broken_chunks_end_the_reading_and_not_the_request(tools, head):
    body = b"14\r\n<title>Hello</title>\r\nthis is no chunk\r\n" + b"x" * 100
    await tools.far.serve(SITE, 80, plain_page(answer(*head, b"Transfer-Encoding: chunked", body=body)))
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.status, http.title, http.truncated) == (None, 200, "Hello", True)


@pytest.mark.parametrize("head", [(), (b"Server : x",)])
async def test_an_end_that_comes_too_soon_stays_one(tools, head):
    await tools.far.serve(SITE, 80, plain_page(answer(*head, b"Content-Length: 900")))
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.status, http.body_length) == ("eof_error", 200, len(BODY))
    assert (await tools.visit(URL))[1].failure == "eof_error"


@pytest.mark.parametrize("head", [(), (b"Server : x",)])
async def test_a_torn_head_stays_an_eof(tools, head):
    raw = answer(*head, body=b"")
    await tools.far.serve(SITE, 80, plain_page(raw[:-2]))
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.status) == ("eof_error", None)


NO_HTTP = (
    b"hello\r\n\r\n",
    b"<html>HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 OK\r\n\r\n",
    b"\x15\x03",
    b"HTTP/1.1 100 Continue\r\n\r\nhello\r\n\r\n",
)


@pytest.mark.parametrize("raw", NO_HTTP)
async def test_no_status_line_is_no_http(tools, raw):
    await tools.far.serve(SITE, 80, plain_page(raw + b"x" * 20))
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.status) == ("http_request_failed", None)


async def test_a_connection_with_odd_words_is_not_used_again(tools):
    from blockwatch.net.flow import Flow
    from blockwatch.net.http import Reply, Request
    from blockwatch.net.url import parse_url

    await tools.far.serve(SITE, 80, plain_page(ODD["space before the colon"]))
    await tools.far.serve(SITE, 81, posts(lambda body: ("text/html", BODY)))
    for port, reusable in ((80, False), (81, True)):
        flow, reply = Flow(tools.kit, tools.record, SITE, port), Reply()
        await flow.tcp_connect()
        await flow.converse(Request(parse_url(URL)), reply)
        flow.close()
        assert (reply.reusable, bytes(reply.body)) == (reusable, BODY)
