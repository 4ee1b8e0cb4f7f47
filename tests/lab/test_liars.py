"""Test helpers that err and lie, over loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio

from blockwatch.lab.ca import LabCA
from blockwatch.lab.scenarios.say import serve, site
from blockwatch.lab.servers import liars
from blockwatch.lab.servers.web import Web
from blockwatch.ooni.answer import control_fields
from tests.lab.loopback import HOST, RESET, body, read, serving, status, web

QUESTION = {"http_request": "https://asked.kz/", "tcp_connect": ["5.45.65.1:443", "[2a01:4f8::1]:80"]}
TRUTH = {"http_request": {"failure": None, "status_code": 200, "title": "the truth"}}


async def ask(served: Web, question: object = QUESTION) -> bytes:
    sent = json.dumps(question).encode()
    head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(sent)}\r\nConnection: close\r\n\r\n"
    async with serving(served, "http") as port:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(head.encode() + sent)
            return await read(stream)


def helper(ca: LabCA, kind: str, **args: object) -> Web:
    return web(ca, site(host=HOST, https=None, http=serve(kind, **args)))


def said(answer: bytes) -> dict[str, Any]:
    assert status(answer) == 200
    return control_fields(json.loads(body(answer)))


@pytest.mark.parametrize(
    ("says", "dns_failure", "http_failure", "shown"),
    [
        ("down", None, "generic_timeout_error", (None, None)),
        ("nowhere", "dns_nxdomain_error", "dns_nxdomain_error", (None, None)),
        ("empty", None, None, (200, 0)),
        ("other", None, None, (200, 615)),
    ],
)
async def test_a_liar_says_the_same_of_every_site(
    ca: LabCA, says: str, dns_failure: str | None, http_failure: str | None, shown: tuple[int | None, ...]
) -> None:
    fields = said(await ask(helper(ca, "liar", says=says)))
    assert (fields["dns_failure"], fields["http_failure"]) == (dns_failure, http_failure)
    assert (fields["status"], fields["body_length"]) == shown
    ends = fields["endpoints"]
    assert [(end.address, end.port) for end in ends] == [("5.45.65.1", 443), ("2a01:4f8::1", 80)]
    assert {end.tcp_failure for end in ends} == {http_failure}
    assert [end.tls for end in ends] == [http_failure is None, False]


async def test_a_liar_of_some_names_passes_on_the_truth_of_others(
    ca: LabCA, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def true(stream: trio.SocketStream) -> None:
        answer = json.dumps(TRUTH).encode()
        await stream.receive_some(65_536)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, true, [listener])
        monkeypatch.setattr(liars, "HELPER", "127.0.0.1")
        monkeypatch.setattr(liars, "HELPER_PORT", listener.socket.getsockname()[1])
        served = helper(ca, "liar", says="down", names=["other.kz"])
        assert said(await ask(served))["title"] == "the truth"
        assert said(await ask(served, QUESTION | {"http_request": "http://other.kz/"}))["title"] is None
        dying = helper(ca, "relay", n=1)
        assert said(await ask(dying))["title"] == "the truth"
        assert await ask(dying) == RESET
        nursery.cancel_scope.cancel()


async def test_what_is_no_question_gets_a_page(ca: LabCA) -> None:
    assert b"helper" in body(await ask(helper(ca, "liar", says="down"), []))
