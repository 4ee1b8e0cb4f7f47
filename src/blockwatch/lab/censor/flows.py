"""The censor of flows: it follows TCP, puts what the probe sends together, and reads the name in it.

Rules:

- Bytes are put in order by sequence number (holes wait, first copy wins), as a box does that keeps
  state. It looks at the first bytes on any port: a TLS handshake record, or an HTTP method. What is
  neither, or grows beyond 32 kB without a name, is left alone.
- A name is decided on once per flow; ``share`` is rolled then. Cleartext HTTP is looked at again for
  every further request without a body on the same flow.
- After a hit with ``residual``, further flows to the same address and port are hit by their first
  bytes (a ``mute`` one: by their SYN), whatever name they carry, until the time is over.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from blockwatch.lab import packet
from blockwatch.lab.censor.actions import ACTIONS, Action, Hit, NameRule
from blockwatch.lab.censor.injector import DROP, PASS, Injector
from blockwatch.lab.censor.names import NameTable, http_host, server_name
from blockwatch.lab.netlink import packed
from blockwatch.lab.world import HttpRule, TlsRule

_LONGEST = 32_768  # bytes kept of a flow
_FLOWS = 65_536  # flows remembered
_HALF = 1 << 31


class Flow:
    """What the probe has sent on one connection, in order from sequence number ``base``."""

    __slots__ = ("action", "ahead", "base", "data", "fresh")

    def __init__(self, base: int) -> None:
        self.base = base & 0xFFFFFFFF
        self.data = b""
        self.ahead: dict[int, bytes] = {}
        self.action: Action | None = None
        self.fresh = True  # nothing of it was looked at yet

    def add(self, sequence: int, payload: bytes) -> bool:
        """Take a segment; returns whether there is anything new in order."""
        offset = (sequence - self.base) & 0xFFFFFFFF
        if offset >= _HALF:
            offset -= 1 << 32
        if offset > len(self.data):
            if len(self.ahead) < 64:
                self.ahead.setdefault(offset, payload)
            return False
        before = len(self.data)
        self.data += payload[before - offset :]
        while waiting := [start for start in self.ahead if start <= len(self.data)]:
            start = min(waiting)
            piece = self.ahead.pop(start)
            self.data += piece[len(self.data) - start :]
        return len(self.data) > before

    def take_all(self) -> None:
        """Forget what was looked at; what follows starts afresh."""
        self.base = (self.base + len(self.data)) & 0xFFFFFFFF
        self.data = b""
        self.ahead.clear()


class FlowCensor:
    """Interference by server name and Host."""

    def __init__(self, rules: Sequence[NameRule], injector: Injector, seed: int) -> None:
        for rule in rules:
            if rule.do not in ACTIONS:
                raise ValueError(f"unknown interference {rule.do!r}")
        self._tls = NameTable([(rule.sni, rule) for rule in rules if isinstance(rule, TlsRule)])
        self._http = NameTable([(rule.host, rule) for rule in rules if isinstance(rule, HttpRule)])
        self._only = {rule.ip: packed(rule.ip)[1] for rule in rules if rule.ip}
        self._injector = injector
        self._chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._flows: dict[bytes, Flow] = {}
        self._residual: dict[bytes, tuple[float, NameRule]] = {}  # probe, address, port: until, by which

    def up(self, raw: bytes, at: int, now: float) -> float:
        """Judge a segment of the probe."""
        key = packet.flow_up(raw, at)
        if raw[at + 13] & packet.SYN:
            left = self._left_over(key, now)
            if left is not None and left.mute:
                return DROP
            self._open(key, packet.seq_ack(raw, at)[0] + 1)
            return PASS
        flow = self._flows.get(key)
        if flow is None:
            return PASS
        if flow.action is not None:
            return flow.action.up(raw, at)
        payload = packet.tcp_payload(raw, at)
        if not payload or not flow.add(packet.seq_ack(raw, at)[0], payload):
            return PASS
        return self._look(key, flow, raw, at, now)

    def down(self, raw: bytes, at: int, now: float) -> float:
        """Judge a segment to the probe."""
        flow = self._flows.get(packet.flow_down(raw, at))
        return PASS if flow is None or flow.action is None else flow.action.down(raw, at, now)

    def _open(self, key: bytes, base: int) -> None:
        known = self._flows.get(key)
        if known is None or known.base != base & 0xFFFFFFFF:
            if len(self._flows) >= _FLOWS:
                self._flows.pop(next(iter(self._flows)))  # the oldest
            self._flows.pop(key, None)
            self._flows[key] = Flow(base)

    def _look(self, key: bytes, flow: Flow, raw: bytes, at: int, now: float) -> float:
        """Judge a segment that brought something new."""
        rule = self._left_over(key, now) if flow.fresh else None
        flow.fresh = False
        if rule is None:
            tls = flow.data[0] == 22
            name = server_name(flow.data) if tls else http_host(flow.data)
            if name is None and len(flow.data) < _LONGEST:
                return PASS
            rule = self._rule(tls, name, packet.ends(raw)[1], flow.data) if name else None
            if rule is None:
                if tls or not name:
                    del self._flows[key]
                else:
                    flow.take_all()
                return PASS
            if rule.share < 1 and self._chance.random() >= rule.share:
                del self._flows[key]
                return PASS
            if rule.residual:
                self._residual[_place(key)] = (now + rule.residual, rule)
        _, acknowledged = packet.seq_ack(raw, at)
        hit = Hit(acknowledged, flow.base + len(flow.data), now)
        flow.action = ACTIONS[rule.do](rule, self._injector, self._chance, hit)
        flow.data = b""
        return flow.action.strike(raw, at)

    def _rule(self, tls: bool, name: str, server: bytes, data: bytes) -> NameRule | None:
        found: Sequence[NameRule] = [*(self._tls if tls else self._http).find(name)]
        here = (rule for rule in found if rule.ip is None or self._only[rule.ip] == server)
        return next((rule for rule in here if _asks_for(rule, data)), None)

    def _left_over(self, key: bytes, now: float) -> NameRule | None:
        """Return the rule whose earlier hit still covers this address and port."""
        if not self._residual:
            return None
        until, rule = self._residual.get(_place(key), (0.0, None))
        return rule if now < until else None


def _asks_for(rule: NameRule, data: bytes) -> bool:
    """Whether a cleartext request is for the path that ``rule`` names, if it names one."""
    return isinstance(rule, TlsRule) or rule.path.encode() in data.partition(b"\r\n")[0]


def _place(key: bytes) -> bytes:
    """Probe, server and server's port of a flow: all but the probe's port."""
    return key[:-4] + key[-2:]
