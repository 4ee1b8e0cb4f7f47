"""What a censor does to a flow once it has read the name: a table of small classes.

Rules: an action lives as long as its flow. ``strike`` judges the segment that gave the name away,
``up`` and ``down`` every later one. Sequence numbers of injected segments are those the receiver
expects next, so its kernel takes them for the peer's. Boxes in the path (drop, fin, page, freeze)
keep the flow to themselves; boxes on it (rst, rstserver, race) let everything go on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from blockwatch.lab import packet
from blockwatch.lab.censor.injector import DROP, PASS, Injector
from blockwatch.lab.world import HttpRule, TlsRule

NameRule = TlsRule | HttpRule

_CHUNK = 1400  # bytes of a page in one segment
_BURST = 6000  # bytes a policer lets pass at once: four full packets
_SLOW_LOSS = 0.1


@dataclass(frozen=True)
class Hit:
    """Where a flow stood when it was hit: next sequence number of the server and of the probe, time."""

    server_next: int
    probe_next: int
    now: float


class Action:
    """Swallows the flow from the trigger on (drop); the others change parts of it."""

    def __init__(self, rule: NameRule, injector: Injector, chance: random.Random, hit: Hit) -> None:
        self.rule, self.injector, self.chance, self.hit = rule, injector, chance, hit

    def strike(self, raw: bytes, at: int) -> float:
        """Judge the segment that triggered."""
        return self.up(raw, at)

    def up(self, raw: bytes, at: int) -> float:
        """Judge a later segment of the probe."""
        return DROP

    def down(self, raw: bytes, at: int, now: float) -> float:
        """Judge a later segment to the probe."""
        return DROP

    def _say(self, raw: bytes, at: int, skip: int, flags: int, payload: bytes = b"") -> None:
        rule, hit = self.rule, self.hit
        self.injector.to_probe(
            raw, at, hit.server_next + skip, hit.probe_next, flags, payload, ttl0=rule.ttl0, ipid=rule.ipid
        )


class Reset(Action):
    """Resets the probe, and the server with ``both``, by every segment that carries data; all goes on."""

    def up(self, raw: bytes, at: int) -> float:
        """Reset, if it carries data; it goes on."""
        size = len(packet.tcp_payload(raw, at))
        if size:
            sequence, acknowledged = packet.seq_ack(raw, at)
            rule, flags = self.rule, packet.RST | packet.ACK
            self.injector.to_probe(
                raw, at, acknowledged, sequence + size, flags, ttl0=rule.ttl0, ipid=rule.ipid
            )
            if rule.both:
                # Behind the trigger, which gets there first: so it starts where that ends.
                self.injector.to_server(
                    raw, at, sequence + size, acknowledged, flags, ttl0=rule.ttl0, ipid=rule.ipid
                )
        return PASS

    def down(self, raw: bytes, at: int, now: float) -> float:
        """It goes on."""
        return PASS


class Page(Action):
    """Answers with the rule's bytes and FIN in the server's place; the server gets a reset."""

    reset_server = True

    def strike(self, raw: bytes, at: int) -> float:
        """Answer in the server's place."""
        self._answer(raw, at)
        if self.reset_server:
            sequence, acknowledged = packet.seq_ack(raw, at)
            self.injector.to_server(raw, at, sequence, acknowledged, packet.RST | packet.ACK)
        return DROP

    def up(self, raw: bytes, at: int) -> float:
        """Swallow; but an answer that was lost is given again when the probe asks again."""
        size = len(packet.tcp_payload(raw, at))
        if size and (self.hit.probe_next - packet.seq_ack(raw, at)[0] - size) & 0xFFFFFFFF < 1 << 31:
            self._answer(raw, at)
        return DROP

    def _answer(self, raw: bytes, at: int) -> None:
        page = self._bytes()
        for start in range(0, len(page) or 1, _CHUNK):
            last = packet.FIN if start + _CHUNK >= len(page) else 0
            self._say(raw, at, start, packet.ACK | packet.PSH | last, page[start : start + _CHUNK])

    def _bytes(self) -> bytes:
        return self.rule.response


class Finish(Page):
    """Ends the flow towards the probe with a bare FIN; the server hears no more."""

    reset_server = False

    def _bytes(self) -> bytes:
        return b""


class Throttle(Action):
    """Polices what the server sends to ``rate`` kB/s: what does not fit a small bucket is lost."""

    def __init__(self, rule: NameRule, injector: Injector, chance: random.Random, hit: Hit) -> None:
        super().__init__(rule, injector, chance, hit)
        self._tokens, self._then = float(_BURST), hit.now

    def up(self, raw: bytes, at: int) -> float:
        """It goes on."""
        return PASS

    def down(self, raw: bytes, at: int, now: float) -> float:
        """It goes on if the bucket has room for it."""
        self._tokens = min(_BURST, self._tokens + (now - self._then) * self.rule.rate * 1000)
        self._then = now
        if len(raw) > self._tokens:
            return DROP
        self._tokens -= len(raw)
        return PASS


class Slow(Action):
    """Delays the flow both ways by ``delay_ms`` and loses 10 % of it."""

    def up(self, raw: bytes, at: int) -> float:
        """It is late, or lost."""
        return DROP if self.chance.random() < _SLOW_LOSS else self.rule.delay_ms / 1000

    def down(self, raw: bytes, at: int, now: float) -> float:
        """It is late, or lost."""
        return self.up(raw, at)


class Freeze(Action):
    """Lets ``after`` bytes of the server pass, then nothing any more, either way."""

    _frozen = False

    def up(self, raw: bytes, at: int) -> float:
        """It goes on until the flow is frozen."""
        return DROP if self._frozen else PASS

    def down(self, raw: bytes, at: int, now: float) -> float:
        """It goes on until too many bytes have passed."""
        size = len(packet.tcp_payload(raw, at))
        passed = (packet.seq_ack(raw, at)[0] - self.hit.server_next + size) & 0xFFFFFFFF
        self._frozen = self._frozen or (size > 0 and self.rule.after < passed < 1 << 31)
        return self.up(raw, at)


class ResetServer(Reset):
    """Resets the server alone, as a box does that sees one direction; all goes on."""

    def up(self, raw: bytes, at: int) -> float:
        """Reset the server, if it carries data; it goes on."""
        size = len(packet.tcp_payload(raw, at))
        if size:
            sequence, acknowledged = packet.seq_ack(raw, at)
            self.injector.to_server(raw, at, sequence + size, acknowledged, packet.RST | packet.ACK)
        return PASS


class Race(Page):
    """Answers in the server's place, first; the flow goes on, and the true answer comes too late."""

    def strike(self, raw: bytes, at: int) -> float:
        """Answer; the request goes on."""
        self._answer(raw, at)
        return PASS

    def up(self, raw: bytes, at: int) -> float:
        """It goes on."""
        return PASS

    def down(self, raw: bytes, at: int, now: float) -> float:
        """It goes on."""
        return PASS


class OneWay(Action):
    """Swallows what the server sends; the probe's segments go on."""

    def up(self, raw: bytes, at: int) -> float:
        """It goes on."""
        return PASS


class ResetAfter(Action):
    """Lets ``after`` bytes of the server pass, then resets the probe in place of what follows."""

    def up(self, raw: bytes, at: int) -> float:
        """It goes on."""
        return PASS

    def down(self, raw: bytes, at: int, now: float) -> float:
        """It goes on until too many bytes have passed."""
        size = len(packet.tcp_payload(raw, at))
        sequence, acknowledged = packet.seq_ack(raw, at)
        passed = (sequence - self.hit.server_next + size) & 0xFFFFFFFF
        if not (size > 0 and self.rule.after < passed < 1 << 31):
            return PASS
        (server, probe), (sport, dport) = packet.ends(raw), packet.ports(raw, at)
        ends = ((server, sport), (probe, dport))
        flags = packet.RST | packet.ACK
        self.injector.queue.append((True, 0.0, packet.tcp(*ends, sequence, acknowledged, flags, ttl=60)))
        return DROP


ACTIONS: dict[str, type[Action]] = {
    "drop": Action,
    "rst": Reset,
    "fin": Finish,
    "page": Page,
    "throttle": Throttle,
    "slow": Slow,
    "freeze": Freeze,
    "rstserver": ResetServer,
    "race": Race,
    "dropdown": OneWay,
    "rstafter": ResetAfter,
}
