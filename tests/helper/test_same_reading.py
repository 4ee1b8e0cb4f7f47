"""Probe and helper read the same response in the same way, however odd: no difference is a finding."""

from __future__ import annotations

import gzip

import pytest

from blockwatch.model import HttpStep
from blockwatch.net.flow import Flow
from blockwatch.net.kit import Kit
from blockwatch.net.record import Record
from blockwatch.net.seam import RealNetwork
from tests.helper.world import little_internet, web
from tests.net.test_odd_heads import NO_HTTP, ODD, answer

CODED = gzip.compress(b"<title>Hello</title>" * 50)
RESPONSES = {
    **ODD,
    **{f"no HTTP {n}": raw for n, raw in enumerate(NO_HTTP)},
    "nothing": b"",
    "a torn head": b"HTTP/1.1 200 OK\r\nServer: x\r\n",
    "a torn odd head": b"HTTP/1.1 200 OK\r\nServer : x\r\n",
    "a torn body": answer(b"Content-Length: 900"),
    "broken chunks": answer(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\nno chunk\r\n"),
    "torn chunks": answer(b"Transfer-Encoding: chunked", body=b"50\r\nhello"),
    "a long head": answer(b"a: " + b"b" * 70_000),
    "many lines": answer(*[b"a: b"] * 20_000),
    "a long body": answer(b"Content-Length: 700000", body=b"x" * 700_000),
    "a long body without length": answer(body=b"x" * 700_000),
    "a coded body": answer(b"Content-Encoding: gzip", body=CODED),
    "a broken coded body": answer(b"Content-Encoding: gzip", body=CODED[:40] + b"\0" * 40),
    "interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + answer(),
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(),
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "no content": answer(first=b"HTTP/1.1 204 No Content", body=b""),
    "a status beyond": answer(first=b"HTTP/1.1 999 Odd"),
}


class Near(RealNetwork):
    """The network, but one in which a server of the test's own may be dialled."""

    def may_dial(self, address: str) -> bool:
        return True

    def source(self, version: int) -> str | None:
        return "127.0.0.1" if version == 4 else None


async def as_the_probe(port: int) -> HttpStep:
    kit = Kit(Near())
    record = Record(kit.network.monotonic_us, kit.origin_us)
    flow = Flow(kit, record, "127.0.0.1", port)
    await flow.tcp_connect()
    await flow.http_get(f"http://odd.test:{port}/")
    flow.close()
    step = record.snapshot()[-1]
    assert isinstance(step, HttpStep)
    return step


@pytest.mark.parametrize("raw", RESPONSES.values(), ids=list(RESPONSES))
async def test_both_say_the_same(tmp_path, raw):
    async def handler(stream, request):
        await stream.send_all(raw)
        await stream.send_eof()
        await stream.receive_some(1)

    async with little_internet(tmp_path) as little, web(handler) as port:
        little.names.addresses["odd.test"] = ["127.0.0.1"]
        theirs = await little.ask(f"http://odd.test:{port}/")
        ours = await as_the_probe(port)
    page, more = theirs["http_request"], theirs["x_blockwatch"]
    assert more.get("http_failure") == ours.failure
    if ours.failure is None:
        assert page["status_code"] == ours.status
        assert page["body_length"] == ours.body_length
        assert page["title"] == (ours.title or "")
        assert more.get("truncated", False) == ours.truncated
