"""A far side for tests: real servers on loopback behind addresses that look public.

``Far`` is a Network whose connections to ("93.184.216.34", 443) end at a loopback port. The rule that
nothing dials loopback therefore holds in the code under test, and no option switches it off.
"""

from __future__ import annotations

import json
import socket as plain
import ssl
import struct
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import dns.message
import dns.rdatatype
import dns.rrset
import h11
import trio
import trustme

from blockwatch.net.seam import RealNetwork

Handler = Callable[[trio.SocketStream], Awaitable[None]]
SITE = "93.184.216.34"


class Far(RealNetwork):
    """The network under test; ``names`` is the system resolver."""

    def __init__(self, nursery: trio.Nursery) -> None:
        super().__init__()
        self.nursery = nursery
        self.tcp: dict[tuple[str, int], tuple[str, int]] = {}
        self.udp: dict[tuple[str, int], int] = {}
        self.names: dict[str, list[str] | Exception] = {}
        self.line_resolver: str | None = None
        self.dialled: list[tuple[str, int]] = []
        self.asked: set[str] = set()  # names looked up by the system's resolver

    async def connect(self, address, port):
        self.dialled.append((address, port))
        where = self.tcp.get((address, port))
        if where is None:
            raise ConnectionRefusedError(111, "refused")
        if where[0] == "never":
            await trio.sleep_forever()
        return await super().connect(*where)

    async def datagrams(self, address, port):
        return await super().datagrams("127.0.0.1", self.udp[address, port])

    async def getaddrinfo(self, name):
        self.asked.add(name)
        await trio.lowlevel.checkpoint()
        found = self.names.get(name, plain.gaierror(plain.EAI_NONAME, "Name or service not known"))
        if isinstance(found, Exception):
            raise found
        return list(found)

    def nameserver(self):
        return self.line_resolver

    def source(self, version):
        return "93.184.216.99" if version == 4 else None

    async def serve(self, address: str, port: int, handler: Handler) -> None:
        """Answer at ``address:port`` with ``handler(stream)``."""

        async def guarded(stream: trio.SocketStream) -> None:
            try:
                await handler(stream)
            except (trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError):
                pass
            finally:
                with trio.move_on_after(0):
                    await stream.aclose()

        opened = partial(trio.serve_tcp, guarded, 0, host="127.0.0.1")
        listeners = await self.nursery.start(opened)
        self.tcp[address, port] = ("127.0.0.1", listeners[0].socket.getsockname()[1])

    def black_hole(self, address: str, port: int) -> None:
        """Let SYNs to ``address:port`` vanish."""
        self.tcp[address, port] = ("never", 0)

    async def resolver(self, address: str, answer: Callable[[bytes], list[tuple[float, bytes]]]) -> None:
        """A UDP resolver: ``answer(query)`` gives (delay in seconds, message) pairs."""
        sock = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
        await sock.bind(("127.0.0.1", 0))
        self.udp[address, 53] = sock.getsockname()[1]

        async def later(delay: float, message: bytes, peer: object) -> None:
            await trio.sleep(delay)
            await sock.sendto(message, peer)

        async def loop() -> None:
            with sock:
                while True:
                    query, peer = await sock.recvfrom(4_096)
                    for delay, message in answer(query):
                        if delay:
                            self.nursery.start_soon(later, delay, message, peer)
                        else:
                            await sock.sendto(message, peer)

        self.nursery.start_soon(loop)


def answering(zone: dict[str, list[str]]) -> Callable[[bytes], list[tuple[float, bytes]]]:
    """A resolver that knows ``zone``; NXDOMAIN for the rest."""
    return lambda query: [(0.0, reply_to(query, zone))]


def reply_to(query: bytes, zone: dict[str, list[str]]) -> bytes:
    asked = dns.message.from_wire(query)
    reply = dns.message.make_response(asked, recursion_available=True)
    question = asked.question[0]
    name = question.name.to_text(omit_final_dot=True)
    if name not in zone:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    else:
        kind = dns.rdatatype.to_text(question.rdtype)
        fitting = [a for a in zone[name] if (":" in a) == (kind == "AAAA")]
        if fitting:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *fitting))
    return reply.to_wire()


async def reset(stream: trio.SocketStream) -> None:
    """Close with RST."""
    stream.socket.setsockopt(plain.SOL_SOCKET, plain.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()


async def read_head(stream) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = await stream.receive_some(65_536)
        if not more:
            return data
        data += more
    return data


def page(body: bytes, *, status: str = "200 OK", headers: str = "Content-Type: text/html\r\n") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def plain_page(response: bytes) -> Handler:
    """HTTP in the clear: one answer to whatever is asked."""

    async def handler(stream: trio.SocketStream) -> None:
        await read_head(stream)
        await stream.send_all(response)
        await stream.send_eof()
        await stream.receive_some(1)

    return handler


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(self.ca_file))

    def context(self, *names: str, alpn: tuple[str, ...] = ("http/1.1",), **issue) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names, **issue).configure_cert(context)
        context.set_alpn_protocols(list(alpn))
        return context

    def secure(self, handler: Handler, *names: str, context: ssl.SSLContext | None = None, **more) -> Handler:
        """``handler`` behind TLS for ``names``."""
        context = context or self.context(*names, **more)

        async def wrapped(stream: trio.SocketStream) -> None:
            secured = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
            await handler(secured)

        return wrapped

    def https_page(self, response: bytes, *names: str, **more) -> Handler:
        """One HTTPS answer to whatever is asked, then close."""

        async def handler(stream) -> None:
            await read_head(stream)
            await stream.send_all(response)
            await stream.aclose()

        return self.secure(handler, *names, **more)


def posts(answer: Callable[[bytes], tuple[str, bytes]]) -> Handler:
    """An HTTP/1.1 server with kept connections; ``answer(body)`` gives content type and body."""

    async def handler(stream) -> None:
        connection = h11.Connection(h11.SERVER)
        body = b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                data = await stream.receive_some(65_536)
                connection.receive_data(data)
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                kind, reply = answer(body)
                headers = [("Content-Type", kind), ("Content-Length", str(len(reply)))]
                out = connection.send(h11.Response(status_code=200, headers=headers))
                out += connection.send(h11.Data(data=reply)) + connection.send(h11.EndOfMessage())
                await stream.send_all(out)
                connection.start_next_cycle()
                body = b""
            elif isinstance(event, h11.ConnectionClosed):
                return

    return handler


def h2_page(status: int, headers: list[tuple[str, str]], body: bytes) -> Handler:
    """An HTTP/2 server that answers every request of a connection alike."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import StreamEnded

    async def handler(stream) -> None:
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        await stream.send_all(connection.data_to_send())
        while data := await stream.receive_some(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, StreamEnded):
                    number = event.stream_id
                    connection.send_headers(number, [(":status", str(status)), *headers])
                    for at in range(0, len(body), 16_384):
                        connection.send_data(number, body[at : at + 16_384])
                    connection.end_stream(number)
            await stream.send_all(connection.data_to_send())

    return handler


def helper_answer(**over) -> Callable[[bytes], tuple[str, bytes]]:
    """A test helper that saw everything working at :data:`SITE`."""
    answer = {
        "tcp_connect": {f"{SITE}:443": {"status": True, "failure": None}},
        "tls_handshake": {f"{SITE}:443": {"server_name": "a.example", "status": True, "failure": None}},
        "http_request": {
            "body_length": 10,
            "failure": None,
            "title": "Hello",
            "headers": {"Server": "x"},
            "status_code": 200,
        },
        "dns": {"failure": None, "addrs": [SITE]},
        "ip_info": {SITE: {"asn": 15133, "flags": 11}},
    } | over
    return lambda body: ("application/json", json.dumps(answer).encode())
