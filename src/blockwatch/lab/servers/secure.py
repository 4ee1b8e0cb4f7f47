"""TLS of the far side: which certificate is shown where, and servers that break TLS itself."""

from __future__ import annotations

import random
import ssl

import trio

from blockwatch.lab.ca import LabCA
from blockwatch.lab.servers.hostile import PATIENCE, RAW_KINDS
from blockwatch.lab.servers.out import cut
from blockwatch.lab.servers.town import Town, names
from blockwatch.lab.world import Site

_ALERT_HANDSHAKE_FAILURE = bytes([21, 3, 3, 0, 2, 2, 40])  # RFC 8446, section 6.2
_SPEAKS_H2 = ("cloudflare", "aws")  # pools whose servers offer HTTP/2


class Contexts:
    """One TLS context for each site, made when it is first asked for."""

    def __init__(self, town: Town, ca: LabCA) -> None:
        self._town, self._ca = town, ca
        self._made: dict[str, ssl.SSLContext] = {}

    def at(self, address: str) -> ssl.SSLContext | None:
        """For connections to ``address``: its owner's, or its tenant's who is asked for by name."""
        here = self._town.tenants(address)
        return self._of(here[0], address) if here else None

    def _of(self, site: Site, address: str) -> ssl.SSLContext:
        key = f"{site.key}@{address}" if len(self._town.tenants(address)) > 1 else site.key
        if key in self._made:
            return self._made[key]
        context = server_context(str(self._ca.site(names(site), site.cert)), h2=speaks_h2(site))
        self._made[key] = context
        if site.manners is not None and site.manners.tls12:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if site.manners is not None and site.manners.client_cert:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self._ca.ca_file)

        def choose(tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            asked = self._town.site(address, name.lower()) if name else None
            if asked is not None and asked is not site:
                tls.context = self._of(asked, address)

        if len(self._town.tenants(address)) > 1:
            context.sni_callback = choose
        return context


def server_context(pem: str, *, h2: bool) -> ssl.SSLContext:
    """A server's context with the key and chain of ``pem``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.set_alpn_protocols(["h2", "http/1.1"] if h2 else ["http/1.1"])
    context.num_tickets = 0  # nobody resumes here; two tickets a handshake would only cost time
    return context


def speaks_h2(site: Site) -> bool:
    """Whether a site offers HTTP/2: those of large networks and resolvers do, unless they must misbehave."""
    kinds = {serve.kind for serve in (site.http, site.https, *site.paths.values()) if serve}
    return not kinds & RAW_KINDS.keys() and (site.pool in _SPEAKS_H2 or "doh" in kinds)


async def misbehave(stream: trio.SocketStream, how: str) -> None:
    """A server that never completes a handshake; ``how`` is the site's ``raw443``."""
    hello = await stream.receive_some(65_536)
    if not hello:
        return
    if how == "hang":
        await trio.sleep_forever()
    elif how == "alert":
        await stream.send_all(_ALERT_HANDSHAKE_FAILURE)
    elif how == "truncated":
        await stream.send_all(bytes([22, 3, 3, 0x10, 0]) + b"\2" * 20)
    elif how == "garbage":
        await stream.send_all(random.Random(0).randbytes(3000))  # noqa: S311  (not for secrets)
    elif how == "endless":
        with trio.move_on_after(PATIENCE):
            while True:
                await stream.send_all(b"no TLS is spoken here\r\n" * 700)
                await trio.sleep(0.001)
    elif how == "reset":
        cut(stream)
    else:
        raise ValueError(f"no such way to break TLS: {how}")
