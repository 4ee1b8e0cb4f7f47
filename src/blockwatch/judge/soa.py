"""The SOA record of a denial: which zone a reply says that its "no" comes from.

Rules of this file:

* a resolver that answers from memory, or passes on what the zone said, sends the zone's SOA along (RFC 2308,
  3 and 5); what is made up on the path, or by a filter, comes without it or with a policy's;
* messages are hostile input: :func:`soa_zone` reads 4,096 bytes at most, follows 16 pointers, never raises.
"""

from __future__ import annotations

from blockwatch.judge.sight import Lookup

_SOA = 6
_MOST_RECORDS = 40


def zone_denies(lookup: Lookup) -> bool:
    """Whether a reply that denies the name brings the SOA of a zone that the name lies in."""
    return any(zone is not None and holds(zone, lookup) for zone in zones(lookup))


def zones(lookup: Lookup) -> list[str | None]:
    """The zone whose SOA each reply that denies brings; ``None`` for one without."""
    said = [
        reply for reply in lookup.step.replies if reply.rcode in (0, 3) and not reply.addresses and reply.raw
    ]
    return [soa_zone(reply.raw) for reply in said]


def holds(zone: str, lookup: Lookup) -> bool:
    """Whether the name, or one that it is an alias of, lies in a zone."""
    names = [lookup.step.name, *(name for reply in lookup.step.replies for name in reply.names)]
    return not zone or any(name == zone or name.endswith("." + zone) for name in names)


def soa_zone(message: bytes) -> str | None:
    """The owner of the SOA record in a message, lower case, no trailing dot; ``None`` where there is none."""
    if len(message) < 12:
        return None
    counts = [int.from_bytes(message[at : at + 2], "big") for at in (4, 6, 8, 10)]
    at = 12
    for _ in range(min(counts[0], 4)):
        at = _past_name(message, at) + 4
    for _ in range(min(sum(counts[1:]), _MOST_RECORDS)):
        begin, at = at, _past_name(message, at)
        head = message[at : at + 10]
        if len(head) < 10:
            return None
        if int.from_bytes(head[:2], "big") == _SOA:
            return _name(message, begin)
        at += 10 + int.from_bytes(head[8:], "big")
    return None


def _past_name(message: bytes, at: int) -> int:
    """Where the name at ``at`` ends (RFC 1035, 4.1.4); behind the message where it does not."""
    while at < len(message):
        length = message[at]
        if length >= 0xC0:
            return at + 2
        at += 1 + length
        if not length:
            return at
    return len(message)


def _name(message: bytes, at: int) -> str:
    """The name at ``at``; as much of it as can be read."""
    labels: list[str] = []
    jumps = 0
    while at < len(message) and len(labels) < 128:
        length = message[at]
        if length >= 0xC0:
            jumps += 1
            if at + 1 >= len(message) or jumps > 16:
                break
            at = (length & 0x3F) << 8 | message[at + 1]
            continue
        if not length:
            break
        labels.append(message[at + 1 : at + 1 + length].decode("latin-1").lower())
        at += 1 + length
    return ".".join(labels)
