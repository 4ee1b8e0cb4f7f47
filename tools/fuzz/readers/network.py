"""What comes off the wire while measuring: replies of strangers' servers, name servers and proxies."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import dns.message
import dns.rrset

from blockwatch.codec import canonical, decode
from blockwatch.lab.censor import names as censor_names
from blockwatch.lab.servers import hello
from blockwatch.net import dnsmessage
from blockwatch.net.failures import NETWORK
from blockwatch.net.http import H2, Reply, Request, exchange
from blockwatch.net.socks import Proxy, ProxyDown, SocksNetwork
from blockwatch.net.url import parse_url
from blockwatch.runner.line import Line
from blockwatch.runner.vantage import read_stun
from tools.fuzz.readers.pages import RESPONSES
from tools.fuzz.readers.wire import Wire, on_the_wire, pieced
from tools.fuzz.target import Target

_URL = parse_url("https://site.example.org/")


def _http1(work: Path) -> Target:
    async def read(wire: Wire) -> None:
        await exchange(wire, Request(_URL), Reply(), protocol=None)

    modules = ("blockwatch.net.http:exchange _take _Http1", "blockwatch.net.secondlook")
    return Target(pieced(*RESPONSES), on_the_wire(read), modules, permitted=NETWORK, most_bytes=1 << 18)


def _http2(work: Path) -> Target:
    async def read(wire: Wire) -> None:
        await exchange(wire, Request(_URL), Reply(), protocol="h2")

    modules = ("blockwatch.net.http:exchange _take _Http2 H2 _phrase",)
    return Target(pieced(*_http2_replies()), on_the_wire(read), modules, permitted=NETWORK)


def _http2_replies() -> list[bytes]:
    """What servers answer to our own first bytes."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection

    from blockwatch.net import http

    said = []
    for end in ("whole", "reset", "goaway", "no body"):
        ours = http._Http2(H2(), Request(_URL), Reply()).first_bytes()
        server = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        server.initiate_connection()
        server.receive_data(ours)
        head = [(":status", "200"), ("server", "nginx"), ("content-type", "text/html")]
        server.send_headers(1, head, end_stream=end == "no body")
        if end == "reset":
            server.reset_stream(1, 11)
        elif end == "goaway":
            server.close_connection(0)
        elif end == "whole":
            server.send_data(1, b"<html>" + bytes(500))
            server.send_headers(1, [("x-trailer", "y")], end_stream=True)
        said.append(server.data_to_send())
    return said


def _dns(work: Path) -> Target:
    asked = dnsmessage.query("site.example.org", "A", identity=7)

    def read(raw: bytes) -> None:
        """No function of ``dnsmessage`` ever raises."""
        found = dnsmessage.read(asked, raw)
        if found is not None:
            decode(canonical(list(found.addresses + found.names)), list[str])
            found.failure  # noqa: B018

    rows = [
        ("site.example.org. 60 IN A 192.0.2.1",),
        ("site.example.org. 60 IN CNAME a.example.net.", "a.example.net. 5 IN A 192.0.2.1"),
        ("site.example.org. 0 IN AAAA 2001:db8::1", "site.example.org. 9 IN TXT x"),
        (),
    ]
    corpus = []
    for answers in rows:
        reply = dns.message.make_response(dns.message.from_wire(asked))
        for row in answers:
            owner, ttl, *rest = row.split(" ")
            reply.answer.append(dns.rrset.from_text(owner, int(ttl), *rest))
        corpus.append(reply.to_wire())
    return Target(
        corpus, read, ("blockwatch.net.dnsmessage:read _parse Answer",), permitted=(), most_bytes=65_535
    )


def _stun(work: Path) -> Target:
    cookie, transaction = bytes.fromhex("2112a442"), bytes(range(12))
    attributes = (
        b"\0\x20\0\x08\0\x01\x11\x22\xe1\xba\xa5\x26",
        b"\x80\x22\0\x05hello\0\0\0\0\x20\0\x14\0\x02\x11\x22" + bytes(16),
    )
    corpus = [b"\1\1" + len(a).to_bytes(2, "big") + cookie + transaction + a for a in attributes]
    modules = ("blockwatch.runner.vantage:read_stun",)
    return Target(corpus, lambda raw: read_stun(raw, transaction), modules, permitted=(), most_bytes=65_535)


class _Lower:
    """A network on which a proxy answers with the input."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.monotonic_us = self.utc_us = lambda: 0

    async def connect(self, address: str, port: int) -> Wire:
        """The wire."""
        return self._wire


def _socks(work: Path) -> Target:
    async def read(wire: Wire) -> None:
        lower: Any = _Lower(wire)
        await SocksNetwork(lower, Proxy("192.0.2.1", 1080, "user", "word")).connect("a.example.org", 443)

    replies = (
        b"\5\0\5\0\0\1\xc0\0\2\1\x01\xbb", b"\5\2\1\0\5\0\0\3\7example\x01\xbb", b"\5\0\5\5\0\1" + bytes(6),
        b"\5\0\5\0\0\4" + bytes(18), b"\5\xff",
    )  # fmt: skip
    permitted = (*NETWORK, ProxyDown)
    return Target(
        pieced(*replies),
        on_the_wire(read),
        ("blockwatch.net.socks:SocksNetwork _target _refusal _down _exactly",),
        permitted=permitted,
        most_bytes=4_096,
    )


def _clock(work: Path) -> Target:
    def read(raw: bytes) -> None:
        nobody: Any = None
        Line(nobody).note_date(1_795_321_200_000_000, raw.decode("latin-1"))

    corpus = [
        b"Sun, 22 Nov 2026 04:20:00 GMT",
        b"Sunday, 22-Nov-26 04:20:00 GMT",
        b"Sun Nov 22 04:20:00 2026",
    ]
    return Target(corpus, read, ("blockwatch.runner.line:Line.note_date",), permitted=(), most_bytes=65_536)


def _names(work: Path) -> Target:
    def read(raw: bytes) -> None:
        """What the lab's censors and servers read off the wire; nothing raises."""
        hello.server_name(raw)
        censor_names.server_name(raw)
        censor_names.http_host(raw)
        censor_names.dns_question(raw)

    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="site.example.org")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    corpus = [
        outgoing.read(), b"GET / HTTP/1.1\r\nHost: Site.example.org:80\r\n\r\n",
        dnsmessage.query("site.example.org", "AAAA", identity=7),
    ]  # fmt: skip
    modules = (
        "blockwatch.lab.censor.names:http_host _without_port server_name _name_of_hello dns_question",
        "blockwatch.lab.servers.hello:server_name _server_name",
    )
    return Target(corpus, read, modules, permitted=(), most_bytes=hello.MAX_HELLO)


READERS = {
    "HTTP/1 response": _http1,
    "HTTP/2 response": _http2,
    "DNS reply": _dns,
    "STUN reply": _stun,
    "SOCKS reply": _socks,
    "Date": _clock,
    "ClientHello, Host, DNS question": _names,
}
