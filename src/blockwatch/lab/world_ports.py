"""Who lives where: the sites of a world with the lab's fixed parts, and the ports each address serves.

A port that nobody serves must refuse the SYN, which a server cannot do once it has accepted. So
servers listen on each ``address:port`` of this table and on nothing else, and the kernel refuses the
rest by itself (4,000 listening sockets cost about 0.3 s and a few MB).
"""

from __future__ import annotations

from collections import defaultdict

from blockwatch.lab.world import (
    BLOCK_PAGES,
    EXAMPLE,
    EXAMPLE_HOST,
    HELPER,
    HELPER_HOST,
    ISP_RESOLVER,
    PUBLIC_RESOLVERS,
    REGISTRY_HOST,
    Serve,
    Site,
    World,
)

# Names of the public resolvers' encrypted services, by address.
RESOLVER_HOSTS = {
    "8.8.8.8": ("dns.google",),
    "9.9.9.10": ("dns10.quad9.net",),
    "1.1.1.1": ("cloudflare-dns.com", "one.one.one.one"),
}
DNS_PORT, DOT_PORT = 53, 853
INTERCEPT_PORT, PORTAL_PORT = 10443, 8880


def fixed_sites() -> tuple[Site, ...]:
    """The lab's own web servers: block pages, and the encrypted service of each public resolver."""
    block = Serve(kind="blockpage", args={"lang": "ru"})
    pages = [
        Site(key=f"blockpage/{address}", host=address, http=block, https=None, addresses=(address,))
        for address in BLOCK_PAGES
    ]
    registry = Site(key="registry", host=REGISTRY_HOST, http=block, https=block, addresses=(BLOCK_PAGES[0],))
    resolvers = [
        Site(
            key=f"resolver/{address}",
            host=RESOLVER_HOSTS[address][0],
            aliases=(*RESOLVER_HOSTS[address][1:], address),
            http=None,
            https=Serve(kind="doh"),
            addresses=(address,),
        )
        for address in PUBLIC_RESOLVERS
    ]
    helper = Site(key="helper", host=HELPER_HOST, http=None, https=None, addresses=(HELPER,))
    example = Site(key="example", host=EXAMPLE_HOST, http=None, https=None, addresses=(EXAMPLE,))
    return (*pages, registry, *resolvers, helper, example)


def site_ports(site: Site) -> dict[int, str]:
    """Open web ports of one site and what is spoken there: ``http``, ``https`` or ``raw``."""
    ports = {port: scheme for port, (scheme, _) in site.ports.items()}
    if site.http is not None:
        ports[80] = "http"
    if site.https is not None:
        ports[443] = "https"
    if site.raw443 is not None:
        ports[443] = "raw"
    return ports


def web_ports(world: World) -> dict[tuple[str, int], str]:
    """Every open web ``(address, port)`` of a world but the helper's, and what is spoken there."""
    dead = set(world.dead)
    return {
        (address, port): scheme
        for site in (*fixed_sites(), *world.sites)
        for port, scheme in site_ports(site).items()
        for address in site.addresses
        if address not in dead
    }


def served(world: World) -> dict[str, set[int]]:
    """Open TCP ports by address, the helper's and the resolvers' included; all others refuse."""
    table: dict[str, set[int]] = defaultdict(set)
    for address, port in web_ports(world):
        table[address].add(port)
    for address in (ISP_RESOLVER, world.resolver, *PUBLIC_RESOLVERS):
        table[address].add(DNS_PORT)
    for address in PUBLIC_RESOLVERS:
        table[address].add(DOT_PORT)
    table[HELPER] |= {80, 443}
    return dict(table)
