"""Denials: what the reply itself says of whether a resolver remembers that a name does not exist.

Rules of this file:

* a resolver that answers from memory must send the zone's SOA along (RFC 2308, 5), and may remember for as
  long as that allows, one to three hours as a rule; a name that was made a while ago is denied meanwhile;
* a denial with the SOA of a zone that the name lies in looks like one that is remembered, however often it
  comes: an old server of the zone would repeat it too;
* one without, from a resolver that sends it for a name that nobody has, asked twice, was not remembered.

Messages are hostile input: :func:`soa_zone` reads at most 4,096 bytes, follows 16 pointers, and never raises.
"""

from __future__ import annotations

from blockwatch.judge.answers import LINE
from blockwatch.judge.outcomes import EMPTY, NXDOMAIN
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Lookup

_SOA = 6
_MOST_RECORDS = 40
_TOLD = frozenset({NXDOMAIN, EMPTY})


def denial_doubt(scene: Scene) -> str:
    """Why an honest resolver may deny the name; empty: this one hardly remembers it."""
    hop = scene.hop
    denied = [lookup for lookup in scene.answers.line if lookup.end in _TOLD]
    zones = [zone for lookup in denied for zone in _zones(lookup)]
    if not zones:
        return "No reply shows whether the resolver remembers an old answer"
    if any(zone is not None and _holds(zone, lookup) for lookup in denied for zone in _zones(lookup)):
        return "The reply names the zone's own record: a resolver that remembers an old answer sends the same"
    if any(zone is not None for zone in zones):
        return ""  # of a zone that the name does not lie in
    nobody = [zone for lookup in hop.made_up if lookup.step.resolver == LINE for zone in _zones(lookup)]
    if len(nobody) >= 2 and all(zone is not None for zone in nobody):
        return ""
    return "This resolver is not known to say where its denials come from: it may remember an old answer"


def _zones(lookup: Lookup) -> list[str | None]:
    """The zone whose SOA each reply that denies brings; ``None`` for one without."""
    said = [
        reply for reply in lookup.step.replies if reply.rcode in (0, 3) and not reply.addresses and reply.raw
    ]
    return [soa_zone(reply.raw) for reply in said]


def _holds(zone: str, lookup: Lookup) -> bool:
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
