"""Boxes that lead flows elsewhere: a captive portal, an interception box.

Rules: only addresses and ports are rewritten, on the far side of the censor, and put back on the way
home: neither end can tell. The servers that answer in the box's place listen on the far side.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from blockwatch.lab import packet
from blockwatch.lab.netlink import packed
from blockwatch.lab.world import PORTAL, Outage, PortalRule, World
from blockwatch.lab.world_ports import INTERCEPT_PORT, PORTAL_PORT

HTTP, HTTPS = (80).to_bytes(2, "big"), (443).to_bytes(2, "big")
_FIRST_PORT, _LAST_PORT = 1024, 65535


class Box(Protocol):
    """Rewrites packets; an empty one is swallowed."""

    def up(self, raw: bytes) -> bytes:
        """Rewrite a packet of the probe."""

    def down(self, raw: bytes) -> bytes:
        """Put a packet to the probe back to what the probe expects."""


class Interception:
    """Leads TLS to the given addresses to the interceptor's port."""

    def __init__(self, addresses: frozenset[bytes]) -> None:
        self._addresses = addresses
        self._port = INTERCEPT_PORT.to_bytes(2, "big")

    def up(self, raw: bytes) -> bytes:
        """Port 443 becomes the interceptor's."""
        protocol, at = packet.layer4(raw)
        if (
            protocol != packet.TCP
            or raw[at + 2 : at + 4] != HTTPS
            or packet.ends(raw)[1] not in self._addresses
        ):
            return raw
        return packet.redirected(raw, at, dport=self._port)

    def down(self, raw: bytes) -> bytes:
        """The interceptor's port becomes 443."""
        protocol, at = packet.layer4(raw)
        if (
            protocol != packet.TCP
            or raw[at : at + 2] != self._port
            or packet.ends(raw)[0] not in self._addresses
        ):
            return raw
        return packet.redirected(raw, at, sport=HTTPS)


class Portal:
    """Leads everybody's cleartext HTTP over IPv4 to the portal; other TCP is swallowed."""

    def __init__(self, address: bytes) -> None:
        self._address = address
        self._port = PORTAL_PORT.to_bytes(2, "big")
        self._given: dict[bytes, bytes] = {}  # flow: port it has at the portal
        self._flows: dict[bytes, bytes] = {}  # and back
        self._next = _FIRST_PORT

    def up(self, raw: bytes) -> bytes:
        """Address and port become the portal's; the probe's port one that no other flow there has."""
        protocol, at = packet.layer4(raw)
        if protocol != packet.TCP:
            return raw
        if raw[at + 2 : at + 4] != HTTP or raw[0] >> 4 != 4:
            return b""
        flow = packet.flow_up(raw, at)
        if flow not in self._given:
            self._give(flow)
        return packet.redirected(
            raw, at, destination=self._address, dport=self._port, sport=self._given[flow]
        )

    def down(self, raw: bytes) -> bytes:
        """Put back whom the probe had asked, and its own port."""
        protocol, at = packet.layer4(raw)
        if protocol != packet.TCP or raw[at : at + 2] != self._port or packet.ends(raw)[0] != self._address:
            return raw
        flow = self._flows.get(raw[at + 2 : at + 4])
        if flow is None:
            return raw
        return packet.redirected(raw, at, source=flow[4:8], sport=HTTP, dport=flow[8:10])

    def _give(self, flow: bytes) -> None:
        port = self._next.to_bytes(2, "big")
        self._next = self._next + 1 if self._next < _LAST_PORT else _FIRST_PORT
        self._given.pop(self._flows.pop(port, b""), None)
        self._given[flow], self._flows[port] = port, flow


class ForAWhile:
    """A portal that stands in the way from one time to another, counted from the probe's first packet."""

    def __init__(self, portal: Portal, outage: Outage, clock: Callable[[], float]) -> None:
        self._portal, self._outage, self._clock = portal, outage, clock
        self._first: float | None = None

    def up(self, raw: bytes) -> bytes:
        """As the portal does, while it is there."""
        now = self._clock()
        self._first = now if self._first is None else self._first
        passed = now - self._first - self._outage.begins
        return self._portal.up(raw) if 0 <= passed < self._outage.seconds else raw

    def down(self, raw: bytes) -> bytes:
        """As the portal does: flows that it has taken stay its own."""
        return self._portal.down(raw)


def has_portal(world: World) -> bool:
    """Whether a portal stands in the way at any time."""
    return any(
        isinstance(rule, PortalRule) or (isinstance(rule, Outage) and rule.what == "portal")
        for rule in world.rules
    )


def boxes(world: World, clock: Callable[[], float] = time.monotonic) -> Sequence[Box]:
    """Return the boxes of a world, nearest to the probe first."""
    found: list[Box] = []
    keys = {mitm.site for mitm in world.mitm}
    sites = [site for site in world.sites if keys & {site.key, site.host, *site.aliases}]
    if sites:
        found.append(
            Interception(frozenset(packed(address)[1] for site in sites for address in site.addresses))
        )
    found += [Portal(packed(rule.ip)[1]) for rule in world.rules if isinstance(rule, PortalRule)]
    for rule in world.rules:
        if isinstance(rule, Outage) and rule.what == "portal":
            found.append(ForAWhile(Portal(packed(PORTAL)[1]), rule, clock))
    return found
