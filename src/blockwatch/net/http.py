"""One HTTP exchange over a stream we hold: HTTP/1.1 by h11, HTTP/2 by h2.

Rules of this file:

* no connection is opened, no redirect followed, nothing repeated, no header added unseen;
* HTTP/1.1: the exact bytes both ways are kept, also of an exchange that broke; HTTP/2: the head both
  ways written in HTTP/1.1 form, and of the response the body as its DATA frames carried it;
* head, body and wire bytes are bounded; passing a bound ends the reading (``truncated``) or, in the
  head, is garbage; but what merely has odd lines after its status line is read as browsers read it;
* time: a limit to the head, one without a byte of the body, one in all (then ``truncated``).

Why not httpcore: docs/decisions/0007-http-by-h11-and-h2.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import trio

from blockwatch import failure as f
from blockwatch.net import limits
from blockwatch.net.failures import EndOfStream, Garbage
from blockwatch.net.secondlook import second_look
from blockwatch.net.tls import Bytes
from blockwatch.net.url import Url

USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36"
)
BROWSER_HEADERS = (
    ("User-Agent", USER_AGENT),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.9"),
    ("Accept-Encoding", "gzip"),
)
_H2_WINDOW = 1 << 20


@dataclass(frozen=True)
class Request:
    """A request as it will be sent; ``host`` is what the Host header says."""

    url: Url
    method: str = "GET"
    host: str = ""
    headers: tuple[tuple[str, str], ...] = BROWSER_HEADERS
    body: bytes = b""
    head_s: float = limits.HTTP_HEAD_S  # how long the head of the answer is waited for

    @property
    def authority(self) -> str:
        """Host header or ``:authority``."""
        return self.host or self.url.authority

    def all_headers(self) -> tuple[tuple[str, str], ...]:
        """Every header in the order sent."""
        length = (("Content-Length", str(len(self.body))),) if self.method == "POST" else ()
        return (("Host", self.authority), *self.headers, *length)

    def raw(self) -> bytes:
        """The request in HTTP/1.1 form."""
        lines = [f"{self.method} {self.url.path} HTTP/1.1"] + [f"{k}: {v}" for k, v in self.all_headers()]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


@dataclass
class Reply:
    """What came back, so far."""

    version: str | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytearray = field(default_factory=bytearray)  # transfer coding undone, content coding not
    raw: bytearray = field(default_factory=bytearray)  # as in Exchange.response
    truncated: bool = False
    reusable: bool = False  # the connection can carry another request

    def header(self, name: str) -> str | None:
        """The first header of that name (lower case)."""
        return next((value for key, value in self.headers if key.lower() == name), None)


async def exchange(
    stream: Bytes, request: Request, reply: Reply, *, protocol: str | None, h2: H2 | None = None
) -> None:
    """Send ``request`` and fill ``reply``; ``protocol`` is the ALPN choice."""
    inner = _Http2(h2 or H2(), request, reply) if protocol == "h2" else _Http1(request, reply)
    with trio.fail_after(request.head_s):
        await stream.send(inner.first_bytes())
        while not inner.has_head:
            await _take(stream, inner, reply)
    with trio.move_on_after(limits.HTTP_TOTAL_S) as total:
        while not inner.complete and not reply.truncated:
            with trio.fail_after(limits.HTTP_IDLE_S):
                await _take(stream, inner, reply)
    if total.cancelled_caught:
        reply.truncated = True
    reply.reusable = inner.complete and not reply.truncated and inner.reusable


async def _take(stream: Bytes, inner: _Http1 | _Http2, reply: Reply) -> None:
    # No more than a head may have, so that its bound does not depend on how the bytes come in.
    data = await stream.receive(65_536 if inner.has_head else limits.HTTP_HEAD + 1 - len(reply.raw))
    answer = inner.feed(data)
    if answer:
        await stream.send(answer)
    if len(reply.body) > limits.HTTP_BODY:
        del reply.body[limits.HTTP_BODY :]
        reply.truncated = True
    many = inner.pieces > limits.HTTP_PIECES
    if not inner.has_head and (len(reply.raw) > limits.HTTP_HEAD or many):
        raise Garbage(f.HTTP_GARBAGE, f"head longer than {limits.HTTP_HEAD} bytes, or in endless pieces")
    if len(reply.raw) > limits.HTTP_RAW or many:
        reply.truncated = True


class _Http1:
    """HTTP/1.1 (RFC 9112) by h11; what h11 refuses gets a second look."""

    def __init__(self, request: Request, reply: Reply) -> None:
        import h11

        self._h11, self._request, self._reply = h11, request, reply
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.HTTP_HEAD)
        self.has_head = self.complete = self.reusable = False
        self._odd, self.pieces = False, 0

    def first_bytes(self) -> bytes:
        h11, request = self._h11, self._request
        head = h11.Request(
            method=request.method, target=request.url.path, headers=list(request.all_headers())
        )
        parts = [self._connection.send(head)]
        if request.body:
            parts.append(self._connection.send(h11.Data(data=request.body)))
        parts.append(self._connection.send(h11.EndOfMessage()))
        return b"".join(part or b"" for part in parts)

    def feed(self, data: bytes) -> bytes:
        self._reply.raw += data
        if not data and not self._reply.raw:
            raise EndOfStream
        try:
            self._connection.receive_data(data)
            self._events()
        except self._h11.RemoteProtocolError as error:
            self._recover(data, error)
        if not data and not self.complete:
            raise EndOfStream
        return b""

    def _recover(self, data: bytes, error: Exception) -> None:
        """Read on where h11 would not; raises where nobody would."""
        if self.has_head:
            if not data:
                raise EndOfStream from error
            self._reply.truncated = True  # broken chunks: the end of it cannot be known
            return
        look = second_look(bytes(self._reply.raw))
        if look is None or self._odd:
            if not data:
                raise EndOfStream from error
            raise Garbage(f.HTTP_GARBAGE, str(error)) from error
        reply, self._odd = self._reply, True
        reply.version, reply.status, reply.headers = look.version, look.status, look.headers
        self._connection = self._h11.Connection(self._h11.CLIENT)
        self.first_bytes()
        self._connection.receive_data(look.plain)
        if not data:
            self._connection.receive_data(b"")
        try:
            self._events()
        except self._h11.RemoteProtocolError as broken:
            self._recover(data, broken)

    def _events(self) -> None:
        h11, reply = self._h11, self._reply
        while not self.complete:
            event = self._connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            if isinstance(event, h11.Response) and self._odd:
                self.has_head = True
            elif isinstance(event, h11.Response):
                reply.version = "HTTP/" + event.http_version.decode("ascii")
                reply.status = event.status_code
                pairs = event.headers.raw_items()
                reply.headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in pairs)
                self.has_head = True
            elif isinstance(event, h11.Data):
                reply.body += event.data
                self.pieces += 1
                if self.pieces > limits.HTTP_PIECES:
                    reply.truncated = True
                    return
            elif isinstance(event, h11.EndOfMessage):
                self.complete = True
                self.reusable = self._connection.our_state is h11.DONE and not self._odd
            elif isinstance(event, h11.ConnectionClosed):
                raise EndOfStream


class H2:
    """State of one HTTP/2 connection; one request after the other."""

    def __init__(self) -> None:
        from h2.config import H2Configuration
        from h2.connection import H2Connection
        from h2.settings import SettingCodes, Settings

        config = H2Configuration(client_side=True, header_encoding="latin-1")
        self.connection = H2Connection(config)
        values = {SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: _H2_WINDOW}
        values[SettingCodes.MAX_HEADER_LIST_SIZE] = limits.HTTP_HEAD
        self.connection.local_settings = Settings(client=True, initial_values=values)
        self.started = False


class _Http2:
    """One stream of HTTP/2 (RFC 9113) by h2."""

    def __init__(self, h2: H2, request: Request, reply: Reply) -> None:
        self._h2, self._request, self._reply = h2, request, reply
        self.has_head = self.complete = False
        self.reusable, self.pieces = True, 0

    def first_bytes(self) -> bytes:
        connection, request = self._h2.connection, self._request
        if not self._h2.started:
            connection.initiate_connection()
            connection.increment_flow_control_window(_H2_WINDOW)
            self._h2.started = True
        self._stream = connection.get_next_available_stream_id()
        pseudo = [
            (":method", request.method),
            (":authority", request.authority),
            (":scheme", request.url.scheme),
            (":path", request.url.path),
        ]
        fields = [(key.lower(), value) for key, value in request.all_headers()[1:]]
        connection.send_headers(self._stream, pseudo + fields, end_stream=not request.body)
        if request.body:
            connection.send_data(self._stream, request.body, end_stream=True)
        return bytes(connection.data_to_send())

    def feed(self, data: bytes) -> bytes:
        from h2.exceptions import ProtocolError

        if not data:
            raise EndOfStream
        try:
            for event in self._h2.connection.receive_data(data):
                self._event(event)
                self.pieces += 1
        except ProtocolError as error:
            raise Garbage(f.HTTP_GARBAGE, f"HTTP/2: {error}") from error
        return bytes(self._h2.connection.data_to_send())

    def _event(self, event: Any) -> None:
        kind = type(event).__name__
        if getattr(event, "stream_id", None) not in (None, 0, self._stream):
            return
        if kind == "ResponseReceived":
            self._head(event.headers)
        elif kind == "DataReceived":
            self._reply.body += event.data
            self._reply.raw += event.data
            self._h2.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif kind == "StreamEnded":
            self.complete = True
        elif kind == "StreamReset":
            raise Garbage(f.HTTP_GARBAGE, f"HTTP/2 RST_STREAM {int(event.error_code)}")
        elif kind == "ConnectionTerminated":
            self.reusable = False
            if event.last_stream_id is not None and event.last_stream_id < self._stream:
                raise Garbage(f.HTTP_GARBAGE, f"HTTP/2 GOAWAY {int(event.error_code)}")

    def _head(self, headers: list[tuple[str, str]]) -> None:
        reply = self._reply
        pairs = [(str(key), str(value)) for key, value in headers]
        reply.version = "HTTP/2"
        status = dict(pairs).get(":status", "")
        if not status.isascii() or not status.isdigit():
            raise Garbage(f.HTTP_GARBAGE, f"HTTP/2 status {status[:20]!r}")
        reply.status = int(status)
        reply.headers = tuple(pair for pair in pairs if not pair[0].startswith(":"))
        lines = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}", *(f"{k}: {v}" for k, v in reply.headers)]
        reply.raw += ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.has_head = True


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
