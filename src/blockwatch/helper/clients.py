"""How much one client may ask: a token bucket each, in a table that cannot grow.

Rules of this file: an IPv6 client is its /64; the table is in memory only and the longest silent go
first; a client who was pushed out begins with a full bucket.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

TABLE = 10_000  # clients remembered


class RateLimit:
    """``rate`` requests a second and client on average, ``burst`` at once; rate 0: no limit."""

    def __init__(self, rate: float, burst: float, now: Callable[[], float]) -> None:
        self._rate, self._burst, self._now = rate, burst, now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # (tokens, when)

    def allows(self, client: str) -> bool:
        """Take one token of the client's, if there is one."""
        if not self._rate:
            return True
        key, now = _key(client), self._now()
        tokens, when = self._buckets.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - when) * self._rate)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > TABLE:
            self._buckets.popitem(last=False)
        return allowed

    def __len__(self) -> int:
        return len(self._buckets)


def _key(client: str) -> str:
    address = ipaddress.ip_address(client.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
        address = address.ipv4_mapped
    return str(address)
