"""How much one client may ask: a token bucket each, in a table that cannot grow, and a fair turn.

Rules of this file:

* an IPv6 client is its /64; everything is in memory only;
* of the buckets the longest silent go first; a client who was pushed out begins with a full one;
* whoever has many turns gets one more only while many are free (dynamic thresholds: A. K. Choudhury and
  E. L. Hahne, IEEE/ACM Transactions on Networking 6, 1998): who asks for dead sites keeps nobody waiting.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

TABLE = 10_000  # clients remembered
GREED = 2  # turns of one client for each that is free


class RateLimit:
    """``rate`` requests a second and client on average, ``burst`` at once; rate 0: no limit."""

    def __init__(self, rate: float, burst: float, now: Callable[[], float]) -> None:
        self._rate, self._burst, self._now = rate, burst, now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # (tokens, when)

    def allows(self, client: str) -> bool:
        """Take one token of the client's, if there is one."""
        if not self._rate:
            return True
        key, now = key_of(client), self._now()
        tokens, when = self._buckets.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - when) * self._rate)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > TABLE:
            self._buckets.popitem(last=False)
        return allowed

    def __len__(self) -> int:
        return len(self._buckets)


class Turns:
    """``total`` requests at a time. A client may have fewer than :data:`GREED` times as many as are free:
    alone two thirds of all, and there is always one for a client that has none.
    """

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._held: Counter[str] = Counter()
        self._waiting: dict[trio.Event, str] = {}  # in the order in which they came

    def crowded(self, client: str, queue: int) -> bool:
        """Whether so many wait for each turn that only a client who has and awaits none may join them."""
        key = key_of(client)
        full = len(self._waiting) >= queue * self._total
        return full and (bool(self._held[key]) or key in self._waiting.values())

    @asynccontextmanager
    async def one(self, client: str) -> AsyncIterator[None]:
        """Wait for a turn and have it for the block."""
        key = key_of(client)
        if self._may(key):
            self._begin(key)
        else:
            await self._wait(key)
        try:
            yield
        finally:
            self._end(key)

    def _may(self, key: str) -> bool:
        return self._held[key] < GREED * self._free

    def _begin(self, key: str) -> None:
        self._free -= 1
        self._held[key] += 1

    async def _wait(self, key: str) -> None:
        called = trio.Event()
        self._waiting[called] = key
        try:
            await called.wait()
        except trio.Cancelled:
            if self._waiting.pop(called, None) is None:  # called in the same moment
                self._end(key)
            raise

    def _end(self, key: str) -> None:
        """Pass a turn on to the first of those clients that have the fewest, if it may have one more."""
        self._free += 1
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]
        if not self._waiting:
            return
        called = min(self._waiting, key=lambda event: self._held[self._waiting[event]])
        if self._may(self._waiting[called]):
            self._begin(self._waiting.pop(called))
            called.set()


def key_of(client: str) -> str:
    """What stands for a client: its IPv4 address, or the /64 of its IPv6 address."""
    address = ipaddress.ip_address(client.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
        address = address.ipv4_mapped
    return str(address)
