"""DNS service on every resolver address: UDP, TCP, and TLS on port 853 (RFC 7858)."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

import trio

from blockwatch.lab.servers.town import is_helper
from blockwatch.lab.servers.zone import Zone

IDLE = 30.0  # seconds


async def udp(sock: trio.socket.SocketType, zone: Zone, resolver: str) -> None:
    """Answer datagrams for ever."""
    while True:
        message, peer = await sock.recvfrom(4096)
        answer = zone.truncated(message, resolver=resolver) or zone.answer(
            message, resolver=resolver, helper=is_helper(peer[0])
        )
        if answer is not None:
            await sock.sendto(answer, peer)


async def stream(connection: trio.abc.Stream, zone: Zone, resolver: str, *, helper: bool) -> None:
    """Answer length-prefixed messages until the peer ends (RFC 1035, 4.2.2)."""
    buffer = bytearray()
    while received := await connection.receive_some(4096):
        buffer += received
        while len(buffer) >= 2 and len(buffer) >= 2 + (size := int.from_bytes(buffer[:2], "big")):
            message = bytes(buffer[2 : 2 + size])
            del buffer[: 2 + size]
            answer = zone.answer(message, resolver=resolver, helper=helper)
            if answer is not None:
                await connection.send_all(len(answer).to_bytes(2, "big") + answer)


def handler(
    zone: Zone, resolver: str, context: ssl.SSLContext | None
) -> Callable[[trio.SocketStream], Awaitable[None]]:
    """What to do with a connection to ``resolver``; with a context: DNS over TLS."""

    async def handle(connection: trio.SocketStream) -> None:
        peer = connection.socket.getpeername()[0]
        over: trio.abc.Stream = connection
        if context is not None:
            over = trio.SSLStream(connection, context, server_side=True, https_compatible=True)
        with trio.move_on_after(IDLE):
            await stream(over, zone, resolver, helper=is_helper(peer))

    return handle
