"""Worlds in which resolvers disagree and nobody lies: answers by place, old caches, odd zones and routers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blockwatch import failure as f
from tests.judge import forged
from tests.judge.world import CUT, HOST, OTHER, SITE, UDP, Hello, Page
from tests.judge.worlds.say import (
    BLOCK,
    HTTP,
    broken_for_control,
    by_place,
    everywhere,
    isp,
    row,
)

INSIDE = "10.1.1.1"
ANOTHERS = Hello(trust=f.INVALID_HOSTNAME, detail="X509 62", chain=forged.plain("other.example"))
INCOMPLETE = Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain(HOST))


def at_edge(hello: Hello) -> Callable[[str, str | None, int], Hello | None]:
    """The server of this region shows this chain."""
    return lambda address, sni, n: hello if address == OTHER else None


def gone(*resolvers: str) -> Callable[[str, str, int], Any]:
    """The name is gone; these resolvers remember it."""
    return lambda r, name, n: (SITE,) if r in resolvers or name != HOST else f.NXDOMAIN


# a site that answers by place: the resolver here and public ones are told of another server than the helper
for title, hello in (("another name's", ANOTHERS), ("an incomplete", INCOMPLETE)):
    row(
        f"a server for this region with {title} certificate",
        "ok inconclusive blocked",
        "dns.redirect",
        lookup=by_place((OTHER,)),
        shake=at_edge(hello),
        grades="signs",
    )
row(
    "a server for this region, no encrypted resolver",
    "ok inconclusive blocked",
    "dns.redirect",
    lookup=lambda r, name, n: (OTHER,) if name == HOST else (SITE,),
    resolvers=("system", *UDP),
    shake=at_edge(ANOTHERS),
    grades="signs",
)
row(
    "a server for this region, no helper",
    "ok inconclusive blocked",
    "dns.redirect",
    lookup=by_place((OTHER,)),
    control=None,
    shake=at_edge(ANOTHERS),
    grades="signs",
)
row(
    "a server for this region with a page of its own, http",
    "ok inconclusive blocked",
    "dns.redirect",
    url=HTTP,
    lookup=by_place((OTHER,)),
    answer=lambda a, h, t, n: Page(title="Regional news", length=9_000) if a == OTHER else None,
    grades="signs",
)
BY_NODE = Page(status=302, title=None, length=0, location="/kk/")
ELSEWHERE = Page(status=301, title=None, length=0, location="http://www.example.kz/news")
LARGE = Page(title="Kazakh edition", length=64_000)
NOT_MINE = Page(status=404, title="Not Found", length=150)


def node(mine: Page, others: Page, tls: Hello | None = ANOTHERS) -> dict[str, Any]:
    """A node for this place: what it gives the site's name at its root, and other names; and its chain."""
    return {
        "url": HTTP,
        "lookup": isp((OTHER,)),
        "site": (SITE, OTHER),
        "shake": lambda a, sni, n: tls if a == OTHER else None,
        "page": lambda url, a: mine if a == OTHER and url == HTTP else Page(),
        "answer": lambda a, h, t, n: others if a == OTHER and h != HOST else None,
        "controls": lambda url: {"endpoints": ()},
    }


for title, mine in (("a path of its own", BY_NODE), ("the owner's other domain", ELSEWHERE)):
    row(f"a node for this place redirects to {title}", "ok inconclusive", **node(mine, NOT_MINE))
    row(f"the same, to {title}, no TLS there", "ok inconclusive", **node(mine, NOT_MINE, CUT))
    row(f"the same, to {title}, no other name to ask", "ok inconclusive", good=False, **node(mine, NOT_MINE))
row(
    "an old server of the site's that redirects every name to where the site is now",
    "ok inconclusive",
    **node(ELSEWHERE, ELSEWHERE),
)
row(
    "an address that redirects every name to a path",
    "blocked",
    "dns.redirect",
    grades="signs",
    **node(BY_NODE, BY_NODE),
)
row(
    "an address that redirects the site's name to a page about blocking",
    "blocked",
    "dns.redirect",
    **node(Page(status=302, location="/blocked.html"), NOT_MINE),
)
row(
    "a node for this place with a large page, no other name to ask",
    "ok inconclusive",
    good=False,
    **node(LARGE, NOT_MINE),
)
row("a stranger's large page for every name", "blocked", "dns.redirect", grades="signs", **node(LARGE, LARGE))
row(
    "answers over UDP replaced, the true one never arrives, http",
    "blocked",
    "dns.injection",
    url=HTTP,
    lookup=everywhere((OTHER,)),
    site=(SITE,),
    dial=lambda a, port, n: f.REFUSED if port == 443 and a == OTHER else None,
    answer=lambda a, h, t, n: BLOCK if a == OTHER else None,
)

# a name that is gone, and somebody who remembers it
row(
    "name gone here, encrypted resolver included; a helper remembers it",
    "inconclusive",
    "",
    "dns.fails",
    lookup=gone(),
)
row(
    "name gone for the line and the encrypted resolver, not for the public ones",
    "inconclusive",
    "",
    "dns.fails",
    lookup=gone(*UDP),
)
row(
    "name gone for all who were asked here; a helper remembers it",
    "blocked inconclusive",
    "dns.nxdomain",
    lookup=gone(),
    resolvers=("system", *UDP),
    grades="signs",
)
row(
    "NXDOMAIN over UDP, the helper and an encrypted resolver find the name",
    "blocked",
    "dns.injection",
    "dns.fails",
    lookup=everywhere(f.NXDOMAIN),
    grades="strong",
)

# names at private addresses, for everybody
row(
    "a private address for everybody, and a site of this network there",
    "ok inconclusive",
    url=HTTP,
    lookup=lambda r, name, n: (INSIDE,) if name == HOST else (SITE,),
    site=(INSIDE,),
    control=broken_for_control(addresses=(INSIDE,), endpoints=()),
)
row(
    "a private address for everybody, and a valid chain there",
    "ok",
    rule="page.tls",
    lookup=lambda r, name, n: (INSIDE,) if name == HOST else (SITE,),
    site=(INSIDE,),
    control=broken_for_control(addresses=(INSIDE,), endpoints=()),
)
row(
    "a private address for everybody, and somebody's router there",
    "inconclusive down",
    url=HTTP,
    lookup=lambda r, name, n: (INSIDE,) if name == HOST else (SITE,),
    site=(),
    answer=lambda a, h, t, n: Page(title="Router", length=3_000) if a == INSIDE else None,
    dial=lambda a, port, n: f.REFUSED if a == INSIDE and port == 443 else None,
    control=broken_for_control(addresses=(INSIDE,), endpoints=()),
)
row(
    "a private address for everybody, and nobody there",
    "down",
    rule="dns.zone",
    url=HTTP,
    lookup=lambda r, name, n: (INSIDE,) if name == HOST else (SITE,),
    site=(),
    dial=lambda a, port, n: f.TIMEOUT if a == INSIDE else None,
    control=broken_for_control(addresses=(INSIDE,), endpoints=()),
)
