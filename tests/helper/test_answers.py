"""What the helper answers about real servers on loopback, field by field."""

import hashlib
import struct
import sys

import pytest
import trio
import trustme

from tests.helper.world import little_internet, page, says, web

HEAD = "Content-Type: text/html; charset=utf-8\r\nx-powered-by: none\r\n"


async def test_a_clean_page_over_http(tmp_path):
    seen = []

    async def handler(stream, request):
        seen.append(request)
        await stream.send_all(page("<title> Қазақ  тілі </title>".encode(), headers=HEAD))

    async with little_internet(tmp_path) as little, web(handler) as port:
        little.names.addresses["clean.test"] = ["127.0.0.1"]
        answer = await little.ask(
            f"http://clean.test:{port}/a?b=c",
            f"127.0.0.1:{port}",
            User_Agent="Browser/1",
            Accept="text/html",
            Accept_Language="kk",
            Cookie="never",
        )
    where, body = f"127.0.0.1:{port}", "<title> Қазақ  тілі </title>".encode()
    assert answer == {
        "tcp_connect": {where: {"status": True, "failure": None}},
        "tls_handshake": {},
        "quic_handshake": {},
        "http_request": {
            "body_length": len(body),
            "discovered_h3_endpoint": "",
            "failure": None,
            "title": "Қазақ тілі",
            "headers": {
                "Content-Length": str(len(body)),
                "Content-Type": "text/html; charset=utf-8",
                "X-Powered-By": "none",
            },
            "status_code": 200,
        },
        "http3_request": None,
        "dns": {"failure": None, "addrs": ["127.0.0.1"]},
        "ip_info": {"127.0.0.1": {"asn": 0, "flags": 3}},
        "x_blockwatch": {
            "final_url": f"http://clean.test:{port}/a?b=c",
            "body_sha256": hashlib.sha256(body).hexdigest(),
        },
    }
    assert seen[0].split(b"\r\n") == [
        b"GET /a?b=c HTTP/1.1",
        f"Host: clean.test:{port}".encode(),
        b"User-Agent: Browser/1",
        b"Accept: text/html",
        b"Accept-Language: kk",
        b"",
        b"",
    ]


async def test_a_clean_page_over_tls_costs_one_handshake(tmp_path):
    async with little_internet(tmp_path) as little:
        context = little.certificates.context("clean.test")
        handshakes = []
        context.sni_callback = lambda sock, name, context: handshakes.append(name)
        headers = 'Alt-Svc: h2=":1", h3=":443"; ma=60\r\n'
        async with web(says(page(headers=headers)), context) as port:
            little.names.addresses["clean.test"] = ["127.0.0.1"]
            answer = await little.ask(f"https://clean.test:{port}/")
    where = f"127.0.0.1:{port}"
    assert answer["tls_handshake"] == {where: {"server_name": "clean.test", "status": True, "failure": None}}
    assert answer["http_request"]["status_code"] == 200
    assert answer["http_request"]["title"] == "A page"
    assert answer["http_request"]["discovered_h3_endpoint"] == "clean.test:443"
    assert answer["ip_info"] == {"127.0.0.1": {"asn": 0, "flags": 2 | 8}}
    assert handshakes == ["clean.test"]


@pytest.mark.parametrize(
    ("make", "failure"),
    [
        (lambda c: c.context("other.test"), "ssl_invalid_hostname"),
        (lambda c: c.context("bad.test", authority=trustme.CA()), "ssl_unknown_authority"),
        (lambda c: c.context("bad.test", not_after=_yesterday()), "ssl_invalid_certificate"),
    ],
)
async def test_certificates_are_verified(tmp_path, make, failure):
    async with little_internet(tmp_path) as little, web(says(page()), make(little.certificates)) as port:
        little.names.addresses["bad.test"] = ["127.0.0.1"]
        answer = await little.ask(f"https://bad.test:{port}/")
    where = f"127.0.0.1:{port}"
    assert answer["tcp_connect"][where] == {"status": True, "failure": None}
    assert answer["tls_handshake"][where] == {"server_name": "bad.test", "status": False, "failure": failure}
    assert answer["http_request"] == {
        "body_length": -1,
        "discovered_h3_endpoint": "",
        "failure": "unknown_error",
        "title": "",
        "headers": {},
        "status_code": -1,
    }
    assert answer["x_blockwatch"]["http_failure"] == failure


def _yesterday():
    import datetime

    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("rcode", "old", "http", "exact"),
    [
        (3, "dns_name_error", "dns_lookup_error", "dns_nxdomain_error"),
        (2, "dns_server_failure", "unknown_error", "dns_servfail_error"),
        (5, "dns_server_failure", "unknown_error", "dns_refused_error"),
        (4, "dns_server_failure", "dns_lookup_error", "dns_server_misbehaving"),
        (0, None, "dns_lookup_error", "dns_no_answer"),
    ],
)
async def test_failures_of_the_look_up(tmp_path, autojump_clock, rcode, old, http, exact):
    async with little_internet(tmp_path) as little:
        little.names.rcodes["gone.test"] = rcode
        answer = await little.ask("http://gone.test/")
    assert answer["dns"] == {"failure": old, "addrs": []}
    assert answer["http_request"]["failure"] == http
    assert answer["x_blockwatch"]["dns_failure"] == exact
    assert answer["tcp_connect"] == {}


async def test_a_silent_resolver_is_a_time_out(tmp_path, autojump_clock):
    async with little_internet(tmp_path) as little:
        little.names.lose = 1_000
        answer = await little.ask("http://silent.test/")
    assert answer["dns"]["failure"] == "unknown_error"
    assert answer["http_request"]["failure"] == "dns_lookup_error"
    assert answer["x_blockwatch"]["dns_failure"] == "generic_timeout_error"


@pytest.mark.parametrize("trouble", ["lose", "forge", "cut"])
async def test_lost_forged_and_cut_answers_are_overcome(tmp_path, autojump_clock, trouble):
    async with little_internet(tmp_path) as little, web(says(page())) as port:
        little.names.addresses["far.test"] = ["127.0.0.1"]
        little.names.lose = 3 * (trouble == "lose")  # of the two types' three tries each
        little.names.forge = trouble == "forge"
        little.names.cut = {"far.test"} if trouble == "cut" else set()
        answer = await little.ask(f"http://far.test:{port}/")
    assert answer["dns"] == {"failure": None, "addrs": ["127.0.0.1"]}
    assert answer["http_request"]["status_code"] == 200


async def test_a_closed_port_is_refused(tmp_path):
    async with little_internet(tmp_path) as little:
        async with web(says(page())) as port:
            pass
        little.names.addresses["closed.test"] = ["127.0.0.1"]
        answer = await little.ask(f"http://closed.test:{port}/")
    where = f"127.0.0.1:{port}"
    assert answer["tcp_connect"] == {where: {"status": False, "failure": "connection_refused_error"}}
    assert answer["http_request"]["failure"] == "connection_refused_error"
    assert answer["x_blockwatch"]["tcp_failures"] == {where: "connection_refused"}


async def test_one_dead_address_of_two_does_not_hide_the_page(tmp_path):
    async with little_internet(tmp_path) as little, web(says(page())) as port:
        little.names.addresses["two.test"] = ["127.0.0.2", "127.0.0.1"]
        answer = await little.ask(f"http://two.test:{port}/", f"127.0.0.3:{port}")
    assert {k: v["status"] for k, v in answer["tcp_connect"].items()} == {
        f"127.0.0.1:{port}": True,
        f"127.0.0.2:{port}": False,
        f"127.0.0.3:{port}": False,
    }
    assert answer["http_request"]["status_code"] == 200
    assert {k: v["flags"] for k, v in answer["ip_info"].items()} == {
        "127.0.0.1": 2,
        "127.0.0.2": 2,
        "127.0.0.3": 1,
    }


def _reset(stream):
    """Close with RST."""
    raw = stream.transport_stream if hasattr(stream, "transport_stream") else stream
    import socket

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
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 100, "http_request_failed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "http_request_failed"),
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
    assert answer["http_request"]["body_length"] == 1_048_576
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


@pytest.mark.parametrize("location", ["ftp://x/", "http://a b.test/", "http://0x7f.1/", "//[::1/"])
async def test_redirects_to_nowhere(tmp_path, location):
    response = page(b"", status="302 Found", headers=f"Location: {location}\r\n")
    async with little_internet(tmp_path) as little, web(says(response)) as port:
        little.names.addresses["hop.test"] = ["127.0.0.1"]
        answer = await little.ask(f"http://hop.test:{port}/")
    assert answer["x_blockwatch"]["http_failure"] == "http_invalid_redirect_location_host"


async def test_endpoints_without_a_page(tmp_path):
    async with (
        little_internet(tmp_path) as little,
        web(says(page()), little.certificates.context("app.test")) as port,
    ):
        little.names.addresses["app.test"] = ["127.0.0.1"]
        tls = await little.ask(f"tls://app.test:{port}")
        tcp = await little.ask(f"tcp://app.test:{port}")
    where = f"127.0.0.1:{port}"
    assert tls["tls_handshake"][where]["status"] is True
    assert tcp["tcp_connect"][where]["status"] is True
    assert tcp["tls_handshake"] == {}
    assert tcp["http_request"]["failure"] is None
    assert tcp["http_request"]["status_code"] == -1


async def test_endpoints_on_other_ports_are_not_scanned(tmp_path):
    async with little_internet(tmp_path) as little, web(says(page())) as port, web(says(page())) as other:
        little.names.addresses["site.test"] = ["127.0.0.1"]
        answer = await little.ask(
            f"http://site.test:{port}/", f"127.0.0.1:{other}", "junk", "127.0.0.1:99999"
        )
    assert list(answer["tcp_connect"]) == [f"127.0.0.1:{port}"]


async def test_what_is_not_tls_says_so(tmp_path):
    async def handler(stream, request):
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\nspeak plainly")

    async def plain(stream):
        await stream.receive_some(1000)
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\nspeak plainly")

    async with little_internet(tmp_path) as little, trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]
        nursery.start_soon(trio.serve_listeners, plain, listeners)
        little.names.addresses["plain.test"] = ["127.0.0.1"]
        answer = await little.ask(f"https://plain.test:{port}/")
        nursery.cancel_scope.cancel()
    assert answer["tls_handshake"][f"127.0.0.1:{port}"]["failure"] == "ssl_failed_handshake"


def test_it_is_light_to_import():
    import subprocess

    code = (
        "import sys, blockwatch.helper;"
        "heavy = {'dns.asyncquery', 'pandas', 'httpx', 'rich', 'cryptography'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
