"""HTTP/1.1 by hand: quick for the ordinary page, and able to break every rule where a row asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import trio

from blockwatch.lab.servers.out import Headers, date

MAX_HEAD = 65_536
MAX_BODY = 16 * 1024 * 1024
Cut = Callable[[], None]
# (method, target, headers, body, out): answers one request.
Answer = Callable[[str, str, dict[str, str], bytes, "Http1Out"], Awaitable[None]]


@dataclass
class Http1Out:
    """One response on a connection that lasts until one side ends it."""

    stream: trio.abc.Stream
    cut: Cut
    server: str
    bodiless: bool = False  # HEAD
    keep: bool = True
    broken: bool = False  # no further response can follow on this connection
    _chunked: bool = False
    _held: bytearray = field(default_factory=bytearray)

    async def head(self, status: int, headers: Headers, length: int | None) -> None:
        """Keep the head back, so that it leaves in one segment with the first bytes of the body."""
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            f"Server: {self.server}",
            f"Date: {date()}",
        ]
        lines += [f"{name}: {value}" for name, value in headers]
        self._chunked = length is None
        lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
        lines.append("Connection: keep-alive" if self.keep else "Connection: close")
        self._held += "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    async def data(self, part: bytes) -> None:
        """Send a part of the body, framed where the length is unknown."""
        if self.bodiless:
            return
        framed = b"%x\r\n%b\r\n" % (len(part), part) if self._chunked else part
        held, self._held = bytes(self._held), bytearray()
        await self.stream.send_all(held + framed)

    async def end(self) -> None:
        """Finish the response."""
        if self._chunked and not self.bodiless:
            self._held += b"0\r\n\r\n"
        if self._held:
            held, self._held = bytes(self._held), bytearray()
            await self.stream.send_all(held)

    async def raw(self, part: bytes) -> None:
        """Send bytes as they are; the connection ends with the response."""
        self.broken = True
        await self.stream.send_all(part)

    async def abort(self) -> None:
        """Reset the connection."""
        self.broken = True
        self.cut()


async def serve(
    stream: trio.abc.Stream, answer: Answer, *, cut: Cut, server: str, first: bytes = b""
) -> None:
    """Answer requests on ``stream`` until the peer ends, errs or a response breaks the connection."""
    buffer = bytearray(first)
    while True:
        end = buffer.find(b"\r\n\r\n")
        while end < 0:
            if len(buffer) > MAX_HEAD:
                return
            received = await stream.receive_some(MAX_HEAD)
            if not received:
                return
            buffer += received
            end = buffer.find(b"\r\n\r\n")
        lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
        del buffer[: end + 4]
        words = lines[0].split(" ")
        if len(words) != 3:
            await stream.send_all(
                b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        pairs = (line.partition(":") for line in lines[1:])
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = await _body(stream, buffer, headers)
        out = Http1Out(stream=stream, cut=cut, server=server, bodiless=words[0] == "HEAD")
        out.keep = headers.get("connection", "").lower() != "close" and words[2] == "HTTP/1.1"
        await answer(words[0], words[1], headers, body, out)
        if out.broken or not out.keep:
            return


async def _body(stream: trio.abc.Stream, buffer: bytearray, headers: dict[str, str]) -> bytes:
    text = headers.get("content-length", "0")
    length = min(int(text), MAX_BODY) if text.isdecimal() else 0
    while len(buffer) < length:
        received = await stream.receive_some(65_536)
        if not received:
            break
        buffer += received
    body = bytes(buffer[:length])
    del buffer[:length]
    return body
