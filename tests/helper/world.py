"""A little internet on loopback: a name server, web servers, and a helper among them."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import trio
import trustme
from trio import socket

from blockwatch.helper import Destinations, serve

Handler = Callable[[trio.abc.Stream, bytes], Awaitable[None]]


class Names:
    """A name server on UDP and TCP that can misbehave on command."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.turning: dict[str, list[list[str]]] = {}  # names with another answer to each A query, in turn
        self.rcodes: dict[str, int] = {}
        self.lose = 0  # so many queries get no answer
        self.forge = False  # every answer is preceded by one with another id
        self.cut: set[str] = set()  # names whose UDP answers are cut short
        self.asked: list[str] = []
        self.port = 0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        await udp.bind(("127.0.0.1", self.port))
        with udp:
            await self._serve(udp, listeners, task_status)

    async def _serve(
        self,
        udp: socket.SocketType,
        listeners: list[trio.SocketListener],
        task_status: trio.TaskStatus[None],
    ) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, self._tcp, listeners)
            task_status.started()
            while True:
                raw, peer = await udp.recvfrom(4096)
                if self.lose:
                    self.lose -= 1
                    continue
                answer = self._answer(raw, udp=True)
                if self.forge:
                    await udp.sendto(bytes([raw[0] ^ 1]) + answer[1:], peer)
                    await udp.sendto(b"\xff" * 40, peer)
                await udp.sendto(answer, peer)

    async def _tcp(self, stream: trio.SocketStream) -> None:
        raw = await stream.receive_some(4096)
        answer = self._answer(bytes(raw[2:]), udp=False)
        await stream.send_all(len(answer).to_bytes(2, "big"))
        await stream.send_all(answer)

    def _answer(self, raw: bytes, *, udp: bool) -> bytes:
        query = dns.message.from_wire(raw)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        self.asked.append(name)
        if question.rdtype == dns.rdatatype.A and (turns := self.turning.get(name)):
            self.addresses[name] = turns.pop(0)
            turns.append(self.addresses[name])
        answer = dns.message.make_response(query)
        if udp and name in self.cut:
            answer.flags |= dns.flags.TC
            return answer.to_wire()
        if name in self.rcodes:
            answer.set_rcode(dns.rcode.Rcode(self.rcodes[name]))
        elif name not in self.addresses:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            version6 = question.rdtype == dns.rdatatype.AAAA
            here = [a for a in self.addresses[name] if (":" in a) == version6]
            if here:
                answer.answer.append(dns.rrset.from_text_list(question.name, 0, "IN", question.rdtype, here))
        return answer.to_wire()


def page(body: bytes = b"<title>A page</title>hello", *, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole response."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def says(response: bytes) -> Handler:
    """A server that always gives this response, and then waits."""

    async def handler(stream: trio.abc.Stream, request: bytes) -> None:
        await stream.send_all(response)
        await trio.sleep_forever()

    return handler


@asynccontextmanager
async def web(
    handler: Handler, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """Serve ``handler`` with the head of each request; gives the port."""

    async def serve_one(stream: trio.SocketStream) -> None:
        lower: trio.abc.Stream = stream
        try:
            if context is not None:
                lower = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
            head = b""
            while b"\r\n\r\n" not in head:
                data = await lower.receive_some(65536)
                if not data:
                    return
                head += data
            await handler(lower, head)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return
        finally:
            await trio.aclose_forcefully(stream)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve_one, 0, host=host))
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


class Certificates:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.file = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.file))

    def context(self, *names: str, authority: trustme.CA | None = None, **more: Any) -> ssl.SSLContext:
        """A server's context with a certificate for ``names``."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (authority or self.authority).issue_cert(*names, **more).configure_cert(context)
        return context


class Little:
    """The names, the certificates and the helper's own address."""

    def __init__(self, names: Names, certificates: Certificates, address: tuple[str, int]) -> None:
        self.names, self.certificates, self.address = names, certificates, address

    async def send(self, raw: bytes) -> tuple[int, dict[str, str], Any]:
        """Send bytes to the helper; gives status, headers and the decoded body."""
        async with await trio.open_tcp_stream(*self.address) as stream:
            await stream.send_all(raw)
            return await read_answer(stream)

    async def post(self, body: Any) -> tuple[int, dict[str, str], Any]:
        """POST a body (as JSON unless bytes)."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"POST / HTTP/1.1\r\nHost: helper\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
        return await self.send(head + raw)

    async def ask(self, url: str, *endpoints: str, **headers: str) -> Any:
        """Ask about a URL; the answer must be a 200."""
        given = {name.replace("_", "-"): [value] for name, value in headers.items()}
        status, _, answer = await self.post(
            {
                "http_request": url,
                "http_request_headers": given,
                "tcp_connect": list(endpoints),
                "x_quic_enabled": False,
            }
        )
        assert status == 200, answer
        return answer


async def read_answer(stream: trio.abc.Stream) -> tuple[int, dict[str, str], Any]:
    """Read one response of the helper."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += await _more(stream)
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
    while len(body) < int(headers["content-length"]):
        body += await _more(stream)
    return int(lines[0].split()[1]), headers, json.loads(body) if body else None


async def _more(stream: trio.abc.Stream) -> bytes:
    data = await stream.receive_some(65536)
    if not data:
        raise EOFError("the helper closed the connection")
    return bytes(data)


@asynccontextmanager
async def little_internet(
    folder: Path, *, private: bool = True, policy: Destinations | None = None, **options: Any
) -> AsyncIterator[Little]:
    """Run a name server and a helper that asks it."""
    names, certificates = Names(), Certificates(folder)
    bound: list[tuple[str, int]] = []
    started = trio.Event()

    def ready(addresses: list[tuple[str, int]]) -> None:
        bound.extend(addresses)
        started.set()

    async with trio.open_nursery() as nursery:
        await nursery.start(names.run)
        nursery.start_soon(
            partial(
                serve,
                listen=[("127.0.0.1", 0)],
                resolver=f"udp://127.0.0.1:{names.port}",
                ca_file=certificates.file,
                destinations=policy or Destinations(allow_private=private),
                ready=ready,
                **options,
            )
        )
        await started.wait()
        yield Little(names, certificates, bound[0])
        nursery.cancel_scope.cancel()
