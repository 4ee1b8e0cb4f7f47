"""A client's connection: one HTTP/1.1 request read, one answer written, both bounded in bytes and seconds.

Rules of this file: it knows nothing of what is asked; a request that is too long is not read to its end; no
answer names the program: who looks for helpers, or reads along, is not told by a header.
"""

from __future__ import annotations

import email.utils

import h11
import trio

MAX_REQUEST = 262_144  # bytes of a body
MAX_HEAD = 32_768  # bytes
IDLE = 60.0  # seconds a connection may wait for its next request
READ = 10.0  # seconds for one request to arrive, and for a TLS handshake

Answer = tuple[int, bytes]  # status, JSON


async def read(
    stream: trio.abc.Stream, connection: h11.Connection
) -> tuple[h11.Request | None, bytes | None]:
    """Read one request; no request: the client is done; no body: it is longer than we read.

    Raises ``h11.RemoteProtocolError`` for what is no request, as long as an answer with words may be given.
    """
    request: h11.Request | None = None
    body = bytearray()
    with trio.move_on_after(IDLE) as patience:
        while True:
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError:
                if request is not None and request.method == b"HEAD":
                    return None, b""
                raise
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[], reason="Continue")
                    await stream.send_all(connection.send(go_on) or b"")
                data = await stream.receive_some(65_536)
                patience.deadline = min(patience.deadline, trio.current_time() + READ)
                connection.receive_data(bytes(data))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_REQUEST:
                    return request, None
            elif isinstance(event, h11.EndOfMessage):
                return request, bytes(body)
            else:
                return None, b""
    return None, b""


async def write(stream: trio.abc.Stream, connection: h11.Connection, answer: Answer, *, close: bool) -> None:
    """Send one answer; with ``close`` the client is told that it is the last."""
    if connection.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    status, body = answer
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Date", email.utils.formatdate(usegmt=True)),
    ]
    if status in (429, 503):
        headers.append(("Retry-After", "5"))
    if close:
        headers.append(("Connection", "close"))
    raw = connection.send(h11.Response(status_code=status, headers=headers)) or b""
    raw += connection.send(h11.Data(data=body)) or b""
    raw += connection.send(h11.EndOfMessage()) or b""
    await stream.send_all(raw)


async def drain(stream: trio.abc.Stream) -> None:
    """Let the client read its answer: closing with bytes unread would reset the connection."""
    with trio.move_on_after(2.0):
        while await stream.receive_some(65_536):
            pass
