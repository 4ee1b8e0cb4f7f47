"""Web servers of the lab on loopback, and a plain client for them."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import trio
import trio.testing
from h2.config import H2Configuration
from h2.connection import H2Connection

from blockwatch.lab.ca import LabCA
from blockwatch.lab.scenarios.say import site
from blockwatch.lab.servers import pages
from blockwatch.lab.servers.secure import Contexts
from blockwatch.lab.servers.town import Town
from blockwatch.lab.servers.web import Web
from blockwatch.lab.servers.zone import Zone
from blockwatch.lab.world import Serve, Site, World
from blockwatch.lab.world_ports import fixed_sites

HOST, ALIAS = "quiet-harbour.kz", "www.quiet-harbour.kz"
PAGE = pages.ordinary(HOST)
RESET = b"<reset>"
SILENCE = 100.0  # seconds, of virtual time wherever it is waited for


def web(ca: LabCA, *sites: Site) -> Web:
    """Web servers of sites that all live on 127.0.0.1."""
    world = World(name="loopback", sites=tuple(replace(one, addresses=("127.0.0.1",)) for one in sites))
    town = Town(world)
    return Web(town=town, zone=Zone(world, town, fixed_sites()), contexts=Contexts(town, ca))


@asynccontextmanager
async def serving(served: Web, scheme: str) -> AsyncIterator[int]:
    """The port where ``served`` listens."""

    async def guarded(stream: trio.SocketStream) -> None:
        try:
            await served.connection(stream, scheme)
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            stream.socket.close()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, guarded, 0, host="127.0.0.1"))
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


def one(ca: LabCA, kind: str, scheme: str = "http", **args: Any) -> Web:
    serve = Serve(kind=kind, args=args)
    return web(ca, site(host=HOST, aliases=(ALIAS,), http=serve, https=serve))


async def exchange(stream: trio.abc.Stream, path: str, headers: str, limit: float) -> bytes:
    await stream.send_all(
        f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{headers}Connection: close\r\n\r\n".encode()
    )
    return await read(stream, limit)


async def read(stream: trio.abc.Stream, limit: float = math.inf) -> bytes:
    """Everything until the end, :data:`SILENCE` or a reset, or the first ``limit`` bytes."""
    got = bytearray()
    with trio.move_on_after(SILENCE):
        try:
            while len(got) < limit and (more := await stream.receive_some(65536)):
                got += more
        except trio.BrokenResourceError:
            return RESET
    return bytes(got)


async def get(served: Web, path: str = "/", headers: str = "", limit: float = math.inf) -> bytes:
    """The whole answer over cleartext, or its first ``limit`` bytes."""
    async with serving(served, "http") as port:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            return await exchange(stream, path, headers, limit)


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def header(answer: bytes, name: str) -> str | None:
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}.get(name)


def asking_over_http2() -> H2Connection:
    """The client's side of HTTP/2 with a request for the front page, ready to be sent."""
    talk = H2Connection(H2Configuration(header_encoding="utf-8"))
    talk.initiate_connection()
    request = {":method": "GET", ":path": "/", ":scheme": "https", ":authority": HOST}
    talk.send_headers(1, list(request.items()), end_stream=True)
    return talk
