"""Worlds of networks with addresses of their own: translated ones, and private ones inside the provider's."""

from __future__ import annotations

from typing import Any

from blockwatch import failure as f
from tests.judge.world import CUT, HOST, SITE, UDP, Hello, Page
from tests.judge.worlds.dns_shared import works_at
from tests.judge.worlds.say import HTTP, everywhere, isp, late_truth, on_address, row

INSIDE = "10.1.2.3"


def translated(prefix: str, address: str = SITE) -> str:
    """An IPv6 address that ends in an IPv4 one."""
    high, low = (int.from_bytes(bytes(map(int, address.split(".")))[k : k + 2], "big") for k in (0, 2))
    return f"{prefix}{high:x}:{low:x}"


# A line of IPv6 alone, whose resolver translates addresses; the site fails through the translator.
for prefix in ("64:ff9b::", "64:ff9b:1::", "64:ff9b:1:7::", "2a02:6b8:64::"):
    row(
        f"a translated address below {prefix}, not routed",
        "ok inconclusive",
        lookup=isp((translated(prefix),)),
        dial=on_address(f.NETWORK_UNREACHABLE, translated(prefix)),
    )
row(
    "a translated address, given by public resolvers as well",
    "ok inconclusive",
    lookup=lambda r, name, n: (translated("64:ff9b:1::"),) if r in ("system", *UDP) else (SITE,),
    dial=on_address(f.NETWORK_UNREACHABLE, translated("64:ff9b:1::")),
)
row(
    "a translated address that stands for 127.0.0.1",
    "blocked",
    "dns.bogon",
    grades="confirmed",
    lookup=isp((translated("64:ff9b:1::", "127.0.0.1"),)),
)

# The provider has a portal or a cache of its own for the name, inside.
HERE: dict[str, dict[str, Any]] = {
    "nobody at it": {"dial": on_address(f.TIMEOUT, INSIDE)},
    "a server that resets": {"shake": lambda a, sni, n: CUT if a == INSIDE else None},
    "a page of its own": {
        "url": HTTP,
        "answer": lambda a, h, tls, n: Page(title="Intranet", length=4000) if a == INSIDE else None,
        "shake": lambda a, sni, n: Hello(trust=f.INVALID_HOSTNAME) if a == INSIDE else None,
    },
}
for what, more in HERE.items():
    row(
        f"a private address of the provider's, {what}",
        "blocked inconclusive",
        "dns.redirect",
        grades="signs",
        lookup=isp((INSIDE,)),
        **more,
    )
DENIED = Page(title="Доступ к сайту ограничен по решению суда", length=600)
row(
    "a private address, whose page speaks of blocking",
    "blocked",
    "dns.redirect",
    grades="strong confirmed",
    url=HTTP,
    lookup=isp((INSIDE,)),
    answer=lambda a, h, tls, n: DENIED if a == INSIDE else None,
)
row(
    "a private address on record as a state's",
    "blocked",
    "dns.redirect",
    grades="confirmed",
    lookup=isp(("10.10.34.36",)),
    dial=on_address(f.TIMEOUT, "10.10.34.36"),
)
row(
    "a private address, made up on the path for public resolvers too",
    "blocked",
    "dns.injection",
    grades="strong confirmed",
    lookup=lambda r, name, n: (INSIDE,) if name == HOST and r in ("system", "line", *UDP) else (SITE,),
    dial=on_address(f.TIMEOUT, INSIDE),
)

# One site of the house's own network that works there is no proxy for every name.
row(
    "an address that censors give, and another site that works at a private one",
    "blocked",
    "dns.injection",
    "dns.bogon",
    lookup=everywhere(("10.10.34.36",)),
    late=late_truth,
    others=works_at("10.10.3.4"),
    grades="confirmed",
)
