"""What a test helper answers to a run, and what it hears from strangers itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h11

from blockwatch import control
from blockwatch.codec import canonical, decode
from blockwatch.helper import listening, protocol
from blockwatch.helper.clients import RateLimit
from blockwatch.helper.server import Helper
from blockwatch.model import ControlStep
from blockwatch.net.failures import Garbage
from blockwatch.net.http import Reply
from blockwatch.runner.vantage import read_echo
from tools.fuzz.readers.wire import on_the_wire, pieced
from tools.fuzz.target import Target


def _echo(work: Path) -> Target:
    corpus = [b'{"address":"93.184.216.34"}', b'{"address":"2606:2800:220:1::1","asn":1}', b"[]"]
    return Target(
        corpus, read_echo, ("blockwatch.runner.vantage:read_echo _is_public",), permitted=(), most_bytes=4_096
    )


def _control(work: Path) -> Target:
    answer = {
        "tcp_connect": {"192.0.2.1:443": {"status": True, "failure": None}},
        "tls_handshake": {"192.0.2.1:443": {"server_name": "a", "status": False, "failure": "ssl_error"}},
        "quic_handshake": {},
        "http_request": {"body_length": 9, "failure": None, "title": "т", "headers": {"A": "b"}, "status_code": 200},  # noqa: E501
        "dns": {"failure": "dns_name_error", "addrs": ["192.0.2.1", "2001:db8::1"]},
        "ip_info": {"192.0.2.1": {"asn": 9198, "flags": 11}},
        "x_blockwatch": {"final_url": "https://a.example.org/", "body_sha256": "00", "truncated": True},
    }  # fmt: skip

    def read(raw: bytes) -> None:
        """What is made of an answer can be written, and read again."""
        fields: dict[str, Any] = {}
        control._read(fields, Reply(status=200, body=bytearray(raw)))
        made = ControlStep(i=1, t=0, us=0, failure=None, helper="h", url="u", **fields)
        if decode(canonical(made), ControlStep) != made:
            raise AssertionError("written otherwise than it was read")

    modules = ("blockwatch.ooni.answer:control_fields _endpoints _asns _failure", "blockwatch.control:_read")
    return Target([json.dumps(answer).encode()], read, modules, permitted=(Garbage,), is_json=True)


def _asked(work: Path) -> Target:
    question = {
        "http_request": "https://site.example.org:8443/a?b=c",
        "http_request_headers": {"User-Agent": ["x"], "Accept": ["*/*"], "Accept-Language": ["ru"]},
        "tcp_connect": ["192.0.2.1:443", "[2001:db8::1]:80"],
        "x_quic_enabled": False,
    }

    def read(raw: bytes) -> None:
        request, url = protocol.read_request(raw)
        if protocol.read_url(url.text, ("http", "https", "tcp", "tls")).host != url.host:
            raise AssertionError("a URL that reads otherwise when written")
        protocol.forwarded_headers(request)
        for endpoint in request.tcp_connect or ():
            protocol.read_endpoint(endpoint)
        if url.scheme in protocol.PORTS:  # others are only connected to
            protocol.follow(url, url.text[::-1])

    corpus = [json.dumps(question).encode(), b'{"http_request":"tcp://192.0.2.1:99"}']
    modules = (
        "blockwatch.helper.protocol:read_request read_url _ascii_host follow read_endpoint forwarded_headers",
        "blockwatch.helper.destinations:parse is_odd_number",
    )
    return Target(
        corpus,
        read,
        modules,
        permitted=(protocol.BadRequest,),
        most_bytes=listening.MAX_REQUEST,
        is_json=True,
    )


def _heard(work: Path) -> Target:
    class Deaf(Helper):
        """Reads what is asked, and does nothing about it."""

        async def _answer(self, request: h11.Request, body: bytes, client: str) -> listening.Answer:
            if request.method != b"POST":
                return await super()._answer(request, body, client)
            try:
                protocol.read_request(body)
            except protocol.BadRequest as error:
                return 400, str(error).encode()
            return 200, b"{}"

    async def read(wire: Any) -> None:
        nothing: Any = None
        helper = Deaf(nothing, RateLimit(0, 0, float), nothing, None, nothing)
        await helper._converse(wire, "192.0.2.1")

    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
    waits = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = waits + b"2\r\n{}\r\n0\r\n\r\n"
    corpus = pieced(head + head, chunked, b"GET /whoami HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    modules = (
        "blockwatch.helper.listening:read write",
        "blockwatch.helper.server:Helper._converse Helper._answer",
    )
    return Target(corpus, on_the_wire(read), modules, permitted=())


READERS = {
    "helper's answer": _control,
    "helper's echo": _echo,
    "request to the helper": _asked,
    "connection to the helper": _heard,
}
