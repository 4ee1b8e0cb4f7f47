"""Looking at a ClientHello without answering it, and a stream that gives back what was looked at."""

from __future__ import annotations

import trio

MAX_HELLO = 16_384 + 5


class Looked(trio.abc.Stream):
    """A stream whose first bytes were already received."""

    def __init__(self, stream: trio.SocketStream, first: bytes) -> None:
        self._stream, self._first = stream, first

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """The bytes looked at first, then those of the stream beneath."""
        if self._first:
            size = max_bytes or len(self._first)
            part, self._first = self._first[:size], self._first[size:]
            return part
        return bytes(await self._stream.receive_some(max_bytes))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send on the stream beneath."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait on the stream beneath."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close the stream beneath."""
        await self._stream.aclose()


async def look(stream: trio.SocketStream) -> bytes:
    """The first bytes of a connection: a whole first TLS record, or what came before it broke off."""
    seen = b""
    while len(seen) < MAX_HELLO:
        if len(seen) >= 5 and (seen[0] != 22 or len(seen) >= 5 + int.from_bytes(seen[3:5], "big")):
            break
        part = await stream.receive_some(MAX_HELLO - len(seen))
        if not part:
            break
        seen += bytes(part)
    return seen


def server_name(record: bytes) -> str | None:
    """The server name in a ClientHello record (RFC 8446, 4.1.2; RFC 6066, 3), lower case."""
    try:
        return _server_name(record)
    except IndexError:
        return None


def _server_name(record: bytes) -> str | None:
    if record[0] != 22 or record[5] != 1:
        return None
    at = 5 + 4 + 2 + 32  # record header, handshake header, version, random
    at += 1 + record[at]  # session id
    at += 2 + int.from_bytes(record[at : at + 2], "big")  # cipher suites
    at += 1 + record[at]  # compression methods
    end = at + 2 + int.from_bytes(record[at : at + 2], "big")
    at += 2
    while at + 4 <= min(end, len(record)):
        kind, size = (
            int.from_bytes(record[at : at + 2], "big"),
            int.from_bytes(record[at + 2 : at + 4], "big"),
        )
        if kind == 0:
            name = record[at + 9 : at + 4 + size]
            return name.decode("ascii", "replace").lower()
        at += 4 + size
    return None
