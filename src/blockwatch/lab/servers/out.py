"""How a server speaks: one narrow seam, so that a behaviour is written once for HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import functools
import socket
import struct
import time
from email.utils import formatdate
from typing import Protocol

import trio

Headers = list[tuple[str, str]]


class Out(Protocol):
    """One response in the making."""

    async def head(self, status: int, headers: Headers, length: int | None) -> None:
        """Send the head; ``length`` null: as it comes (chunked, or HTTP/2 frames)."""

    async def data(self, part: bytes) -> None:
        """Send a part of the body."""

    async def end(self) -> None:
        """Finish the body."""

    async def abort(self) -> None:
        """Cut the connection with a reset."""


class RawOut(Out, Protocol):
    """A response over HTTP/1.1, where bytes can be sent that are no response."""

    async def raw(self, part: bytes) -> None:
        """Send bytes as they are."""


async def reply(out: Out, status: int, body: bytes, *headers: tuple[str, str]) -> None:
    """A whole response; an HTML page unless a Content-Type is given."""
    every = list(headers)
    if not any(name == "Content-Type" for name, _ in headers):
        every.insert(0, ("Content-Type", "text/html; charset=utf-8"))
    await out.head(status, every, len(body))
    if body:
        await out.data(body)
    await out.end()


@functools.lru_cache(maxsize=2)
def _date_at(second: int) -> str:
    return formatdate(second, usegmt=True)


def date() -> str:
    """The Date header's value now."""
    return _date_at(int(time.time()))


def cut(stream: trio.SocketStream) -> None:
    """Close with a reset instead of a FIN (SO_LINGER of zero seconds, socket(7))."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()
