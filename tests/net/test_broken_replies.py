"""What is no HTTP, has no end, or breaks off: a failure or a cut with a name, and always bounded."""

import zlib

import pytest
import trio

from blockwatch.net import limits

from .far import SITE, page, plain_page, read_head, reset

URL = "http://a.example/"


async def garbage(stream):
    await read_head(stream)
    await stream.send_all(b"\x00\x01\x02 this is no HTTP \xff\r\n\r\n" * 20)


async def endless_head(stream):
    await read_head(stream)
    await stream.send_all(b"HTTP/1.1 200 OK\r\n")
    while True:
        await stream.send_all(b"X-Again: " + b"a" * 4_000 + b"\r\n")


async def endless_continue(stream):
    await read_head(stream)
    while True:
        await stream.send_all(b"HTTP/1.1 100 Continue\r\n\r\n" * 200)


@pytest.mark.parametrize("handler", [garbage, endless_head, endless_continue])
async def test_what_is_not_http_is_a_failure_and_bounded(tools, handler):
    await tools.far.serve(SITE, 80, handler)
    http = (await tools.visit(URL))[1]
    assert http.failure == "http_request_failed"
    assert http.status is None
    assert 0 < len(tools.record.exchanges()[1].response) < 200_000


async def test_an_endless_body_is_cut(tools):
    async def handler(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await stream.send_all(b"x" * 65_536)

    await tools.far.serve(SITE, 80, handler)
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.body_length, http.truncated) == (None, limits.HTTP_BODY, True)


async def test_a_gzip_bomb_is_cut(tools):
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    await tools.far.serve(SITE, 80, plain_page(page(bomb, headers="Content-Encoding: gzip\r\n")))
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.body_length, http.truncated) == (None, limits.HTTP_BODY, True)


async def test_a_body_cut_by_reset_keeps_what_came(tools):
    async def handler(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + b"x" * 20_000)
        await trio.sleep(0.05)
        await reset(stream)

    await tools.far.serve(SITE, 80, handler)
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.error, http.status) == ("connection_reset", "ECONNRESET", 200)
    assert http.body_length == 20_000
    assert tools.record.exchanges()[1].response.endswith(b"x" * 20_000)


async def test_a_body_cut_by_fin_is_an_eof(tools):
    await tools.far.serve(SITE, 80, plain_page(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nshort"))
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.status, http.body_length) == ("eof_error", 200, 5)


async def test_a_frozen_body_times_out(tools, autojump_clock):
    async def handler(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + b"x" * 16_000)
        await trio.sleep_forever()

    await tools.far.serve(SITE, 80, handler)
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.status, http.body_length) == ("generic_timeout_error", 200, 16_000)
    assert http.us < 11_000_000


async def test_a_body_that_drips_is_left_after_a_while(tools, autojump_clock):
    async def handler(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n")
        while True:
            await stream.send_all(b"x" * 10)
            await trio.sleep(0.2)

    await tools.far.serve(SITE, 80, handler)
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.truncated) == (None, True)
    assert 19_000_000 < http.us < 22_000_000
    assert 30 < len(http.progress) <= 64
    assert http.progress == tuple(sorted(http.progress))
    assert http.progress[-1][1] == http.received


async def test_a_body_in_chunks_of_one_byte_is_cut(tools):
    """They cost more to read than to send."""

    async def handler(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await stream.send_all(b"1\r\nx\r\n" * 1_000)

    await tools.far.serve(SITE, 80, handler)
    http = (await tools.visit(URL))[1]
    assert (http.failure, http.status, http.truncated) == (None, 200, True)
    assert http.body_length == limits.HTTP_PIECES + 1
