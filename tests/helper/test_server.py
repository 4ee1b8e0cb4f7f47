"""The HTTP side: greeting, errors, limits, keep-alive, TLS, and silence about clients."""

import ssl
from functools import partial

import pytest
import trio
import trio.testing

from blockwatch.errors import ConfigError
from blockwatch.helper import Destinations, serve
from blockwatch.helper.clients import TABLE, RateLimit
from blockwatch.helper.server import CLIENT_CONNECTIONS
from tests.helper.world import little_internet, page, read_answer, says, web

GET = b"GET / HTTP/1.1\r\nHost: helper\r\n\r\n"


async def test_greeting_and_headers(tmp_path):
    async with little_internet(tmp_path) as little:
        status, headers, body = await little.send(GET)
    assert status == 200
    assert body["message"].startswith("Hello")
    assert "server" not in headers
    assert "blockwatch" not in repr((headers, body)).lower()
    assert headers["content-type"] == "application/json"
    assert "date" in headers


async def test_whoami_tells_the_caller_and_nobody_else(tmp_path, capfd):
    async with little_internet(tmp_path) as little:
        status, _, body = await little.send(b"GET /whoami HTTP/1.1\r\nHost: helper\r\n\r\n")
    assert status == 200
    assert set(body) == {"address", "asn", "country", "network", "table"}
    assert body["address"] == "127.0.0.1"
    assert "127." not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        {"http_request": 7},
        {"http_request": ""},
        {"http_request": "example.org"},
        {"http_request": "ftp://example.org/"},
        {"http_request": "http://"},
        {"http_request": "http://a b/"},
        {"http_request": "http://user@example.org/"},
        {"http_request": "http://example.org/\r\nX: y"},
        {"http_request": "http://example.org:99999/"},
        {"http_request": "http://[::1/"},
        {"http_request": "http://a..b/"},
        {"http_request": "http://" + "a" * 64 + ".org/"},
        {"http_request": "tcp://example.org"},
        {"http_request": "http://example.org/" + "a" * 9_000},
        {"http_request": "http://example.org/", "tcp_connect": ["1.2.3.4:80"] * 65},
        {"http_request": "http://example.org/", "tcp_connect": "1.2.3.4:80"},
        {"http_request": "http://example.org/", "http_request_headers": {"Accept": "a"}},
    ],
)
async def test_bad_requests(tmp_path, body):
    async with little_internet(tmp_path) as little:
        status, _, answer = await little.post(body)
        assert little.names.asked == []
    assert status == 400
    assert answer["message"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"PUT / HTTP/1.1\r\nHost: helper\r\n\r\n", 400),
        (b"HEAD / HTTP/1.1\r\nHost: helper\r\n\r\n", 400),
        (b"HEAD / HTTP/1.1\r\nHost: helper\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000, 413),
        (b"\x16\x03\x01 this is no HTTP\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: helper\r\n" + b"a: " + b"b" * 40_000, 400),
        (b'POST / HTTP/1.1\r\nHost: helper\r\nContent-Length: 20\r\n\r\n{"http_request":"\xff"}', 400),
        (b"POST / HTTP/1.1\r\nHost: helper\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000, 413),
    ],
)
async def test_what_is_not_for_us(tmp_path, raw, expected):
    async with little_internet(tmp_path) as little:
        status, _, _ = await little.send(raw)
        assert status == expected
        assert (await little.send(GET))[0] == 200


async def test_a_broken_head_request_is_the_clients_fault_and_not_ours(tmp_path, capfd):
    async with little_internet(tmp_path) as little, await trio.open_tcp_stream(*little.address) as stream:
        await stream.send_all(b"HEAD / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n")
        assert await stream.receive_some() == b""
    assert capfd.readouterr().err == ""


async def test_nulls_and_absent_fields_are_fine(tmp_path):
    async with little_internet(tmp_path) as little:
        for more in ({}, {"tcp_connect": None, "http_request_headers": None, "unknown": 1}):
            status, _, answer = await little.post({"http_request": "http://none.test/"} | more)
            assert status == 200
            assert answer["dns"]["failure"] == "dns_name_error"


async def test_keep_alive(tmp_path):
    async with little_internet(tmp_path) as little, await trio.open_tcp_stream(*little.address) as stream:
        for _ in range(3):
            await stream.send_all(GET)
            assert (await read_answer(stream))[0] == 200
        await stream.send_all(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert (await read_answer(stream))[0] == 200
        assert await stream.receive_some(1) == b""


@pytest.mark.parametrize(
    "sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{"]
)
async def test_slow_clients_are_left(tmp_path, autojump_clock, sent):
    async with little_internet(tmp_path) as little, await trio.open_tcp_stream(*little.address) as stream:
        started = trio.current_time()
        await stream.send_all(sent)
        assert await stream.receive_some(100) == b""
        assert trio.current_time() - started < 61


async def test_over_tls(tmp_path):
    async with little_internet(tmp_path) as first:
        certificates = first.certificates
        bound = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                partial(
                    serve,
                    listen=[("127.0.0.1", 0)],
                    tls=certificates.context("helper.test"),
                    resolver=f"127.0.0.1:{first.names.port}",
                    destinations=Destinations(allow_private=True),
                    ready=bound.extend,
                )
            )
            while not bound:
                await trio.lowlevel.checkpoint()
            client = ssl.create_default_context(cafile=str(certificates.file))
            lower = await trio.open_tcp_stream(*bound[0])
            async with trio.SSLStream(
                lower, client, server_hostname="helper.test", https_compatible=True
            ) as stream:
                for _ in range(2):
                    await stream.send_all(GET)
                    assert (await read_answer(stream))[0] == 200
            async with await trio.open_tcp_stream(*bound[0]) as plain:
                await plain.send_all(GET)
                assert not (await plain.receive_some(1000)).startswith(b"HTTP")
            nursery.cancel_scope.cancel()


async def test_too_many_requests_of_one_client(tmp_path):
    async with little_internet(tmp_path, rate=0.001, burst=3.0) as little:
        answers = [await little.send(GET) for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429]
    assert answers[-1][1]["retry-after"]


def test_the_bucket_fills_again_and_the_table_is_bounded():
    now = [0.0]
    limit = RateLimit(2.0, 4.0, lambda: now[0])
    assert [limit.allows("8.8.8.8") for _ in range(5)] == [True] * 4 + [False]
    now[0] += 0.5
    assert [limit.allows("::ffff:8.8.8.8") for _ in range(2)] == [True, False]
    assert [limit.allows(f"2001:db8::{n}") for n in range(5)] == [True] * 4 + [False]
    for n in range(TABLE + 50):
        limit.allows(f"{n >> 16}.{n >> 8 & 255}.{n & 255}.1")
    assert len(limit) == TABLE
    assert all(RateLimit(0, 0, lambda: 0.0).allows("8.8.8.8") for _ in range(100))


async def test_one_client_cannot_hold_every_connection(tmp_path):
    async with little_internet(tmp_path) as little, trio.open_nursery() as nursery:
        streams = [await trio.open_tcp_stream(*little.address) for _ in range(CLIENT_CONNECTIONS)]
        with pytest.raises((EOFError, trio.BrokenResourceError)):
            await little.send(GET)
        for stream in streams:
            nursery.start_soon(stream.aclose)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert (await little.send(GET))[0] == 200


async def test_parallel_requests_wait_and_then_are_refused(tmp_path, autojump_clock):
    async def handler(stream, request):
        await trio.sleep(6)
        await stream.send_all(page())

    async with little_internet(tmp_path, parallel=2) as little, web(handler) as port:
        little.names.addresses["slow.test"] = ["127.0.0.1"]
        statuses = []

        async def ask():
            status, _, _ = await little.post({"http_request": f"http://slow.test:{port}/"})
            statuses.append(status)

        async with trio.open_nursery() as nursery:
            for _ in range(30):
                nursery.start_soon(ask)
    assert len(statuses) == 30
    assert statuses.count(200) in (4, 5, 6)  # two at a time, six seconds each, ten seconds of waiting
    assert set(statuses) == {200, 503}


async def test_nothing_is_written_about_a_request(tmp_path, capfd):
    async with little_internet(tmp_path) as little, web(says(page())) as port:
        little.names.addresses["quiet.test"] = ["127.0.0.1"]
        await little.ask(f"http://quiet.test:{port}/")
        await little.post(b"{")
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


class Broken(Destinations):
    """A policy with a fault, which stands for any fault of ours."""

    def allows(self, address, port=None):
        raise ZeroDivisionError(f"at {address}")


async def test_a_fault_of_ours_is_a_500_without_particulars(tmp_path, capfd):
    async with little_internet(tmp_path, policy=Broken()) as little:
        little.names.addresses["any.test"] = ["127.0.0.1"]
        status, _, _ = await little.post({"http_request": "http://any.test/"})
        assert status == 500
        assert (await little.send(GET))[0] == 200
    said = capfd.readouterr().err
    assert "ZeroDivisionError at " in said
    assert "127." not in said
    assert "any.test" not in said


@pytest.mark.parametrize(
    "resolver",
    [
        "dns.example",
        "https://8.8.8.8/dns-query",
        "8.8.8.8:x",
        "tcp://1.1.1.1",
        "udp://1.1.1.1:0",
        "1.1.1.1:65536",
    ],
)
async def test_a_resolver_that_is_none(resolver):
    with pytest.raises(ConfigError) as caught:
        await serve(listen=[("127.0.0.1", 0)], resolver=resolver)
    assert resolver in str(caught.value)


async def test_roots_that_cannot_be_read(tmp_path):
    (tmp_path / "junk.pem").write_text("junk")
    for name in ("junk.pem", "absent.pem"):
        with pytest.raises(ConfigError) as caught:
            await serve(listen=[("127.0.0.1", 0)], resolver="127.0.0.1", ca_file=tmp_path / name)
        assert name in str(caught.value)


async def test_a_port_in_use(tmp_path):
    async with little_internet(tmp_path) as little:
        with pytest.raises(ConfigError) as caught:
            await serve(listen=[("127.0.0.1", 0), little.address], resolver="127.0.0.1")
    assert str(little.address[1]) in str(caught.value)
