"""Which network this line belongs to; the address that tells it is forgotten again.

Rules of this file:

* the address stays in memory: it is used to look up the AS and country in the offline table and to
  cut it out of what is recorded, and is never written anywhere;
* order: the interface's own address if it is public, then the echo of a helper that was given
  anyway, then STUN (RFC 8489) unless refused; nobody is asked for what is known already;
* not learned is a value: ``asn`` null, and ``blind`` names the IP versions whose address is unknown.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import trio

from blockwatch.net.failures import NETWORK, name_failure
from blockwatch.net.flow import Flow
from blockwatch.net.http import Request
from blockwatch.net.kit import Kit
from blockwatch.net.record import Record
from blockwatch.net.url import BadUrl, is_literal, join, parse_url
from blockwatch.run import Vantage

LEARN_S = 2.0
_ECHO_S = 1.2  # of these
_ECHO_BYTES = 4_096
_COOKIE = 0x2112A442


@dataclass
class Whereabouts:
    """What is written (``vantage``) and what is not (``own``: this line's public addresses)."""

    vantage: Vantage = field(default_factory=Vantage)
    own: set[str] = field(default_factory=set)
    blind: frozenset[int] = frozenset((4, 6))  # IP versions that this line may have an unknown address of


async def learn(kit: Kit, *, isp: str | None, stun: str | None, helpers: Sequence[str] = ()) -> Whereabouts:
    """Find out the network of this line, within :data:`LEARN_S` seconds."""
    from blockwatch import asn

    routes = {version: address for version in (4, 6) if (address := kit.network.source(version))}
    own = {address for address in routes.values() if _is_public(address)}
    learned_from = "interface" if own else None
    wanted = [version for version, address in routes.items() if address not in own]
    if wanted:
        mapped, by = await _ask_others(kit, wanted, stun, helpers)
        if mapped is not None:
            own.add(mapped)
            learned_from = learned_from or by
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
        resolver_local=None if resolver is None or not is_literal(resolver) else not _is_public(resolver),
    )
    known = {_version(address) for address in own}
    return Whereabouts(vantage, own, frozenset(routes or (4, 6)) - known)


async def _ask_others(
    kit: Kit, versions: Sequence[int], stun: str | None, helpers: Sequence[str]
) -> tuple[str | None, str | None]:
    """``(address, who told)`` of this line as others see it, over one of the IP ``versions``."""
    mapped: str | None = None
    with trio.move_on_after(LEARN_S):
        with trio.move_on_after(_ECHO_S):
            for helper in helpers:
                mapped = await _ask_helper(kit, helper, versions)
                if mapped is not None:
                    return mapped, "helper"
        if stun is not None:
            mapped = await _ask_stun(kit, stun, versions)
    return mapped, "stun" if mapped is not None else None


async def _usable(kit: Kit, host: str, versions: Sequence[int]) -> list[str]:
    """Addresses of ``host`` of the wanted IP versions, the first version's first."""
    try:
        found = [host] if is_literal(host) else await kit.network.getaddrinfo(host)
    except NETWORK as error:
        name_failure(error)
        return []
    fitting = [address for address in found if _version(address) in versions]
    return sorted(fitting, key=lambda address: versions.index(_version(address)))


async def _ask_helper(kit: Kit, helper: str, versions: Sequence[int]) -> str | None:
    """Our address as our helper sees it; None from one that does not say."""
    try:
        url = join(parse_url(helper), "/whoami")
    except BadUrl:
        return None
    for address in (await _usable(kit, url.host, versions))[:1]:
        flow = Flow(kit, Record(kit.network.monotonic_us, kit.origin_us), address, url.port)
        try:
            await flow.tcp_connect()
            if url.scheme == "https":
                await flow.tls_handshake(server_name=url.host)
            _, reply = await flow.http(Request(url, headers=(("Accept", "application/json"),)))
        finally:
            flow.close()
        if reply.status == 200 and len(reply.body) <= _ECHO_BYTES:
            return read_echo(bytes(reply.body))
    return None


def read_echo(body: bytes) -> str | None:
    """The public address in a helper's answer; None: it gives none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    address = said.get("address") if isinstance(said, dict) else None
    if not isinstance(address, str) or not is_literal(address) or not _is_public(address):
        return None
    return str(ipaddress.ip_address(address))


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address).is_global


def _version(address: str) -> int:
    return 6 if ":" in address else 4


def _v4_first(addresses: set[str]) -> Sequence[str]:
    return sorted(addresses, key=lambda address: (":" in address, address))


async def _ask_stun(kit: Kit, server: str, versions: Sequence[int]) -> str | None:
    """Our address as a STUN server sees it; None when it does not answer."""
    host, _, port = server.rpartition(":")
    transaction = secrets.token_bytes(12)
    request = b"\x00\x01\x00\x00" + _COOKIE.to_bytes(4, "big") + transaction
    usable = await _usable(kit, host, versions)
    if not usable:
        return None
    try:
        socket = await kit.network.datagrams(usable[0], int(port))
        try:
            await socket.send(request)
            message, _ = await socket.receive()
        finally:
            socket.close()
    except NETWORK as error:
        name_failure(error)
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
