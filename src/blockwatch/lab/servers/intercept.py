"""An interception box on the path: TLS to listed names ends here, under a forged chain.

The wire turns connections to port 443 of such a site's addresses to us, with their address kept. The
box shows a certificate it made for the name and serves what the true site serves; connections for
any other name are passed on untouched.
"""

from __future__ import annotations

import ssl

import trio

from blockwatch.lab.ca import LabCA
from blockwatch.lab.servers.hello import Looked, look, server_name
from blockwatch.lab.servers.secure import server_context
from blockwatch.lab.servers.town import names
from blockwatch.lab.servers.web import LIFETIME, Web
from blockwatch.lab.world import World


class Box:
    """All interception boxes of a world."""

    def __init__(self, world: World, ca: LabCA, web: Web) -> None:
        self._web, self._ca = web, ca
        self._styles = {box.site: box.style for box in world.mitm}
        self._contexts: dict[str, ssl.SSLContext] = {}

    async def connection(self, stream: trio.SocketStream) -> None:
        """Intercept or pass on one connection."""
        address = stream.socket.getsockname()[0]
        peer = stream.socket.getpeername()[0]
        with trio.move_on_after(LIFETIME):
            first = await look(stream)
            name = server_name(first)
            site = self._web.town.site(address, name) if name else None
            if site is not None and name in names(site) and site.host in self._styles:
                context = self._context(self._styles[site.host], names(site))
                await self._web.secure(Looked(stream, first), stream, context, address, 443, peer)
            else:
                await _pass_on(Looked(stream, first), address)

    def _context(self, style: str, of: tuple[str, ...]) -> ssl.SSLContext:
        key = f"{style}/{of[0]}"
        if key not in self._contexts:
            self._contexts[key] = server_context(str(self._ca.forged(style, of)), h2=False)
        return self._contexts[key]


async def _pass_on(client: trio.abc.Stream, address: str) -> None:
    server = await trio.open_tcp_stream(address, 443)

    async def copy(source: trio.abc.Stream, sink: trio.abc.Stream, scope: trio.CancelScope) -> None:
        while part := await source.receive_some(65_536):
            await sink.send_all(part)
        scope.cancel()

    async with server, trio.open_nursery() as nursery:
        nursery.start_soon(copy, client, server, nursery.cancel_scope)
        nursery.start_soon(copy, server, client, nursery.cancel_scope)
