"""A world, described: who answers what; a few plain functions, nothing that runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from blockwatch import failure as f
from blockwatch.followup import KnownGood
from blockwatch.model import (
    Measurement,
)
from blockwatch.run import LineCheck, Vantage

HOST = "site.example.org"
SITE = "62.122.1.1"
SITE2 = "62.122.1.2"
OTHER = "139.59.7.7"  # somebody else's server
GOOD_HOSTS = ("calm.example.net", "quiet.example.com")
GOOD = ("151.101.1.9", "104.16.3.9")
EXAMPLE = "23.192.228.80"  # of a name that is kept for examples
GOOD_AT = dict(zip(GOOD_HOSTS, GOOD, strict=True))
UDP = ("udp://8.8.8.8:53", "udp://9.9.9.9:53")
DOH = "https://dns.example/dns-query"
SECOND = 1_000_000


@dataclass(frozen=True)
class Page:
    """A response: what a server, or somebody in its stead, says."""

    status: int = 200
    title: str | None = "The site's own front page"
    length: int = 8_000
    headers: tuple[tuple[str, str], ...] = (("Server", "nginx"), ("X-Site", "1"))
    location: str | None = None
    us: int = 80_000  # first to last byte
    stall: bool = False
    truncated: bool = False


@dataclass(frozen=True)
class Hello:
    """How a handshake ended."""

    failure: str | None = None
    trust: str | None = None
    detail: str | None = None
    chain: tuple[bytes, ...] = (b"chain",)
    plaintext: bytes = b""
    alert: int | None = None
    us: int = 60_000
    first_byte_us: int | None = 50_000


Answer = tuple[str, ...] | str  # addresses, or a failure
SILENCE = Hello(failure=f.TIMEOUT, chain=(), us=10 * SECOND, first_byte_us=None)
CUT = Hello(failure=f.RESET, chain=(), us=45_000, first_byte_us=None)


def resolves(*addresses: str) -> Callable[[str, str, int], Answer]:
    """Every resolver gives these addresses for the site."""
    return lambda resolver, name, n: addresses


@dataclass
class World:
    """A world: who answers what. ``n`` counts the questions asked so far."""

    url: str = f"https://{HOST}/"
    lookup: Callable[[str, str, int], Answer] = field(default_factory=lambda: resolves(SITE))
    late: Callable[[str, str], Answer | None] = lambda resolver, name: None  # a second reply over UDP
    dial: Callable[[str, int, int], str | None] = lambda address, port, n: None
    shake: Callable[[str, str | None, int], Hello | None] = lambda address, sni, n: None
    answer: Callable[[str, str, bool, int], Page | str | None] = lambda address, host, tls, n: None
    carry: Callable[[str | None, Page], Page] = lambda name, page: page  # by SNI, or Host in cleartext
    page: Callable[[str, str], Page] = lambda url, address: Page()  # what the true server says
    site: tuple[str, ...] = (SITE, SITE2)
    control: dict[str, Any] | None = field(default_factory=dict)  # fields that differ; None: no helper
    controls: Callable[[str], dict[str, Any]] = lambda url: {}
    nobody: Callable[[str], Answer] = lambda resolver: f.NXDOMAIN  # what names are given that nobody has
    ip_ttl: int = 124  # of replies to lookups, the first ones
    again: Callable[[str], dict[str, Any]] = lambda url: {}  # when the helper is asked once more
    role: str = "target"
    resolvers: tuple[str, ...] = ("system", *UDP, DOH)
    good: bool = True
    connect_us: int = 40_000  # how long a connection takes that is taken
    goods: int = 2  # control names that are known to work
    vantage: Vantage = field(default_factory=lambda: Vantage(asn=9198, ipv4=True, resolver_asn=9198))
    soa: Callable[[str, str], str | None] = lambda resolver, name: None if name == HOST else "example.net"
    checks: tuple[LineCheck, ...] = ()
    clock_offset_us: int | None = None
    expires: str | None = None
    others: tuple[Measurement, ...] = ()
    calm: bool = True  # a control target was measured too, and worked
    probe: str = "web"
    attempts: int = 2
    calm_at: tuple[str, ...] = GOOD  # what every resolver gives for the control names
    neutral_at: tuple[str, ...] = (EXAMPLE,)  # and, where it is the truth, for names kept for examples
    begin: Callable[[], None] = lambda: None  # called when a run begins, by worlds that remember
    tier: int = 1

    @property
    def known_good(self) -> tuple[KnownGood, ...]:
        if not self.good:
            return ()
        pairs = tuple(zip(GOOD_HOSTS, GOOD, strict=True))[: self.goods]
        return tuple(
            KnownGood(host=h, address=a, port=port, tls=port == 443) for port in (443, 80) for h, a in pairs
        )
