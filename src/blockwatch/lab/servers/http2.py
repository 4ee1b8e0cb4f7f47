"""HTTP/2 over a TLS stream, with the same behaviours as HTTP/1.1 (RFC 9113, through the h2 package)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import trio

from blockwatch.lab.servers.http1 import MAX_BODY, Cut
from blockwatch.lab.servers.out import Headers, date

Answer2 = Callable[[str, str, dict[str, str], bytes, "Http2Out"], Awaitable[None]]


class Http2Out:
    """One response on one stream."""

    def __init__(self, session: Session, stream_id: int, *, bodiless: bool) -> None:
        self._session, self._id, self._bodiless = session, stream_id, bodiless

    async def head(self, status: int, headers: Headers, length: int | None) -> None:
        """Queue the head; it leaves with the first part of the body."""
        lines = [(":status", str(status)), ("server", self._session.server), ("date", date())]
        lines += [(name.lower(), value) for name, value in headers]
        if length is not None:
            lines.append(("content-length", str(length)))
        self._session.h2.send_headers(self._id, lines)

    async def data(self, part: bytes) -> None:
        """Send a part of the body as the peer's window allows."""
        view = memoryview(part) if not self._bodiless else memoryview(b"")
        session = self._session
        while view:
            opened = session.opened()  # before looking, so that what opens while we flush is not missed
            room = min(
                session.h2.local_flow_control_window(self._id), session.h2.max_outbound_frame_size, len(view)
            )
            if room <= 0:
                await session.flush()
                await opened.wait()
                continue
            session.h2.send_data(self._id, bytes(view[:room]))
            view = view[room:]
            if len(view):
                await session.flush()
        await session.flush()

    async def end(self) -> None:
        """End the stream."""
        self._session.h2.end_stream(self._id)
        await self._session.flush()

    async def abort(self) -> None:
        """Reset the whole connection, as a middlebox or a dying server does."""
        self._session.cut()

    async def leave(self) -> None:
        """Say GOAWAY in place of an answer, then cut the connection (RFC 9113, section 6.8)."""
        self._session.h2.close_connection(error_code=h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
        await self._session.flush()
        await trio.sleep(0.02)  # or the reset would overtake it
        self._session.cut()


class Session:
    """One HTTP/2 connection."""

    def __init__(self, stream: trio.abc.Stream, answer: Answer2, *, cut: Cut, server: str) -> None:
        self._stream, self._answer, self.cut, self.server = stream, answer, cut, server
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=False, header_encoding="utf-8", validate_inbound_headers=False
            )
        )
        self._sending = trio.Lock()
        self._room = trio.Event()
        self._requests: dict[int, tuple[dict[str, str], bytearray]] = {}

    async def flush(self) -> None:
        """Send what h2 has ready."""
        async with self._sending:
            if ready := self.h2.data_to_send():
                await self._stream.send_all(ready)

    def opened(self) -> trio.Event:
        """The event of the next window the peer opens."""
        return self._room

    async def run(self) -> None:
        """Answer requests until the peer ends or errs."""
        self.h2.initiate_connection()
        async with trio.open_nursery() as nursery:
            while received := await self._stream.receive_some(65_536):
                try:
                    events = self.h2.receive_data(received)
                except h2.exceptions.ProtocolError:
                    break
                for event in events:
                    self._take(event, nursery)
                await self.flush()
            nursery.cancel_scope.cancel()

    def _take(self, event: h2.events.Event, nursery: trio.Nursery) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers = {str(name): str(value) for name, value in event.headers}
            self._requests[event.stream_id] = (headers, bytearray())
        elif isinstance(event, h2.events.DataReceived):
            request = self._requests.get(event.stream_id)
            if request is not None and len(request[1]) < MAX_BODY:
                request[1].extend(event.data)
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            headers, body = self._requests.pop(event.stream_id)
            nursery.start_soon(self._respond, event.stream_id, headers, bytes(body))
        elif isinstance(event, (h2.events.WindowUpdated, h2.events.RemoteSettingsChanged)):
            self._room.set()
            self._room = trio.Event()

    async def _respond(self, stream_id: int, headers: dict[str, str], body: bytes) -> None:
        method, target = headers.pop(":method", "GET"), headers.pop(":path", "/")
        headers["host"] = headers.pop(":authority", headers.get("host", ""))
        out = Http2Out(self, stream_id, bodiless=method == "HEAD")
        try:
            await self._answer(method, target, headers, body, out)
        except h2.exceptions.StreamClosedError:
            return  # the peer has cancelled the stream
