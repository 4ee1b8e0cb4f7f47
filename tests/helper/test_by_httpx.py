"""The helper as a client sees it that shares no code with us: httpx."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from tests.helper.world import Certificates, little_internet, page, says, web


def question(url: str) -> dict[str, object]:
    return {"http_request": url, "http_request_headers": {}, "tcp_connect": [], "x_quic_enabled": False}


async def test_one_connection_many_questions(tmp_path):
    async with little_internet(tmp_path) as little, web(says(page())) as port:
        little.names.addresses["site.example"] = ["127.0.0.1"]
        host, own = little.address
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(3):
                answer = await client.post(
                    f"http://{host}:{own}/", json=question(f"http://site.example:{port}/")
                )
                assert answer.status_code == 200
                assert answer.json()["http_request"]["title"] == "A page"
                assert answer.json()["dns"]["addrs"] == ["127.0.0.1"]


async def test_over_tls_with_a_certificate_that_httpx_believes(tmp_path):
    certificates = Certificates(tmp_path)
    context = certificates.context("localhost", "127.0.0.1")
    async with little_internet(tmp_path, tls=context) as little:
        believed = httpx.create_ssl_context(verify=False)
        believed.load_verify_locations(cafile=str(certificates.file))
        async with httpx.AsyncClient(trust_env=False, verify=believed) as client:
            host, own = little.address
            greeting = await client.get(f"https://{host}:{own}/")
    assert greeting.status_code == 200
    assert greeting.json()["message"]


@pytest.mark.parametrize("body", [b"<title>Packed</title>" + b"word " * 500, b"\xcf\xf0\xe8"])
async def test_both_read_the_same_page(tmp_path, body):
    packed = gzip.compress(body)
    raw = page(packed, headers="Content-Encoding: gzip\r\n")
    async with little_internet(tmp_path) as little, web(says(raw)) as port:
        little.names.addresses["site.example"] = ["127.0.0.1"]
        async with httpx.AsyncClient(trust_env=False) as client:
            theirs = await client.get(f"http://127.0.0.1:{port}/")
        ours = (await little.ask(f"http://site.example:{port}/"))["http_request"]
    assert ours["body_length"] == len(theirs.content) == len(body)
    assert ours["status_code"] == theirs.status_code
    json.dumps(ours)
