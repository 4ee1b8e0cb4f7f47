"""Connections: kept, by audience, path and port; certificates by name; HTTP/2; DNS over HTTPS."""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import h2.events
import trio
import trio.testing

from blockwatch.lab.ca import LabCA
from blockwatch.lab.scenarios.say import site
from blockwatch.lab.world import Serve
from tests.lab.loopback import HOST, PAGE, asking_over_http2, body, exchange, get, one, serving, status, web


async def test_connection_is_kept_for_further_requests(ca: LabCA) -> None:
    async with (
        serving(one(ca, "page"), "http") as port,
        await trio.open_tcp_stream("127.0.0.1", port) as stream,
    ):
        await stream.send_all(f"HEAD / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert body(bytes(await stream.receive_some(65536))) == b""
        assert status(await exchange(stream, "/", "", math.inf)) == 200


async def test_audience(ca: LabCA) -> None:
    challenge = Serve(kind="challenge", audience="helper")
    assert status(await get(web(ca, site(host=HOST, http=challenge)))) == 200
    challenge = Serve(kind="challenge", audience="probe")
    assert status(await get(web(ca, site(host=HOST, http=challenge)))) == 503


async def test_paths_and_ports(ca: LabCA) -> None:
    gone = Serve(kind="status", args={"code": 404})
    assert status(await get(web(ca, site(host=HOST, paths={"/gone": gone})), "/gone?x=1")) == 404
    served = web(ca, site(host=HOST))
    async with serving(served, "http") as port:
        here = replace(served.town.world.sites[0], ports={port: ("http", gone)})
        served.town.tenants("127.0.0.1")[:] = [here]
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            assert status(await exchange(stream, "/", "", math.inf)) == 404


def client(ca: LabCA, *alpn: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca.ca_file))
    context.set_alpn_protocols(list(alpn) or ["http/1.1"])
    return context


@asynccontextmanager
async def secure(port: int, context: ssl.SSLContext, name: str) -> AsyncIterator[trio.SSLStream[Any]]:
    async with await trio.open_tcp_stream("127.0.0.1", port) as plain:
        stream = trio.SSLStream(plain, context, server_hostname=name, https_compatible=True)
        await stream.do_handshake()
        yield stream


async def complaint(port: int, context: ssl.SSLContext, name: str) -> int:
    """OpenSSL's verify code of a handshake; 0: none."""
    try:
        async with secure(port, context, name):
            return 0
    except trio.BrokenResourceError as error:
        return int(getattr(error.__cause__, "verify_code", -1))


async def test_certificate_by_name(ca: LabCA) -> None:
    served = web(ca, site(host=HOST), site("b", host="other-house.org", cert="self"))
    async with serving(served, "https") as port:
        async with secure(port, client(ca), HOST) as stream:
            assert body(await exchange(stream, "/", "", math.inf)) == PAGE
        assert await complaint(port, client(ca), "other-house.org") == 18  # its own: self-signed
        assert await complaint(port, client(ca), "unknown.org") == 62  # the owner's: another name


async def test_http2(ca: LabCA) -> None:
    served = web(ca, site(host=HOST, pool="cloudflare", https=Serve(kind="large", args={"bytes": 300_000})))
    async with serving(served, "https") as port, secure(port, client(ca, "h2", "http/1.1"), HOST) as stream:
        assert stream.selected_alpn_protocol() == "h2"
        talk = asking_over_http2()
        got, ended, said = bytearray(), False, {}
        while not ended:
            await stream.send_all(talk.data_to_send())
            for event in talk.receive_data(bytes(await stream.receive_some(65536))):
                if isinstance(event, h2.events.ResponseReceived):
                    said = dict(event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    got += event.data
                    talk.acknowledge_received_data(event.flow_controlled_length, 1)
                ended = ended or isinstance(event, h2.events.StreamEnded)
        assert (said[":status"], said["server"], len(got)) == ("200", "cloudflare", 300_000)


async def test_broken_over_http2(ca: LabCA) -> None:
    served = web(ca, site(host=HOST, https=Serve(kind="h2broken")))
    async with serving(served, "https") as port, secure(port, client(ca, "h2", "http/1.1"), HOST) as stream:
        talk = asking_over_http2()
        await stream.send_all(talk.data_to_send())
        events: list[h2.events.Event] = []
        with suppress(trio.BrokenResourceError):
            while got := bytes(await stream.receive_some(65536)):
                events += talk.receive_data(got)
        assert not any(isinstance(event, h2.events.ResponseReceived) for event in events)


async def test_doh(ca: LabCA) -> None:
    served = one(ca, "doh")
    assert status(await get(served, "/dns-query?dns=AAABAAABAAAAAAAAB2V4YW1wbGUDY29tAAABAAE")) == 200
    assert status(await get(served, "/dns-query")) == 400
    assert status(await get(served)) == 404
