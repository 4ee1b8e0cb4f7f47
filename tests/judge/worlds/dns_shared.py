"""Worlds in which the line's resolver leads several owners' names to special or shared places."""

from __future__ import annotations

from typing import Any

from blockwatch import failure as f
from blockwatch.model import Measurement
from blockwatch.run import Vantage
from tests.judge.forged import plain
from tests.judge.stage import changed, measured
from tests.judge.world import CUT, HOST, OTHER, SECOND, SITE, Hello, Page, World
from tests.judge.worlds.say import HTTP, ends, isp, on_address, row

# A proxy of this machine or house gives each name a special-purpose address of its own.

MINE, THEIRS = "198.18.0.5", "198.18.0.9"


def made_up(resolver: str, name: str, n: int) -> tuple[str, ...]:
    """Lookups over UDP are answered for by the proxy."""
    return (SITE,) if resolver.startswith(("https:", "tcp:")) or name != HOST else (MINE,)


def works_at(address: str) -> tuple[Measurement, ...]:
    """Another owner's site, whose page comes from such an address over a valid chain."""
    url = f"https://{HOST}/".replace("site.example.org", "www.site.example.org")
    world = World(url=url, lookup=lambda r, name, n: (address,), site=(address,), control=None)
    one = measured(world, 3, "first", 2 * SECOND, ())
    steps = tuple(_of_other(step) for step in one.observations)
    return (changed(one, target="other", url="https://www.other.example/", observations=steps),)


def _of_other(step: Any) -> Any:
    """The same step of another owner's name."""
    named = {"name": "www.other.example", "server_name": "www.other.example"}
    return changed(step, **{key: value for key, value in named.items() if hasattr(step, key)})


BROKEN: dict[str, dict[str, Any]] = {
    "is cut off": {"shake": lambda a, sni, n: CUT if a == MINE else None},
    "cannot be reached": {"dial": on_address(f.TIMEOUT, MINE)},
}
for how, broken in BROKEN.items():
    row(
        f"a proxy gives every name an address of its own; the site {how} through it",
        "inconclusive",
        rule="dns.bogon",
        lookup=made_up,
        others=works_at(THEIRS),
        **broken,
    )
    row(
        f"the same, seen by the control names alone; the site {how}",
        "inconclusive",
        rule="dns.bogon",
        lookup=made_up,
        calm_at=(THEIRS,),
        neutral_at=("198.18.0.10",),
        **broken,
    )
    row(
        f"the path answers for everybody with what no site can have; the site {how}",
        "blocked",
        "dns.injection",
        grades="strong confirmed",
        lookup=made_up,
        **broken,
    )
    row(
        f"the same address for the control names, too: no proxy's; the site {how}",
        "blocked",
        "dns.",
        lookup=made_up,
        calm_at=(MINE,),
        **broken,
    )
row(
    "another site of the line's own network has a private address, the blocked one 127.0.0.1",
    "blocked",
    "dns.bogon",
    lookup=isp(("127.0.0.1",)),
    others=works_at("10.0.0.5"),
)


# A hoster has moved, or its server for this place is dead: all its customers' names still lead there.


def led_to(address: str, *hosts: str, dead: bool = True) -> tuple[Measurement, ...]:
    """These owners' names are led to one place, where nobody answers, or with a page for each."""
    made = []
    for seq, host in enumerate(hosts, 3):
        world = World(
            url=f"http://{host}/",
            lookup=lambda r, name, n: (address,) if r in ("system", "line") else (SITE,),
            dial=on_address(f.TIMEOUT, address) if dead else lambda a, port, n: None,
            answer=lambda a, h, t, n, size=6_000 + 500 * seq: Page(title=f"Shop of {h}", length=size),
            control=None,
        )
        made.append(changed(measured(world, seq, "first", SECOND * seq, ()), target=host, url=world.url))
    return tuple(made)


def dead_place(url: str) -> dict[str, Any]:
    """The helper meets nobody there either."""
    return {
        "endpoints": tuple(end for port in (443, 80) for end in ends(f.TIMEOUT, address=OTHER, port=port))
        + ends()
        + ends(port=80)
    }


for url in ("https://site.example.org/", HTTP):
    for owners in (("first.example", "second.test"), ("first.example", "second.test", "third.invalid")):
        row(
            f"a dead address that {len(owners) + 1} owners share, {url[:5]}",
            "ok inconclusive blocked",
            "dns.redirect",
            grades="signs",
            url=url,
            lookup=isp((OTHER,)),
            dial=on_address(f.TIMEOUT, OTHER),
            controls=dead_place,
            others=led_to(OTHER, *owners),
        )

STRANGERS = Hello(trust=f.INVALID_HOSTNAME)
OLD_PAGE = Page(title="Old front page of the site", length=9_000)
DEFAULT = Page(title="Default web page", length=600)
for title, mine, states in (
    ("with a page of each", OLD_PAGE, "ok inconclusive"),
    ("with one page for all", DEFAULT, "blocked"),
):
    row(
        f"a hoster's old server {title}, cleartext",
        states,
        "dns.redirect",
        url=HTTP,
        lookup=isp((OTHER,)),
        answer=lambda a, h, t, n, mine=mine: (mine if h == HOST else DEFAULT) if a == OTHER else None,
        shake=lambda a, sni, n: STRANGERS if a == OTHER else None,
        others=led_to(OTHER, "first.example", "second.test", dead=False),
    )


# No witness is left: the encrypted resolver and the helper are blocked, too.


def led(count: int, address: str) -> tuple[Measurement, ...]:
    """Sites of so many other owners, for which every resolver that answers gives this address."""
    made = []
    for number in range(count):
        host = f"news.outlet{number}.example"
        url = f"https://{host}/"
        there = World(url=url, lookup=udp_only(address, host), site=(), control=None)
        one = measured(there, 10 + number, "first", number * SECOND, ())
        made.append(changed(one, target=f"outlet{number}", url=url))
    return tuple(made)


def udp_only(address: str, host: str | None = None) -> Any:
    """An address for a name (or all), by whoever is asked over UDP; nobody else answers."""

    def said(resolver: str, name: str, n: int) -> Any:
        if resolver.startswith(("https:", "tcp:")):
            return f.TIMEOUT
        return (address,) if host in (None, name) else (SITE,)

    return said


for nowhere, many, states in (
    ("127.0.0.1", 5, "blocked"),
    ("10.10.34.36", 2, "blocked"),
    ("127.0.0.1", 1, "inconclusive down"),
):
    row(
        f"{nowhere} for the name and those of {many} other owners, no helper and no encrypted resolver",
        states,
        "dns.bogon",
        "dns.many" if states == "blocked" else "",
        lookup=udp_only(nowhere, HOST),
        dial=on_address(f.TIMEOUT, nowhere),
        control=None,
        others=led(many, nowhere),
        grades="signs",
    )
row(
    "127.0.0.1 for every name, control names too, no helper and no encrypted resolver",
    "inconclusive down",
    lookup=udp_only("127.0.0.1"),
    calm_at=("127.0.0.1",),
    control=None,
    others=led(3, "127.0.0.1"),
    calm=False,
)


# One server for many names: a censor's, or a service's of which several sites of the list are customers.

PANEL = Hello(trust=f.UNKNOWN_AUTHORITY, chain=plain("panel.hoster.kz", "Panel"))
LANDER, OLDER = Page(title=None, length=1_114), Page(title=None, length=720)
ELSEWHERE = ("46.4.7.1", "51.68.7.1", "161.97.70.1")  # of three other networks than the site's
BESIDE = ("62.122.1.9", "62.122.1.10", "62.122.1.11")


def customers(homes: tuple[str, ...], **world: Any) -> tuple[Measurement, ...]:
    """Three other owners' names, which live there, and are led to `OTHER`."""
    made = []
    for seq, home in enumerate(homes, 3):
        host = f"customer{seq}.shop{seq}.com"
        one = World(
            url=f"http://{host}/",
            site=(home,),
            lookup=lambda r, name, n, home=home: (OTHER,) if r in ("system", "line") else (home,),
            control={"addresses": (home,), "endpoints": ends(address=home) + ends(port=80, address=home)},
            **world,
        )
        made.append(changed(measured(one, seq, "first", SECOND * seq, ()), target=host, url=one.url))
    return tuple(made)


def at_panel(address: str, sni: str | None, n: int) -> Hello | None:
    """The default certificate of a hoster's panel, or of a censor's server."""
    return PANEL if address == OTHER else None


for homes, who, grades in (
    (ELSEWHERE, "sites of other networks are led there, too", "confirmed"),
    (BESIDE, "sites of the same network have left it as well", "signs"),
    ((), "no other site is known there", "signs"),
):
    row(
        f"a server with a certificate of its own, {who}",
        "blocked",
        "dns.redirect",
        rule="dns.certificate",
        grades=grades,
        lookup=isp((OTHER,)),
        shake=at_panel,
        others=customers(homes, shake=at_panel),
    )
    row(
        f"the same in cleartext: parked sites show one page, {who}",
        "blocked inconclusive",
        "dns.",
        grades=grades,
        url=HTTP,
        lookup=isp((OTHER,)),
        dial=lambda a, port, n: f.REFUSED if port == 443 else None,
        answer=lambda a, h, t, n: LANDER if a == OTHER else OLDER,
        control={"endpoints": ends(port=80), "title": None, "body_length": 720},
        others=customers(homes, answer=lambda a, h, t, n: LANDER if a == OTHER else OLDER),
    )
for place, whose, grades in (
    (OTHER, "a registrar's address", "signs"),
    ("62.122.200.1", "an address of the line's own network", "confirmed"),
):
    row(
        f"a page that speaks of blocking at {whose}",
        "blocked",
        "dns.redirect",
        rule="dns.page",
        grades=grades,
        url=HTTP,
        vantage=Vantage(asn=49125, country="UA", ipv4=True, resolver_asn=49125),
        lookup=isp((place,)),
        dial=lambda a, port, n: f.REFUSED if port == 443 else None,
        answer=lambda a, h, t, n, p=place: Page(title="Сайт заблокирован", length=3_000) if a == p else None,
        control={"endpoints": ends(port=80)},
    )
