"""What the helper answers about real servers on loopback, field by field."""

import datetime
import hashlib
import subprocess
import sys

import pytest
import trio
import trustme

from tests.helper.world import little_internet, page, says, web

HEAD = "Content-Type: text/html; charset=utf-8\r\nx-powered-by: none\r\n"


def clean_answer(port):
    """What is answered of the page below, in OONI's words and ours."""
    where, body = f"127.0.0.1:{port}", "<title> Қазақ  тілі </title>".encode()
    return {
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
    assert answer == clean_answer(port)
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
    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)


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
    code = (
        "import sys, blockwatch.helper;"
        "heavy = {'dns.asyncquery', 'pandas', 'httpx', 'rich', 'cryptography'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
