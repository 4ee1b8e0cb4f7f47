"""Which network this line belongs to; the address that tells it is forgotten again.

Rules of this file:

* the address stays in memory: it is used to look up the AS and country in the offline table and to
  cut it out of what is recorded, and is never written anywhere;
* order: the interface's own address if it is public, then STUN (RFC 8489) unless refused;
* not learned is a value: ``asn`` null.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import trio

from blockwatch.net.failures import NETWORK, name
from blockwatch.net.kit import Kit
from blockwatch.run import Vantage

LEARN_S = 2.5
_COOKIE = 0x2112A442


@dataclass
class Whereabouts:
    """What is written (``vantage``) and what is not (``own``: this line's public addresses)."""

    vantage: Vantage = field(default_factory=Vantage)
    own: set[str] = field(default_factory=set)


async def learn(kit: Kit, *, isp: str | None, stun: str | None) -> Whereabouts:
    """Find out the network of this line, within :data:`LEARN_S` seconds."""
    from blockwatch import asn

    sources = [address for address in (kit.network.source(4), kit.network.source(6)) if address]
    own = {address for address in sources if _is_public(address)}
    learned_from = "interface" if own else None
    if not own and stun is not None and sources:
        with trio.move_on_after(LEARN_S):
            mapped = await _ask_stun(kit, stun)
            if mapped is not None:
                own, learned_from = {mapped}, "stun"
    facts = next((found for found in map(asn.lookup, _v4_first(own)) if found is not None), None)
    resolver = kit.network.nameserver()
    resolver_facts = asn.lookup(resolver) if resolver is not None and _is_public(resolver) else None
    vantage = Vantage(
        asn=facts.asn if facts else None,
        country=facts.country if facts else None,
        network=facts.name if facts else None,
        learned_from=learned_from,
        declared_isp=isp,
        ipv4=kit.ipv4,
        ipv6=kit.ipv6,
        resolver_asn=resolver_facts.asn if resolver_facts else None,
    )
    return Whereabouts(vantage, own)


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address).is_global


def _v4_first(addresses: set[str]) -> Sequence[str]:
    return sorted(addresses, key=lambda address: (":" in address, address))


async def _ask_stun(kit: Kit, server: str) -> str | None:
    """Our address as a STUN server sees it; None when it does not answer."""
    host, _, port = server.rpartition(":")
    transaction = secrets.token_bytes(12)
    request = b"\x00\x01\x00\x00" + _COOKIE.to_bytes(4, "big") + transaction
    try:
        addresses = await kit.network.getaddrinfo(host)
        usable = [a for a in addresses if ":" not in a or kit.ipv6]
        if not usable:
            return None
        socket = await kit.network.datagrams(usable[0], int(port))
        try:
            await socket.send(request)
            message, _ = await socket.receive()
        finally:
            socket.close()
    except NETWORK as error:
        if name(error) is None:
            raise
        return None
    return read_stun(message, transaction)


def read_stun(message: bytes, transaction: bytes) -> str | None:
    """The XOR-MAPPED-ADDRESS of a binding response (RFC 8489, section 14.2)."""
    cookie = _COOKIE.to_bytes(4, "big")
    if len(message) < 20 or message[:2] != b"\x01\x01" or message[4:20] != cookie + transaction:
        return None
    at = 20
    while at + 4 <= len(message):
        kind, length = (
            int.from_bytes(message[at : at + 2], "big"),
            int.from_bytes(message[at + 2 : at + 4], "big"),
        )
        value = message[at + 4 : at + 4 + length]
        if kind == 0x0020 and len(value) in (8, 20):
            key = (cookie + transaction)[: len(value) - 4]
            packed = bytes(a ^ b for a, b in zip(value[4:], key, strict=True))
            return str(ipaddress.ip_address(packed))
        at += 4 + length + (-length % 4)
    return None
