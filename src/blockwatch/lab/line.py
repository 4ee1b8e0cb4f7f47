"""The probe's own line: how much it carries, and when it carries nothing.

Rules: a queue is one way and drops at its end, as those of cheap routers do; an outage is counted from the
probe's first packet, so that it meets every run at the same place.
"""

from __future__ import annotations

from collections.abc import Sequence

from blockwatch.lab import packet
from blockwatch.lab.censor.injector import DROP, PASS
from blockwatch.lab.world import Outage, World

_NAMES = (53).to_bytes(2, "big")


class Queue:
    """What waits to be sent one way over a line of ``kbit`` kbit/s, ``queue_ms`` at most; 0: no limit."""

    def __init__(self, kbit: float, queue_ms: float) -> None:
        self._per_byte = 8 / (kbit * 1000) if kbit else 0.0
        self._longest = queue_ms / 1000
        self._free = 0.0

    def late(self, size: int, now: float) -> float:
        """Seconds until a packet of ``size`` bytes that comes at ``now`` has passed; DROP: no room."""
        if not self._per_byte:
            return PASS
        begins = max(now, self._free)
        if begins - now > self._longest:
            return DROP
        self._free = begins + size * self._per_byte
        return self._free - now


class Outages:
    """When the line fails. A portal for a while is a box, not an outage of packets."""

    def __init__(self, world: World) -> None:
        rules = [rule for rule in world.rules if isinstance(rule, Outage)]
        for rule in rules:
            if rule.what not in ("line", "names", "portal", "switch"):
                raise ValueError(f"unknown outage {rule.what!r}")
        self._rules: Sequence[Outage] = [rule for rule in rules if rule.what != "portal"]
        self._first: float | None = None
        self._before: set[bytes] = set()  # TCP flows from before a switch

    def lost(self, raw: bytes, now: float, *, up: bool) -> bool:
        """Whether this packet of (``up``) or to the probe is lost."""
        if not self._rules:
            return False
        self._first = now if self._first is None else self._first
        return any(self._loses(rule, raw, now - self._first, up) for rule in self._rules)

    def _loses(self, rule: Outage, raw: bytes, passed: float, up: bool) -> bool:
        during = rule.begins <= passed < rule.begins + rule.seconds
        protocol, at = packet.layer4(raw)
        if rule.what == "names":
            return during and at + 4 <= len(raw) and _NAMES in (raw[at : at + 2], raw[at + 2 : at + 4])
        if rule.what == "switch" and protocol == packet.TCP:
            flow = packet.flow_up(raw, at) if up else packet.flow_down(raw, at)
            if passed < rule.begins:
                self._before.add(flow)
            return during or (passed >= rule.begins and flow in self._before)
        return during
