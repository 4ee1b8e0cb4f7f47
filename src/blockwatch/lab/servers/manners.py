"""Manners of an address's owner: who is turned away before a request is answered, and how.

Rules: they hold for every name at the address; an owner without manners costs nothing.
"""

from __future__ import annotations

from collections import Counter

import trio

from blockwatch.lab.servers.hello import Looked, look, server_name
from blockwatch.lab.servers.out import Out, cut, reply
from blockwatch.lab.servers.town import Town, is_helper, names
from blockwatch.lab.world import Manners

_ALERT_UNRECOGNIZED_NAME = bytes([21, 3, 3, 0, 2, 2, 112])  # RFC 8446, section 6.2
_MISDIRECTED = b"<html><body>The requested host is not served here.</body></html>"


class Door:
    """Lets connections in, or not; it counts them by address and peer."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str]] = Counter()

    async def admit(
        self, stream: trio.SocketStream, scheme: str, town: Town, address: str, peer: str
    ) -> trio.abc.Stream | None:
        """The stream to go on with; null where the connection was dealt with."""
        manners = manners_at(town, address)
        if manners is None or scheme == "raw":
            return stream
        hello = await look(stream) if scheme == "https" else None
        self._seen[address, peer] += 1
        if manners.limit is not None and self._seen[address, peer] > manners.limit:
            await _turn_away(stream, manners.over)
            return None
        if hello is None:
            return stream
        if how := _unwelcome(manners, town, address, peer, hello):
            await _turn_away(stream, how)
            return None
        await trio.sleep(manners.tls_delay)
        return Looked(stream, hello)


async def stranger(town: Town, address: str, host: str, out: Out) -> bool:
    """Answer a request for a name that is not served at ``address``, if its owner minds; else false."""
    manners = manners_at(town, address)
    if manners is None or not manners.unknown_host or host in _served(town, address):
        return False
    if manners.unknown_host == "reset":
        await out.abort()
    elif manners.unknown_host == "hang":
        await trio.sleep_forever()
    else:
        await reply(out, int(manners.unknown_host), _MISDIRECTED)
    return True


def manners_at(town: Town, address: str) -> Manners | None:
    """The manners of the owner of ``address``."""
    here = town.tenants(address)
    return here[0].manners if here else None


def _served(town: Town, address: str) -> set[str]:
    return {name for site in town.tenants(address) for name in names(site)}


def _unwelcome(manners: Manners, town: Town, address: str, peer: str, hello: bytes) -> str:
    """How a ClientHello is refused; empty: it is not."""
    if town.chance.random() < manners.tls_flaky:
        return "reset"
    name = server_name(hello)
    if name in manners.fence and not is_helper(peer):
        return "reset"
    return manners.unknown_sni if name not in _served(town, address) else ""


async def _turn_away(stream: trio.SocketStream, how: str) -> None:
    if how == "reset":
        cut(stream)
    elif how == "hang":
        await trio.sleep_forever()
    elif how == "alert":
        await stream.send_all(_ALERT_UNRECOGNIZED_NAME)
    elif how == "close":
        await stream.aclose()
    else:
        raise ValueError(f"no such way to turn a client away: {how}")
