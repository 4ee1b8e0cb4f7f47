"""Worlds in which the volunteer's line, or what another site left behind, is the cause."""

from __future__ import annotations

from typing import Any

from blockwatch import failure as f
from blockwatch.model import Measurement
from blockwatch.run import LineCheck, Vantage
from tests.judge.stage import changed, measured
from tests.judge.world import OTHER, SECOND, SILENCE, SITE, SITE2, Page, World, resolves
from tests.judge.worlds.say import HTTP, SELF, by_sni, on_address, row

# Residual blocking: what one name leaves behind at an address.


def cleartext_banned() -> tuple[Measurement, ...]:
    """The same over http."""
    world = World(url="http://banned.example/", answer=lambda a, h, t, n: f.TIMEOUT)
    return (changed(measured(world, 4, "first", 2 * SECOND, ()), target="banned", url=world.url),)


def banned(**world: Any) -> tuple[Measurement, ...]:
    """Another owner's name at the same address, measured just before, that broke there."""
    made = measured(World(url="https://banned.example/", **world), 3, "first", 2 * SECOND, ())
    return (changed(made, target="banned", url="https://banned.example/"),)


def elsewhere_to(address: str) -> tuple[Measurement, ...]:
    """Two other owners' names, which the line's resolver leads to this address too."""
    made = []
    for seq, host in ((3, "first.example.org"), (4, "second.example.net")):
        world = World(url=f"http://{host}/", lookup=lambda resolver, name, n: (address,))
        one = measured(world, seq, "first", seq * SECOND, ())
        made.append(changed(one, target=host, url=world.url))
    return tuple(made)


row(
    "neighbour of a name that leaves a residue",
    "inconclusive",
    rule="tls.blocked",
    shake=lambda a, sni, n: SILENCE if a == SITE else None,
    others=banned(shake=lambda a, sni, n: SILENCE),
)
row(
    "neighbour, cannot even connect",
    "inconclusive",
    rule="tcp.blocked",
    dial=on_address(f.TIMEOUT, SITE),
    others=banned(shake=lambda a, sni, n: SILENCE),
)
row(
    "neighbour in cleartext",
    "inconclusive",
    rule="http.blocked",
    url=HTTP,
    answer=lambda a, h, t, n: f.TIMEOUT if a == SITE else None,
    others=cleartext_banned(),
)
row(
    "a name that leaves a residue, SYNs dropped too",
    "blocked",
    "tls.timeout.sni",
    shake=by_sni(SILENCE),
    dial=lambda a, port, n: f.TIMEOUT if a == SITE and n > 9 else None,
    control=None,
)

# The line.
row(
    "offline (K)",
    "inconclusive",
    calm=False,
    good=False,
    lookup=lambda r, name, n: f.TIMEOUT,
    control={"failure": f.TIMEOUT, "status": None},
)
row(
    "offline by check",
    "inconclusive",
    rule="line.offline",
    calm=False,
    good=False,
    dial=lambda a, p, n: f.TIMEOUT,
    control={"failure": f.TIMEOUT, "status": None},
    checks=(LineCheck(kind="connectivity", when="before", t=0, ok=False, detail="nothing answered"),),
)
row(
    "portal",
    "inconclusive",
    rule="line.portal",
    shake=lambda a, sni, n: SILENCE,
    calm=False,
    good=False,
    url=HTTP,
    answer=lambda a, h, t, n: Page(status=302, location="http://10.77.0.3/login"),
    control={"failure": f.TIMEOUT, "status": None},
    checks=(LineCheck(kind="portal", when="before", t=0, ok=False, detail="a login page answered"),),
)
row("target expired", "inconclusive", rule="void.expired", expires="2026-01-01")
row(
    "IPv6 address without IPv6",
    "ok",
    lookup=resolves(SITE, "2a00:1450::5"),
    dial=on_address(f.NETWORK_UNREACHABLE, "2a00:1450::5"),
    vantage=Vantage(asn=9198, ipv4=True),
)
row(
    "http-only site with rotating addresses",
    "ok",
    rule="dns.differs",
    url=HTTP,
    lookup=lambda r, name, n: (SITE2,) if r == "system" else (SITE,),
    controls=lambda url: {"endpoints": ()},
)
row(
    "unpaid line: every cleartext name gets the provider's page",
    "inconclusive",
    rule="line.cleartext",
    url=HTTP,
    answer=lambda a, h, t, n: None if t else Page(title="Доступ ограничен", length=424),
)
row(
    "unpaid line: the resolver leads every name to the cashier",
    "inconclusive",
    rule="line.names",
    url=HTTP,
    lookup=lambda resolver, name, n: (OTHER,) if resolver in ("system", "line") else (SITE,),
    answer=lambda a, h, t, n: Page(title="Оплата", length=168) if a == OTHER and not t else None,
    others=elsewhere_to(OTHER),
    calm=False,
    good=False,
)


def elsewhere_well() -> tuple[Measurement, ...]:
    """Five other owners' names, which were answered truly and worked."""
    made = []
    for seq in range(3, 8):
        host, address = f"other{seq}.test{seq}.com", f"62.122.50.{seq}"
        world = World(url=f"https://{host}/", site=(address,), lookup=resolves(address))
        made.append(changed(measured(world, seq, "first", seq * SECOND, ()), target=host, url=world.url))
    return tuple(made)


for helped in (True, False):
    row(
        f"the session of a cafe ends in mid-run: every name is led to it, {'' if helped else 'no '}helper",
        "inconclusive",
        rule="line.names" if helped else "",
        lookup=lambda resolver, name, n: (OTHER,) if resolver in ("system", "line") else (SITE,),
        shake=lambda a, sni, n: SELF if a == OTHER else None,
        others=elsewhere_well(),
        calm_at=(OTHER,),
        neutral_at=(OTHER,),
        control={} if helped else None,
    )
