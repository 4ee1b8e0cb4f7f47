"""A captive portal: every cleartext request is sent to its login page."""

from __future__ import annotations

import trio

from blockwatch.lab.servers import http1, pages
from blockwatch.lab.servers.http1 import Http1Out
from blockwatch.lab.servers.out import cut, reply
from blockwatch.lab.world import PORTAL

LOGIN = f"http://{PORTAL}/login"


async def _answer(method: str, target: str, headers: dict[str, str], body: bytes, out: Http1Out) -> None:
    if headers.get("host") == PORTAL:
        await reply(out, 200, pages.small("Guest Wi-Fi", "Please accept the terms to use this network."))
    else:
        await reply(out, 302, b"", ("Location", LOGIN), ("Cache-Control", "no-store"))


async def connection(stream: trio.SocketStream) -> None:
    """Serve one connection, whatever address it was meant for."""
    await http1.serve(stream, _answer, cut=lambda: cut(stream), server="captive")
