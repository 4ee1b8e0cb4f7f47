"""Names and addresses for the sites of a world: neutral names, addresses of real-looking networks.

Rules of this file:

* nothing in a name tells the truth about its site;
* an address is given once, and never one that a fixed part or a row has claimed;
* the same seed gives the same names and addresses.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterable

from blockwatch.lab import world as fixed
from blockwatch.lab.world import Site

_FIRST = (
    "amber ashen autumn birch bold brisk calm cedar clear cobalt coral crisp dapper dawn deep ember "
    "fair fern flint fresh gentle golden granite green harbor hazel high humble indigo iron ivory "
    "jade kind lake light linen little lively lunar maple marble mellow merry misty north oak ocean "
    "olive open pale pearl pine plain quiet rapid red river robin round sandy silver slate small "
    "smooth snow solid south spring steady stone summer sunny swift tall teal tidy true upper velvet "
    "violet warm west wide wild winter wood young"
)
_SECOND = (
    "anchor apron arrow badge barn basin beacon bench bird boat book bridge brook cabin candle canvas "
    "castle chart circle cloud coast corner cottage crane creek desk door feather field fire flower "
    "forest fox garden gate glass grove guide hall harvest hill house island journal key kite lamp "
    "lane leaf letter library lighthouse market meadow mill mirror moon mountain notebook orchard owl "
    "page paper path pier pilot plaza pond porch postcard rain ridge road roof school shelf shore "
    "signal sky square stable station stove stream studio table tea tower trail tree valley village "
    "wagon wall water wheel window workshop yard"
)
_ENDINGS = ("com", "org", "net", "info", "kz", "kg", "uz", "tj", "ru", "io", "media", "news", "eu")

# Networks of well-known operators, so that a table of AS numbers tells them apart.
_POOLS: dict[str, tuple[str, ...]] = {
    "hosting": (
        "46.4.0.0/16",
        "51.68.0.0/16",
        "139.59.0.0/16",
        "51.15.0.0/16",
        "161.97.64.0/18",
        "45.76.0.0/16",
        "212.227.0.0/16",
        "194.58.112.0/22",
        "5.101.152.0/22",
        "185.104.44.0/22",
    ),
    "cloudflare": ("104.16.0.0/13", "172.64.0.0/14"),
    "aws": ("52.28.0.0/15", "18.184.0.0/15", "54.93.0.0/16"),
}
_POOLS_V6: dict[str, str] = {
    "hosting": "2a01:4f8::/32",
    "cloudflare": "2606:4700::/32",
    "aws": "2a05:d014::/36",
}


def fixed_addresses() -> set[str]:
    """The addresses of the lab's own parts."""
    return {
        fixed.PROBE_V4,
        fixed.SWEDEN,
        fixed.PROBE_V6,
        fixed.ISP_RESOLVER,
        *fixed.PUBLIC_RESOLVERS,
        fixed.HELPER,
        fixed.EXAMPLE,
        fixed.PORTAL,
        *fixed.BLOCK_PAGES,
    }


class Allotment:
    """Hands out names and addresses; ``taken`` are addresses that may not be given."""

    def __init__(self, seed: int, taken: Iterable[str] = ()) -> None:
        self.random = random.Random(seed)  # noqa: S311  (not for secrets)
        self._addresses = fixed_addresses() | set(taken)
        self._names: set[str] = {fixed.HELPER_HOST}

    def name(self) -> str:
        """A host name that was not given before."""
        while True:
            parts = (self.random.choice(_FIRST.split()), self.random.choice(_SECOND.split()))
            name = f"{'-'.join(parts) if self.random.random() < 0.3 else ''.join(parts)}"
            name += "." + self.random.choice(_ENDINGS)
            if name not in self._names:
                self._names.add(name)
                return name

    def addresses(self, site: Site) -> tuple[str, ...]:
        """``site.n`` IPv4 addresses of one network, then ``site.v6`` IPv6 ones, of the site's pool."""
        v4 = ipaddress.ip_network(self.random.choice(_POOLS[site.pool]))
        v6 = ipaddress.ip_network(_POOLS_V6[site.pool])
        given = [self._one(v4) for _ in range(site.n)]
        return (*given, *(self._one(v6) for _ in range(site.v6)))

    def _one(self, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
        while True:
            last = self.random.randrange(1, network.num_addresses - 1)
            address = str(network[last])
            if last % 256 not in (0, 255) and address not in self._addresses:
                self._addresses.add(address)
                return address
