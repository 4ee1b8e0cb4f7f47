"""The page as the helper gets it: broken and odd responses, limits, redirects; and as the probe gets it."""

import socket
import struct

import pytest
import trio

from tests.helper.world import little_internet, page, says, web


def _reset(stream):
    """Close with RST."""
    raw = stream.transport_stream if hasattr(stream, "transport_stream") else stream
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.socket.close()


async def test_a_request_that_fails_once_is_made_again(tmp_path):
    requests = []

    async def handler(stream, request):
        requests.append(request)
        if len(requests) == 1:
            _reset(stream)
        else:
            await stream.send_all(page())

    async with little_internet(tmp_path) as little, web(handler) as port:
        little.names.addresses["flaky.test"] = ["127.0.0.1"]
        answer = await little.ask(f"http://flaky.test:{port}/")
    assert answer["http_request"]["status_code"] == 200
    assert len(requests) == 2


@pytest.mark.parametrize(
    ("raw", "exact"),
    [
        (b"", "eof_error"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "eof_error"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Enc", "eof_error"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "http_request_failed"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000, "http_request_failed"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 100, "eof_error"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000, "http_request_failed"),
    ],
)
async def test_broken_responses(tmp_path, raw, exact):
    async def handler(stream, request):
        await stream.send_all(raw)

    async with little_internet(tmp_path) as little, web(handler) as port:
        little.names.addresses["broken.test"] = ["127.0.0.1"]
        answer = await little.ask(f"http://broken.test:{port}/")
    assert answer["http_request"]["failure"] == "unknown_error"
    assert answer["http_request"]["status_code"] == -1
    assert answer["x_blockwatch"]["http_failure"] == exact


async def test_a_server_that_never_answers_is_a_time_out(tmp_path, autojump_clock):
    async def handler(stream, request):
        await trio.sleep_forever()

    async with little_internet(tmp_path) as little, web(handler) as port:
        little.names.addresses["slow.test"] = ["127.0.0.1"]
        started = trio.current_time()
        answer = await little.ask(f"http://slow.test:{port}/")
        assert trio.current_time() - started < 21
    assert answer["http_request"]["failure"] == "generic_timeout_error"


async def test_an_endless_body_is_cut(tmp_path):
    async def handler(stream, request):
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await stream.send_all(b"x" * 65536)

    async with little_internet(tmp_path) as little, web(handler) as port:
        little.names.addresses["long.test"] = ["127.0.0.1"]
        answer = await little.ask(f"http://long.test:{port}/")
    assert answer["http_request"]["body_length"] == 524_288
    assert answer["x_blockwatch"]["truncated"] is True


async def test_redirects_are_followed_with_cookies_and_told(tmp_path):
    async def handler(stream, request):
        if request.startswith(b"GET /in "):
            allowed = b"Cookie: pass=1" in request
            await stream.send_all(page(b"in" if allowed else b"out"))
        else:
            await stream.send_all(
                page(b"", status="302 Found", headers="Set-Cookie: pass=1; Path=/\r\nLocation: /in\r\n")
            )

    async with little_internet(tmp_path) as little, web(handler) as port:
        little.names.addresses["hop.test"] = ["127.0.0.1"]
        answer = await little.ask(f"http://hop.test:{port}/")
    assert answer["http_request"]["body_length"] == 2
    assert answer["x_blockwatch"]["final_url"] == f"http://hop.test:{port}/in"
    assert answer["x_blockwatch"]["redirects"] == [{"url": f"http://hop.test:{port}/", "status": 302}]


async def test_redirects_without_end(tmp_path):
    requests = []

    async def handler(stream, request):
        requests.append(request)
        await stream.send_all(page(b"", status="301 Moved", headers=f"Location: /{len(requests)}\r\n"))

    async with little_internet(tmp_path) as little, web(handler) as port:
        little.names.addresses["loop.test"] = ["127.0.0.1"]
        answer = await little.ask(f"http://loop.test:{port}/")
    assert answer["http_request"]["failure"] == "unknown_error"
    assert len(requests) == 11


@pytest.mark.parametrize(
    "location",
    ["ftp://x/", "http://a b.test/", "http://0x7f.1/", "//[::1/", "http:///x", "http://[fe80::1%25lo]/"],
)
async def test_redirects_to_nowhere(tmp_path, location):
    response = page(b"", status="302 Found", headers=f"Location: {location}\r\n")
    async with little_internet(tmp_path) as little, web(says(response)) as port:
        little.names.addresses["hop.test"] = ["127.0.0.1"]
        answer = await little.ask(f"http://hop.test:{port}/")
    assert answer["x_blockwatch"]["http_failure"] == "http_invalid_redirect_location_host"


@pytest.mark.parametrize(
    "location", ["/caf\u00e9", "http://user:secret@hop.test:{port}/caf%C3%A9", " /caf%C3%A9#x"]
)
async def test_locations_are_read_as_the_probe_reads_them(tmp_path, location):
    seen = []

    async def handler(stream, request):
        seen.append(request.split(b" ")[1])
        there = location.format(port=port)
        await stream.send_all(
            page()
            if len(seen) > 1
            else page(b"", status="302 Found").replace(
                b"\r\n", b"\r\nLocation: " + there.encode() + b"\r\n", 1
            )
        )

    async with little_internet(tmp_path) as little, web(handler) as port:
        little.names.addresses["hop.test"] = ["127.0.0.1"]
        answer = await little.ask(f"http://hop.test:{port}/")
    assert seen == [b"/", b"/caf%C3%A9"]
    assert answer["http_request"]["title"] == "A page"


async def test_a_page_that_drips_is_shown_as_far_as_it_came(tmp_path, autojump_clock):
    async def handler(stream, request):
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n<title>Drip</title>")
        while True:
            await trio.sleep(1)
            await stream.send_all(b"x")

    async with little_internet(tmp_path) as little, web(handler) as port:
        little.names.addresses["drip.test"] = ["127.0.0.1"]
        answer = await little.ask(f"http://drip.test:{port}/")
    assert answer["http_request"]["failure"] is None
    assert answer["http_request"]["title"] == "Drip"
    assert answer["x_blockwatch"]["truncated"] is True
