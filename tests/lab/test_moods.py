"""Servers of changing moods, and owners of addresses with manners of their own, over loopback."""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import h2.events
import pytest
import trio
import trio.testing

from blockwatch.lab.ca import LabCA
from blockwatch.lab.scenarios.say import site
from blockwatch.lab.servers.web import Web
from blockwatch.lab.world import Manners, Serve
from tests.lab.loopback import (
    HOST,
    PAGE,
    RESET,
    SILENCE,
    asking_over_http2,
    body,
    exchange,
    get,
    one,
    serving,
    status,
    web,
)

STRANGE = "nobody-here.org"


async def test_a_notice_is_small_and_says_what_its_row_says(ca: LabCA) -> None:
    answer = await get(one(ca, "notice", title="Moved", text="We have moved.", code=451))
    assert status(answer) == 451
    assert b"<title>Moved</title>" in answer
    assert b"We have moved." in body(answer)


async def test_a_page_by_node_is_not_the_page_of_the_site(ca: LabCA) -> None:
    answer = await get(one(ca, "bynode", bytes=9000))
    assert len(body(answer)) == 9000
    assert body(answer) != PAGE
    assert body(await get(one(ca, "bynode", bytes=9000))) == body(answer)


async def test_an_end_that_comes_late(ca: LabCA, autojump_clock: trio.testing.MockClock) -> None:
    begun = trio.current_time()
    assert PAGE in await get(one(ca, "endsopen", seconds=25))
    assert trio.current_time() - begun >= 25


async def test_a_page_that_is_cut(ca: LabCA) -> None:
    assert await get(one(ca, "cutbody")) == RESET


async def test_goaway_is_said_over_http2_alone(ca: LabCA) -> None:
    served = one(ca, "goaway")
    assert body(await get(served)) == PAGE
    served = web(ca, site(host=HOST, pool="cloudflare", https=Serve(kind="goaway")))
    async with serving(served, "https") as port, secure(port, client(ca, "h2")) as stream:
        talk = asking_over_http2()
        await stream.send_all(talk.data_to_send())
        events: list[h2.events.Event] = []
        while not any(isinstance(event, h2.events.ConnectionTerminated) for event in events):
            events += talk.receive_data(bytes(await stream.receive_some(65536)))
        assert not any(isinstance(event, h2.events.ResponseReceived) for event in events)


async def test_requests_are_counted(ca: LabCA) -> None:
    served = one(ca, "ratelimit", n=2)
    assert [status(await get(served)) for _ in range(3)] == [200, 200, 429]
    served = one(ca, "early", n=2)
    assert [await get(served) == RESET for _ in range(4)] == [True, True, False, False]
    served = one(ca, "dying", n=2)
    assert [await get(served) == RESET for _ in range(4)] == [False, False, True, True]


def client(ca: LabCA, *alpn: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca.ca_file))
    context.check_hostname = False
    context.set_alpn_protocols(list(alpn) or ["http/1.1"])
    return context


@asynccontextmanager
async def secure(port: int, context: ssl.SSLContext, name: str = HOST) -> AsyncIterator[trio.SSLStream[Any]]:
    async with await trio.open_tcp_stream("127.0.0.1", port) as plain:
        stream = trio.SSLStream(plain, context, server_hostname=name, https_compatible=True)
        await stream.do_handshake()
        yield stream


def mannered(ca: LabCA, **manners: Any) -> Web:
    return web(ca, site(host=HOST, manners=Manners(**manners)))


async def handshake(served: Web, ca: LabCA, name: str = HOST) -> str:
    """How a handshake with ``served`` ends: ok, reset, closed, silence, or the alert's name."""
    async with serving(served, "https") as port:
        with trio.move_on_after(SILENCE):
            try:
                async with secure(port, client(ca), name):
                    return "ok"
            except trio.BrokenResourceError as error:
                cause = error.__cause__
                if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
                    return "closed"
                if isinstance(cause, ssl.SSLError):
                    return str(cause.reason)
                return "reset"
        return "silence"


@pytest.mark.parametrize(
    ("how", "seen"),
    [("reset", "reset"), ("close", "closed"), ("hang", "silence"), ("alert", "TLSV1_UNRECOGNIZED_NAME")],
)
async def test_unknown_server_names_are_turned_away(
    ca: LabCA, how: str, seen: str, autojump_clock: trio.testing.MockClock
) -> None:
    served = mannered(ca, unknown_sni=how)
    assert await handshake(served, ca) == "ok"
    assert await handshake(served, ca, STRANGE) == seen


async def test_a_fence_is_for_the_probe_and_its_names(ca: LabCA) -> None:
    served = mannered(ca, fence=(HOST,))
    assert await handshake(served, ca) == "reset"
    assert await handshake(served, ca, STRANGE) == "ok"


async def test_unknown_hosts_are_answered_as_the_owner_likes(
    ca: LabCA, autojump_clock: trio.testing.MockClock
) -> None:
    async def asked(how: str, host: str) -> bytes:
        async with serving(mannered(ca, unknown_host=how), "http") as port:
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            async with stream:
                await stream.send_all(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                got = b""
                with trio.move_on_after(SILENCE):
                    try:
                        while more := await stream.receive_some(65536):
                            got += bytes(more)
                    except trio.BrokenResourceError:
                        return RESET
                return got

    assert body(await asked("404", HOST)) == PAGE
    assert status(await asked("421", STRANGE)) == 421
    assert await asked("reset", STRANGE) == RESET
    assert await asked("hang", STRANGE) == b""


async def test_connections_are_counted_whatever_they_ask(ca: LabCA) -> None:
    served = mannered(ca, limit=2, over="reset")
    assert [await handshake(served, ca) for _ in range(3)] == ["ok", "ok", "reset"]
    served = mannered(ca, limit=1, over="close")
    assert [status(await get(served)), await get(served)] == [200, b""]


async def test_a_share_of_handshakes_is_reset(ca: LabCA) -> None:
    served = mannered(ca, tls_flaky=0.5)
    seen = [await handshake(served, ca) for _ in range(30)]
    assert set(seen) == {"ok", "reset"}


async def test_a_late_handshake(ca: LabCA, autojump_clock: trio.testing.MockClock) -> None:
    begun = trio.current_time()
    assert await handshake(mannered(ca, tls_delay=4.0), ca) == "ok"
    assert trio.current_time() - begun >= 4


async def test_tls12_and_a_certificate_of_the_client(ca: LabCA) -> None:
    async with serving(mannered(ca, tls12=True), "https") as port, secure(port, client(ca)) as stream:
        assert stream.version() == "TLSv1.2"
        assert body(await exchange(stream, "/", "", math.inf)) == PAGE
    async with serving(mannered(ca, client_cert=True), "https") as port, secure(port, client(ca)) as stream:
        got = b""
        with suppress(trio.BrokenResourceError):  # TLS 1.3 ends it after the handshake
            got = await exchange(stream, "/", "", math.inf)
        assert got in (b"", RESET)
