"""Connections of the web: plain or TLS, HTTP/1.1 or HTTP/2, handed to the behaviour of the site."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from blockwatch.lab.servers import http1, http2
from blockwatch.lab.servers.hostile import RAW_KINDS
from blockwatch.lab.servers.http1 import Http1Out
from blockwatch.lab.servers.kinds import KINDS, Asked, ordinary_page
from blockwatch.lab.servers.liars import LIARS
from blockwatch.lab.servers.manners import Door, stranger
from blockwatch.lab.servers.moods import MOODS
from blockwatch.lab.servers.out import Out, cut, reply
from blockwatch.lab.servers.secure import Contexts, misbehave
from blockwatch.lab.servers.town import Request, Town, is_helper
from blockwatch.lab.servers.zone import Zone

LIFETIME = 300.0  # seconds a connection may last
# What a peer that goes away, errs or is cut off does to us: never a fault of the lab.
PEER_FAULTS = (trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError, OSError)
_KINDS = KINDS | MOODS | LIARS
_SERVERS = {"cloudflare": "cloudflare", "aws": "AmazonS3"}


@dataclass(frozen=True, kw_only=True)
class Web:
    """The web servers of one world."""

    town: Town
    zone: Zone
    contexts: Contexts
    door: Door = field(default_factory=Door)

    def prepare(self) -> None:
        """Make every certificate and ordinary page now, as servers have theirs before they are asked."""
        for site in self.town.world.sites:
            for address in site.addresses if site.https is not None else ():
                self.contexts.at(address)
            for serve in (site.http, site.https):
                if serve is not None and serve.kind == "page":
                    ordinary_page(str(site.host), serve.args)

    async def connection(self, stream: trio.SocketStream, scheme: str) -> None:
        """Serve one accepted connection; ``scheme`` is ``http``, ``https`` or ``raw``."""
        address, port = stream.socket.getsockname()[:2]
        peer = stream.socket.getpeername()[0]
        with trio.move_on_after(LIFETIME):
            under = await self.door.admit(stream, scheme, self.town, address, peer)
            if under is None:
                return
            if scheme == "raw":
                await misbehave(stream, str(self.town.tenants(address)[0].raw443))
            elif scheme == "https":
                context = self.contexts.at(address)
                if context is not None:
                    await self.secure(under, stream, context, address, port, peer)
            else:
                await self.speak(stream, lambda: cut(stream), "http", address, port, peer)

    async def secure(
        self,
        under: trio.abc.Stream,
        stream: trio.SocketStream,
        context: ssl.SSLContext,
        address: str,
        port: int,
        peer: str,
    ) -> None:
        """TLS with ``context`` over ``under``, then HTTP; ``stream`` is the connection itself."""
        tls = trio.SSLStream(under, context, server_side=True, https_compatible=True)
        await tls.do_handshake()
        if tls.selected_alpn_protocol() == "h2":
            answer = self._answerer("https", address, port, peer)
            await http2.Session(tls, answer, cut=lambda: cut(stream), server=self._server(address)).run()
        else:
            await self.speak(tls, lambda: cut(stream), "https", address, port, peer)
        with trio.move_on_after(1):
            await tls.aclose()

    async def speak(
        self,
        stream: trio.abc.Stream,
        cut_off: Callable[[], None],
        scheme: str,
        address: str,
        port: int,
        peer: str,
    ) -> None:
        """HTTP/1.1 on ``stream``."""
        answer = self._answerer(scheme, address, port, peer)
        await http1.serve(stream, answer, cut=cut_off, server=self._server(address))

    def _server(self, address: str) -> str:
        return _SERVERS.get(self.town.tenants(address)[0].pool, "nginx/1.24.0")

    def _answerer(self, scheme: str, address: str, port: int, peer: str) -> _Answerer:
        return _Answerer(web=self, scheme=scheme, address=address, port=port, helper=is_helper(peer))


@dataclass(frozen=True, kw_only=True)
class _Answerer:
    """Answers the requests of one connection."""

    web: Web
    scheme: str
    address: str
    port: int
    helper: bool

    async def __call__(
        self, method: str, target: str, headers: dict[str, str], body: bytes, out: Out
    ) -> None:
        host = _host(headers.get("host", ""))
        site = self.web.town.site(self.address, host)
        if site is None:
            await reply(out, 404, b"")
            return
        if await stranger(self.web.town, self.address, host, out):
            return
        request = Request(
            method=method,
            target=target if target.startswith("/") else "/",
            host=host,
            headers=headers,
            body=body,
            scheme=self.scheme,
            site=site,
            helper=self.helper,
        )
        serve = self.web.town.serve(request, self.port)
        asked = Asked(
            request=request, args=serve.args, town=self.web.town, zone=self.web.zone, address=self.address
        )
        if serve.kind in _KINDS:
            await _KINDS[serve.kind](asked, out)
        elif isinstance(out, Http1Out):
            await RAW_KINDS[serve.kind](asked, out)
        else:
            raise TypeError(f"{serve.kind} needs HTTP/1.1, which its site must offer alone")


def _host(text: str) -> str:
    host = text.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")  # as nginx and Apache do
