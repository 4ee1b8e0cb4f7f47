"""What a censor injects, ready to be sent.

Rules: every injected packet answers a packet of the probe, with the addresses and ports of its
conversation. Its time to live starts at the rule's ``ttl0`` and loses one per router between the
censor's and the receiver, the censor's own included; its IPv4 identification is the rule's, or
random as no counter of the true server's.
"""

from __future__ import annotations

import random

from blockwatch.lab import packet

PASS, DROP = 0.0, -1.0


class Injector:
    """Builds packets and keeps them in ``queue``: (to the probe?, extra seconds, packet)."""

    def __init__(self, censor_hop: int, hops: int, seed: int) -> None:
        self.queue: list[tuple[bool, float, bytes]] = []
        self._before, self._behind = censor_hop, hops - censor_hop
        self._chance = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def to_probe(
        self, cause: bytes, at: int, sequence: int, acknowledged: int, flags: int,
        payload: bytes = b"", *, ttl0: int = 64, ipid: int | None = None,
    ) -> None:  # fmt: skip
        """Send a TCP segment to the probe as if from the server that ``cause`` went to."""
        (probe, server), (sport, dport) = packet.ends(cause), packet.ports(cause, at)
        self.queue.append((True, 0.0, packet.tcp(
            (server, dport), (probe, sport), sequence, acknowledged, flags, payload,
            ttl=max(1, ttl0 - self._before), ipid=self._ipid(ipid),
        )))  # fmt: skip

    def to_server(
        self, cause: bytes, at: int, sequence: int, acknowledged: int, flags: int,
        *, ttl0: int = 64, ipid: int | None = None,
    ) -> None:  # fmt: skip
        """Send a TCP segment to the server as if from the probe that sent ``cause``."""
        (probe, server), (sport, dport) = packet.ends(cause), packet.ports(cause, at)
        self.queue.append((False, 0.0, packet.tcp(
            (probe, sport), (server, dport), sequence, acknowledged, flags,
            ttl=max(1, ttl0 - self._behind), ipid=self._ipid(ipid),
        )))  # fmt: skip

    def datagram(
        self, cause: bytes, at: int, payload: bytes, *, ttl0: int = 64, ipid: int | None = None
    ) -> None:
        """Answer the probe's UDP datagram ``cause``."""
        (probe, server), (sport, dport) = packet.ends(cause), packet.ports(cause, at)
        ttl = max(1, ttl0 - self._before)
        self.queue.append(
            (True, 0.0, packet.udp((server, dport), (probe, sport), payload, ttl=ttl, ipid=self._ipid(ipid)))
        )

    def moved(self, raw: bytes, at: int, *, up: bool, other: bytes) -> None:
        """Send a datagram on with ``other`` as its far end; a box on the way changes nothing else."""
        (source, destination), (sport, dport) = packet.ends(raw), packet.ports(raw, at)
        ends = ((source, sport), (other, dport)) if up else ((other, sport), (destination, dport))
        ttl = 64 - self._before - self._behind
        self.queue.append((not up, 0.0, packet.udp(*ends, raw[at + 8 :], ttl=ttl, ipid=self._ipid(None))))

    def again(self, raw: bytes, after: float) -> None:
        """Send the true packet ``raw`` to the probe once more, ``after`` seconds late."""
        self.queue.append((True, after, bytes(packet.forwarded(raw, self._before + self._behind))))

    def _ipid(self, wanted: int | None) -> int:
        return self._chance.randrange(1, 65536) if wanted is None else wanted
