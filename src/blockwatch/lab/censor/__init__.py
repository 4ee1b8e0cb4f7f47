"""The lab's censor: a box on the path that reads, injects, delays and swallows packets.

Rules: it sees whole IP packets, one by one, in both directions; its word on a packet is the seconds
it is to be late (0: passes as it is) or :data:`DROP`; what it makes itself lies in ``injected``.
One file per thing it can look at: addresses (here), DNS questions, flows with a name in them.
"""

from __future__ import annotations

from blockwatch.lab import packet
from blockwatch.lab.censor.dns import DnsCensor
from blockwatch.lab.censor.flows import FlowCensor
from blockwatch.lab.censor.injector import DROP, PASS, Injector
from blockwatch.lab.netlink import packed
from blockwatch.lab.world import DnsRule, HttpRule, OfflineRule, TcpRule, TlsRule, World

__all__ = ["DROP", "PASS", "Censor"]


class Censor:
    """All rules of one world. ``injected`` is to be sent and cleared after every packet."""

    def __init__(self, world: World) -> None:
        injector = Injector(world.censor_hop, world.hops, world.seed)
        self.injected = injector.queue
        self.offline = any(isinstance(rule, OfflineRule) for rule in world.rules)
        self._injector = injector
        self._addresses: dict[bytes, dict[int, str]] = {}
        self._patience: dict[bytes, int] = {}  # connections that an address still lets through
        self._opened: dict[bytes, set[bytes]] = {}
        for rule in world.rules:
            if isinstance(rule, TcpRule):
                self._addresses.setdefault(packed(rule.ip)[1], {})[rule.port] = rule.do
                if rule.after:
                    self._patience[packed(rule.ip)[1]] = rule.after
        dns = [rule for rule in world.rules if isinstance(rule, DnsRule) and rule.to != "isp"]
        names = [rule for rule in world.rules if isinstance(rule, TlsRule | HttpRule)]
        self._dns = DnsCensor(dns, injector) if dns else None
        self._flows = FlowCensor(names, injector, world.seed) if names else None

    def up(self, raw: bytes, now: float) -> float:
        """Judge a packet of the probe, seen at ``now`` (seconds, monotonic)."""
        protocol, at = packet.layer4(raw)
        if self._addresses and (fate := self._by_address(raw, protocol, at, 1)) != PASS:
            return fate
        if protocol == packet.TCP:
            return self._flows.up(raw, at, now) if self._flows else PASS
        if protocol == packet.UDP and self._dns and raw[at + 2 : at + 4] == b"\x00\x35":
            return self._dns.up(raw, at)
        return PASS

    def down(self, raw: bytes, now: float) -> float:
        """Judge a packet to the probe."""
        protocol, at = packet.layer4(raw)
        if self._addresses and (fate := self._by_address(raw, protocol, at, 0)) != PASS:
            return fate
        if protocol == packet.TCP:
            return self._flows.down(raw, at, now) if self._flows else PASS
        if protocol == packet.UDP and self._dns and raw[at : at + 2] == b"\x00\x35":
            return self._dns.down(raw, at)
        return PASS

    def _by_address(self, raw: bytes, protocol: int, at: int, which: int) -> float:
        """Address rules: ``which`` end of the packet is the far one."""
        far = packet.ends(raw)[which]
        rules = self._addresses.get(far)
        if rules is None or (far in self._patience and self._patient(raw, protocol, at, which)):
            return PASS
        action = rules.get(0)
        if action is None and protocol == packet.TCP:
            action = rules.get(packet.ports(raw, at)[which])
        if action == "rst" and protocol == packet.TCP:
            if which == 1 and raw[at + 13] & (packet.SYN | packet.ACK) == packet.SYN:
                sequence, _ = packet.seq_ack(raw, at)
                self._injector.to_probe(raw, at, 0, sequence + 1, packet.RST | packet.ACK)
            return DROP
        return DROP if action == "drop" else PASS

    def _patient(self, raw: bytes, protocol: int, at: int, which: int) -> bool:
        """Whether the far end has not seen its number of connections yet."""
        far = packet.ends(raw)[which]
        opened = self._opened.setdefault(far, set())
        if protocol == packet.TCP and which == 1 and raw[at + 13] & (packet.SYN | packet.ACK) == packet.SYN:
            opened.add(packet.flow_up(raw, at))
        return len(opened) <= self._patience[far]
