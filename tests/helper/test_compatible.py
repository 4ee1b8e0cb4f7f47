"""OONI's probes can use this helper: their questions are answered, in the types that their decoder wants."""

from __future__ import annotations

import json

import pytest

from blockwatch.helper.protocol import read_request
from tests.helper.world import little_internet, page, says, web

BROWSER = {
    "Accept": ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
    "Accept-Language": ["en-US,en;q=0.9"],
    "User-Agent": [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/122.0.0.0 Safari/537.3"
    ],
}
V04 = {  # one resolver's addresses, on the URL's own port; older ones send no x_quic_enabled
    "http_request": "http://site.test:{port}/",
    "http_request_headers": BROWSER,
    "tcp_connect": ["127.0.0.1:{port}"],
}
V05 = V04 | {"tcp_connect": ["127.0.0.1:{port}", "127.0.0.2:{port}"], "x_quic_enabled": False}
QUIC = V05 | {"x_quic_enabled": True}
BARE = {"http_request": "http://site.test:{port}/", "http_request_headers": {}, "tcp_connect": []}
QUESTIONS = {"0.4": V04, "0.5": V05, "with QUIC": QUIC, "with nothing": BARE}

text, whole, flag = (str,), (int,), (bool,)
maybe = (str, type(None))
# The answer as a decoder with fixed types reads it: "*" stands for every key of a map.
SHAPE = {
    "tcp_connect": {"*": {"status": flag, "failure": maybe}},
    "tls_handshake": {"*": {"server_name": text, "status": flag, "failure": maybe}},
    "quic_handshake": {"*": {}},
    "http_request": {
        "body_length": whole,
        "discovered_h3_endpoint": text,
        "failure": maybe,
        "title": text,
        "headers": {"*": text},
        "status_code": whole,
    },
    "http3_request": (type(None),),
    "dns": {"failure": maybe, "addrs": [text]},
    "ip_info": {"*": {"asn": whole, "flags": whole}},
}


def fits(value, shape):
    """Whether every field of ``shape`` is there, with its type and no other."""
    if isinstance(shape, tuple):
        return type(value) in shape
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, shape[0]) for item in value)
    if not isinstance(value, dict):
        return False
    if "*" in shape:
        return all(fits(item, shape["*"]) for item in value.values())
    return all(key in value and fits(value[key], inner) for key, inner in shape.items())


def test_the_checker_itself():
    good = {"failure": None, "addrs": ["1.2.3.4"]}
    assert fits(good, SHAPE["dns"])
    for bad in ({"failure": None}, good | {"addrs": None}, good | {"failure": 3}, good | {"addrs": [1]}, []):
        assert not fits(bad, SHAPE["dns"])
    assert not fits({"status": 1, "failure": None}, SHAPE["tcp_connect"]["*"])


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=list(QUESTIONS))
async def test_questions_of_their_probes(tmp_path, question):
    async with little_internet(tmp_path) as little, web(says(page())) as port:
        little.names.addresses["site.test"] = ["127.0.0.1"]
        body = json.dumps(question).replace("{port}", str(port)).encode()
        head = (
            f"POST / HTTP/1.1\r\nHost: helper\r\nUser-Agent: ooniprobe-cli/3.20.0\r\n"
            f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
        )
        status, headers, answer = await little.send(head.encode() + body)
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert fits(answer, SHAPE)
    assert answer["http_request"] | {"headers": {}} == {
        "body_length": 26,
        "discovered_h3_endpoint": "",
        "failure": None,
        "title": "A page",
        "headers": {},
        "status_code": 200,
    }
    assert answer["dns"] == {"failure": None, "addrs": ["127.0.0.1"]}
    asked = {where.replace("{port}", str(port)) for where in question["tcp_connect"]}
    assert set(answer["tcp_connect"]) == asked | {f"127.0.0.1:{port}"}
    assert answer["tcp_connect"][f"127.0.0.1:{port}"] == {"status": True, "failure": None}


@pytest.mark.parametrize(
    "host", ["gone.test", "silent.test", "closed.test", "127.0.0.1", "untrusted.test", "empty.test"]
)
async def test_answers_about_what_fails_have_the_same_types(tmp_path, autojump_clock, host):
    async with little_internet(tmp_path) as little:
        little.names.rcodes["empty.test"] = 0
        little.names.addresses |= {"closed.test": ["127.0.0.1"], "untrusted.test": ["127.0.0.1"]}
        little.names.lose = 1_000 * (host == "silent.test")
        async with web(says(page()), little.certificates.context("other.test")) as port:
            scheme = "https" if host == "untrusted.test" else "http"
            there = port if host == "untrusted.test" else 9
            answer = await little.ask(f"{scheme}://{host}:{there}/", "127.0.0.1:9", "[::1]:9")
    assert fits(answer, SHAPE)
    assert answer["http_request"]["failure"] is not None
    assert (answer["http_request"]["body_length"], answer["http_request"]["status_code"]) == (-1, -1)


def test_names_in_other_scripts_are_read():
    """Probes send what their list says, not always in A-labels."""
    body = json.dumps({"http_request": "https://қазақ.example/жол?q=ә"}).encode()
    _, url = read_request(body)
    assert url.host == "xn--80aau21bd.example"
    assert url.target == "/%D0%B6%D0%BE%D0%BB?q=%D3%99"
