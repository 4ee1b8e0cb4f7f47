"""The far side: every server of a world in one process.

A peer's fault ends its connection in silence; a fault of ours is written to standard error, and the
lab goes on: whoever reads the log (the tests do) must find it empty.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from blockwatch.followup import ROOT_SERVERS
from blockwatch.lab.ca import LabCA
from blockwatch.lab.censor.boxes import has_portal
from blockwatch.lab.servers import dns, helper, portal
from blockwatch.lab.servers.intercept import Box
from blockwatch.lab.servers.secure import Contexts, server_context
from blockwatch.lab.servers.town import Town, names
from blockwatch.lab.servers.web import PEER_FAULTS, Web
from blockwatch.lab.servers.zone import Zone
from blockwatch.lab.world import ISP_RESOLVER, PORTAL, PUBLIC_RESOLVERS, World
from blockwatch.lab.world_ports import (
    DNS_PORT,
    DOT_PORT,
    INTERCEPT_PORT,
    PORTAL_PORT,
    fixed_sites,
    web_ports,
)

_IP_FREEBIND, _IPV6_FREEBIND = 15, 78  # linux/in.h, linux/in6.h; Python has no names for them
_BACKLOG = 4096
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
Handler = Callable[[trio.SocketStream], Awaitable[None]]


def serve(world: World, ready: Callable[[], None], *, ca: LabCA) -> None:
    """Serve ``world`` for ever, the test helper included; ``ready`` is called once all of them listen."""
    helper_listens = helper.start(ca)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    trio.run(_serve, world, ca, ready, helper_listens)


async def _serve(world: World, ca: LabCA, ready: Callable[[], None], helper_listens: int) -> None:
    town = Town(world)
    fixed = fixed_sites()
    zone = Zone(world, town, fixed)
    web = Web(town=town, zone=zone, contexts=Contexts(town, ca))
    web.prepare()
    async with trio.open_nursery() as nursery:
        for (address, port), scheme in web_ports(world).items():
            _listen(nursery, address, port, partial(web.connection, scheme=scheme))
        for resolver in dict.fromkeys((ISP_RESOLVER, world.resolver, *PUBLIC_RESOLVERS)):
            nursery.start_soon(dns.udp, _bound(resolver, DNS_PORT, socket.SOCK_DGRAM), zone, resolver)
            _listen(nursery, resolver, DNS_PORT, dns.handler(zone, resolver, None))
        for _, root in ROOT_SERVERS:
            nursery.start_soon(dns.udp, _bound(root, DNS_PORT, socket.SOCK_DGRAM), zone, root)
        for site in fixed:
            if site.key.startswith("resolver/"):
                context = server_context(str(ca.site(names(site))), h2=False)
                context.set_alpn_protocols(["dot"])
                address = site.addresses[0]
                _listen(nursery, address, DOT_PORT, dns.handler(zone, address, context))
        if world.mitm:
            _listen(nursery, "0.0.0.0", INTERCEPT_PORT, Box(world, ca, web).connection)  # noqa: S104
        if has_portal(world):
            for port in (80, PORTAL_PORT):
                _listen(nursery, PORTAL, port, portal.connection)
        await trio.lowlevel.wait_readable(helper_listens)
        os.close(helper_listens)
        ready()


def _bound(address: str, port: int, kind: socket.SocketKind) -> trio.socket.SocketType:
    """A socket on any address: those of the lab are local by route only, which needs FREEBIND for IPv6."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    plain = socket.socket(family, kind)
    if family == socket.AF_INET6:
        plain.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        plain.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
    else:
        plain.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
    if kind == socket.SOCK_STREAM:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    plain.bind((address, port))
    plain.setblocking(False)
    return trio.socket.from_stdlib_socket(plain)


def _listen(nursery: trio.Nursery, address: str, port: int, handle: Handler) -> None:
    sock = _bound(address, port, socket.SOCK_STREAM)
    sock.listen(_BACKLOG)
    nursery.start_soon(_accept, nursery, sock, handle)


async def _accept(nursery: trio.Nursery, sock: trio.socket.SocketType, handle: Handler) -> None:
    while True:
        try:
            connection, _ = await sock.accept()
        except OSError as error:
            if error.errno not in _FULL:
                continue  # the peer went away before we took the connection
            await trio.sleep(0.05)
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        nursery.start_soon(_guard, trio.SocketStream(connection), handle)


async def _guard(stream: trio.SocketStream, handle: Handler) -> None:
    try:
        await handle(stream)
    except* PEER_FAULTS:
        pass
    except* Exception:
        traceback.print_exc(file=sys.stderr)
    finally:
        if stream.socket.fileno() >= 0:
            stream.socket.close()
