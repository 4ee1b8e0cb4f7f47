"""The censor of DNS: UDP to port 53, whoever is asked.

Rules: what it injects answers the question as it was asked (its very bytes) and is there first, as the
censor is nearer than any resolver. ``race`` lets the question go on, so that the true answer comes
later; without it the question is swallowed. An answer without an address of the type that was asked
for is an empty one. A diverted question goes to the ISP's resolver, whose answer comes back in the name of
whoever was asked.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from blockwatch.lab import packet
from blockwatch.lab.censor.injector import DROP, PASS, Injector
from blockwatch.lab.censor.names import NameTable, dns_question
from blockwatch.lab.netlink import packed
from blockwatch.lab.world import ISP_RESOLVER, DnsRule

_RCODES = {"answer": 0, "empty": 0, "servfail": 2, "nxdomain": 3, "refused": 5}
_KINDS = {1: "A", 28: "AAAA"}
_TYPES = {4: 1, 16: 28}  # length of an address: A, AAAA
_DUPLICATE_AFTER = 0.2  # seconds between an answer and its late duplicate
_WAITING = 4096  # questions remembered
_RESOLVER = packed(ISP_RESOLVER)[1]


class DnsCensor:
    """Interference with DNS questions by name."""

    def __init__(self, rules: Sequence[DnsRule], injector: Injector) -> None:
        for rule in rules:
            if rule.do not in (*_RCODES, "drop", "dup", "delay", "lose", "divert"):
                raise ValueError(f"unknown DNS interference {rule.do!r}")
        self._table = NameTable([(rule.name, rule) for rule in rules])
        self._injector = injector
        self._waiting: dict[bytes, DnsRule] = {}  # flow and message id of questions whose answer is touched
        self._lost: dict[tuple[DnsRule, str], int] = {}
        self._diverted: dict[bytes, bytes] = {}  # the probe's port and message id: whom it asked

    def up(self, raw: bytes, at: int) -> float:
        """Judge a datagram to port 53."""
        message = raw[at + 8 :]
        name, kind, end = dns_question(message)
        rule = next(self._table.find(name), None) if end else None
        if rule is None or (rule.types and _KINDS.get(kind) not in rule.types):
            return PASS
        if rule.do == "drop":
            return DROP
        if rule.do == "lose":
            return self._lose(rule, name)
        if rule.do == "divert":
            return self._divert(raw, at)
        if rule.do in ("dup", "delay") or rule.true_after:
            if len(self._waiting) > _WAITING:
                self._waiting.clear()
            self._waiting[packet.flow_up(raw, at) + message[:2]] = rule
        if rule.do in ("dup", "delay"):
            return PASS
        self._injector.datagram(raw, at, forged(rule, message, kind, end), ttl0=rule.ttl0, ipid=rule.ipid)
        return PASS if rule.race else DROP

    def down(self, raw: bytes, at: int) -> float:
        """Judge a datagram from port 53."""
        if self._diverted and (
            asked := self._diverted.pop(raw[at + 2 : at + 4] + raw[at + 8 : at + 10], b"")
        ):
            self._injector.moved(raw, at, up=False, other=asked)
            return DROP
        if not self._waiting:
            return PASS
        rule = self._waiting.pop(packet.flow_down(raw, at) + raw[at + 8 : at + 10], None)
        if rule is None:
            return PASS
        if rule.do == "dup":
            self._injector.again(raw, rule.true_after + _DUPLICATE_AFTER)
        return rule.true_after

    def _divert(self, raw: bytes, at: int) -> float:
        asked = packet.ends(raw)[1]
        if len(asked) != len(_RESOLVER) or asked == _RESOLVER:
            return PASS
        if len(self._diverted) > _WAITING:
            self._diverted.clear()
        self._diverted[raw[at : at + 2] + raw[at + 8 : at + 10]] = asked
        self._injector.moved(raw, at, up=True, other=_RESOLVER)
        return DROP

    def _lose(self, rule: DnsRule, name: str) -> float:
        lost = self._lost.get((rule, name), 0)
        if rule.first is not None and lost >= rule.first:
            return PASS
        self._lost[rule, name] = lost + 1
        return DROP


def forged(rule: DnsRule, message: bytes, kind: int, end: int) -> bytes:
    """Build the answer ``rule`` gives to a question of type ``kind`` ending at ``end``."""
    addresses = [packed(address)[1] for address in rule.answers] if rule.do == "answer" else []
    fitting = [address for address in addresses if _TYPES[len(address)] == kind]
    flags = 0x8080 | (message[2] & 0x01) << 8 | _RCODES[rule.do]  # an answer, recursion available
    head = message[:2] + struct.pack("!HHHHH", flags, 1, len(fitting), 0, 0)
    records = b"".join(
        struct.pack("!HHHIH", 0xC00C, kind, 1, rule.ttl, len(address)) + address for address in fitting
    )
    return head + message[12:end] + records
