"""Servers that misbehave on purpose, over HTTP/1.1: the measurer must survive every one.

Endless kinds send in bounded steps and end by themselves after :data:`PATIENCE` seconds, so that a
client which never stops does not take the lab down with it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Awaitable, Callable, Iterator

import trio

from blockwatch.lab.servers.kinds import Asked
from blockwatch.lab.servers.out import RawOut, reply

PATIENCE = 60.0  # seconds
_GIGABYTE = 1 << 30
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"

RawKind = Callable[[Asked, RawOut], Awaitable[None]]


async def raw(asked: Asked, out: RawOut) -> None:
    """The bytes of the row, then FIN; ``bytes``."""
    await out.raw(bytes(asked.args["bytes"]))
    await out.end()


async def garbage(asked: Asked, out: RawOut) -> None:
    """Bytes that are not HTTP."""
    await out.raw(asked.town.chance.randbytes(4096))
    await out.end()


async def endlessheaders(asked: Asked, out: RawOut) -> None:
    """Header lines without end."""
    await out.raw(_OK)
    await _endless(out, 20 * (b"X-Filler: " + b"a" * 900 + b"\r\n"))


async def endlessbody(asked: Asked, out: RawOut) -> None:
    """A body without end and without length."""
    await out.raw(_OK + b"\r\n")
    await _endless(out, b"<p>" + b"word " * 3000 + b"</p>\n")


async def _endless(out: RawOut, part: bytes) -> None:
    with trio.move_on_after(PATIENCE):
        while True:
            await out.raw(part)
            await trio.sleep(0.005)
    await out.end()


def _bomb() -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"\0" * (1 << 20)
    for _ in range(_GIGABYTE // len(zeros)):
        if part := packer.compress(zeros):
            yield part
    yield packer.flush()


async def bomb(asked: Asked, out: RawOut) -> None:
    """A gzip body of about 1 MB that unpacks to 1 GB."""
    await out.raw(_OK + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n")
    for part in _bomb():
        await out.raw(part)
        await trio.lowlevel.checkpoint()
    await out.end()


async def maze(asked: Asked, out: RawOut) -> None:
    """``n`` redirects, each to another URL."""
    room = int(asked.request.path.rpartition("/room/")[2] or 0) if "/room/" in asked.request.path else 0
    if room >= int(asked.args["n"]):
        await reply(out, 200, asked.page())
    else:
        await reply(out, 302, b"", ("Location", f"/room/{room + 1}"))


async def badchunks(asked: Asked, out: RawOut) -> None:
    """Chunk sizes that are not numbers."""
    await out.raw(_OK + b"Transfer-Encoding: chunked\r\n\r\nfrog\r\n" + b"x" * 100 + b"\r\n0\r\n\r\n")
    await out.end()


async def shortbody(asked: Asked, out: RawOut) -> None:
    """A Content-Length larger than what comes, then FIN."""
    body = asked.page()
    await out.raw(_OK + b"Content-Length: %d\r\n\r\n" % (2 * len(body)) + body)
    await out.end()


async def twolengths(asked: Asked, out: RawOut) -> None:
    """Two Content-Length headers that differ."""
    body = asked.page()
    await out.raw(_OK + b"Content-Length: 10\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await out.end()


async def badgzip(asked: Asked, out: RawOut) -> None:
    """A gzip body broken in the middle."""
    body = bytearray(gzip.compress(asked.page()))
    body[len(body) // 2 :] = b"\xff" * (len(body) - len(body) // 2)
    await out.raw(_OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + bytes(body))
    await out.end()


RAW_KINDS: dict[str, RawKind] = {
    kind.__name__: kind
    for kind in (
        raw, garbage, endlessheaders, endlessbody, bomb, maze, badchunks, shortbody, twolengths, badgzip
    )
}  # fmt: skip
