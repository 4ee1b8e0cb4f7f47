"""The wire: one process that carries packets between the probe's namespace and the far side.

Rules:

- One loop, two links, one heap of packets in flight. A packet is late by the delay of its far
  address, jitter never reorders a flow, loss is rolled once per packet on the probe's own line.
- The path has ``world.hops`` routers. Each takes 1 from the time to live; the one that takes the
  last says so by ICMP. The censor is a box at router ``world.censor_hop``: it sees what comes in
  there, before the router counts, and what it injects starts at that router.
- Dead addresses swallow everything, behind the last router.
- What the censor does stands in :mod:`blockwatch.lab.censor`; this file knows no rule.
"""

from __future__ import annotations

import random
import select
import time
from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from blockwatch.lab import packet
from blockwatch.lab.censor import DROP, Censor
from blockwatch.lab.censor.boxes import Box, boxes
from blockwatch.lab.line import Outages, Queue
from blockwatch.lab.link import Link
from blockwatch.lab.netlink import packed
from blockwatch.lab.world import PROBE_V6, World

_BATCH = 64  # packets read from one side before the other gets its turn
_REMEMBERED = 100_000


class Wire:
    """The path of one world, between two links."""

    def __init__(self, world: World, probe: Link, far: Link) -> None:
        self._probe, self._far = probe, far
        self._probes = frozenset((packed(world.probe)[1], packed(PROBE_V6)[1]))
        self._hops, self._censor_hop, self._loss = world.hops, world.censor_hop, world.loss
        self._delay = world.delay_ms / 1000
        self._delays = {packed(address)[1]: ms / 1000 for address, ms in world.delays_ms.items()}
        self._back, self._jitter = world.back_ms / 1000, world.jitter_ms / 1000
        self._up, self._down = (Queue(world.rate_kbit, world.queue_ms) for _ in range(2))
        self._outages = Outages(world)
        self._dead = {packed(address)[1] for address in world.dead}
        self._chance = random.Random(world.seed)  # noqa: S311 - repeatable, not secret
        self._censor = Censor(world)
        self._boxes: Sequence[Box] = boxes(world)
        self._routers = {4: routers(world.hops, 4), 6: routers(world.hops, 6)}
        self._flying: list[tuple[float, int, Link, bytes | bytearray]] = []
        self._count = 0
        self._last_due: dict[tuple[Link, bytes], float] = {}

    def run(self) -> None:
        """Carry packets for ever."""
        probe, far, flying = self._probe, self._far, self._flying
        while True:
            wait = max(0.0, flying[0][0] - time.monotonic()) if flying else None
            readable, _, _ = select.select((probe, far), (), (), wait)
            if probe in readable:
                self._drain(probe, self.upstream)
            if far in readable:
                self._drain(far, self.downstream)
            now = time.monotonic()
            while flying and flying[0][0] <= now:
                _, _, side, raw = heappop(flying)
                try:
                    side.write(raw)
                except OSError:
                    continue  # the kernel refuses it, as an interface may: a lost packet

    def _drain(self, side: Link, take: Callable[[bytes, float], None]) -> None:
        now = time.monotonic()
        for _ in range(_BATCH):
            raw = side.read()
            if not raw:
                return
            take(raw, now)

    def upstream(self, raw: bytes, now: float) -> None:
        """Take a packet of the probe."""
        if raw[0] >> 4 == 4:
            ttl, destination = raw[8], raw[16:20]
        else:
            ttl, destination = raw[7], raw[24:40]
            if destination[0] in (0xFE, 0xFF):
                return  # link-local and multicast: no router takes them
        queued = self._up.late(len(raw), now)
        if self._away(raw, now, up=True) or queued == DROP:
            return
        delay = self._delays.get(destination, self._delay) + queued
        extra = self._censor.up(raw, now) if ttl >= self._censor_hop else 0.0
        if extra != DROP:
            if ttl <= self._hops:
                self._expire(raw, ttl, now, delay)
            elif destination not in self._dead:
                self._pass(self._far, raw, now, delay + extra)
        if self._censor.injected:
            self._inject(now, delay)

    def downstream(self, raw: bytes, now: float) -> None:
        """Take a packet of the far side."""
        if raw[0] >> 4 == 4:
            ttl, source, destination = raw[8], raw[12:16], raw[16:20]
        else:
            ttl, source, destination = raw[7], raw[8:24], raw[24:40]
        if self._censor.offline or destination not in self._probes or ttl <= self._hops:
            return  # what the far side sends to a dead address comes here, too
        delay = self._delays.get(source, self._delay)
        for box in self._boxes:
            raw = box.down(raw)
        extra = self._censor.down(raw, now)
        if extra != DROP and not self._away(raw, now, up=False):
            self._pass(self._probe, raw, now, delay + extra)
        if self._censor.injected:
            self._inject(now, delay)

    def _away(self, raw: bytes, now: float, *, up: bool) -> bool:
        """Whether the probe's own line loses this packet."""
        if self._censor.offline or (self._loss and self._chance.random() < self._loss):
            return True
        return self._outages.lost(raw, now, up=up)

    def _pass(self, side: Link, raw: bytes, now: float, delay: float) -> None:
        if side is self._far:
            raw = self._behind_boxes(raw)
        if raw:
            self._send(side, packet.forwarded(raw, self._hops), now + delay)

    def _behind_boxes(self, raw: bytes) -> bytes:
        """Return a packet of the probe as it leaves the last box; empty when one keeps it."""
        for box in self._boxes:
            if raw:
                raw = box.up(raw)
        return raw

    def _send(self, side: Link, raw: bytes | bytearray, due: float) -> None:
        if self._jitter:
            due = self._jittered(side, raw, due)
        if side is self._probe:
            due += self._back
            queued = self._down.late(len(raw), due)
            if queued == DROP:
                return
            due += queued
        self._count += 1
        heappush(self._flying, (due, self._count, side, raw))

    def _jittered(self, side: Link, raw: bytes | bytearray, due: float) -> float:
        flow = (side, bytes(raw[12:24] if raw[0] >> 4 == 4 else raw[8:44]))
        due = max(due + self._chance.random() * self._jitter, self._last_due.get(flow, 0.0))
        if len(self._last_due) > _REMEMBERED:
            self._last_due.clear()
        self._last_due[flow] = due
        return due

    def _expire(self, raw: bytes, ttl: int, now: float, delay: float) -> None:
        """Let router number ``ttl`` say that the packet ended there."""
        if ttl < 1 or packet.layer4(raw)[0] in (packet.ICMP6, 0):
            return
        router = self._routers[raw[0] >> 4][ttl - 1]
        message = packet.time_exceeded(router, raw, ttl=64 - ttl)
        self._send(self._probe, message, now + 2 * delay * ttl / (self._hops + 1))

    def _inject(self, now: float, delay: float) -> None:
        """Send what the censor made: it starts at its router, half-way."""
        there = 2 * delay * self._censor_hop / (self._hops + 1)
        for to_probe, extra, raw in self._censor.injected:
            if to_probe and not (self._loss and self._chance.random() < self._loss):
                self._send(self._probe, raw, now + there + extra)
            elif not to_probe and (led := self._behind_boxes(raw)):
                self._send(self._far, led, now + delay + extra)
        self._censor.injected.clear()


def routers(hops: int, version: int) -> list[bytes]:
    """Return the addresses of the routers of a path, nearest first."""
    name = "95.56.240.{}" if version == 4 else "2a00:1d58:f000::{:x}"
    return [packed(name.format(hop))[1] for hop in range(1, hops + 1)]


def main(world: World, probe: Link, far: Link) -> None:
    """Carry packets between the two links until the process is killed."""
    Wire(world, probe, far).run()
