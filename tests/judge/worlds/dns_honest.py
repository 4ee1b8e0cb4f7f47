"""Worlds in which resolvers disagree and nobody lies: answers by place, old caches, odd zones and routers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blockwatch import failure as f
from blockwatch.model import Measurement
from blockwatch.run import Vantage
from tests.judge import forged
from tests.judge.stage import changed, measured
from tests.judge.world import CUT, DOH, HOST, OTHER, SECOND, SITE, UDP, Hello, Page, World
from tests.judge.worlds.say import (
    BLOCK,
    HTTP,
    broken_for_control,
    everywhere,
    isp,
    late_truth,
    on_address,
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


def relayed(failure: str) -> Callable[[str, str, int], Any]:
    """A router hijacks lookups and relays what two resolvers say: for every name first a failure."""
    return lambda r, name, n: (SITE,) if r == DOH or (r == "system" and n > 3) else failure


def relayed_late(resolver: str, name: str) -> Any:
    """Then the answer."""
    return (SITE,)


# a site that answers by place: the resolver here and public ones are told of another server than the helper
for title, hello in (("another name's", ANOTHERS), ("an incomplete", INCOMPLETE)):
    row(
        f"a server for this region with {title} certificate",
        "ok inconclusive blocked",
        "dns.redirect",
        lookup=everywhere((OTHER,)),
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
    lookup=everywhere((OTHER,)),
    control=None,
    shake=at_edge(ANOTHERS),
    grades="signs",
)
row(
    "a server for this region with a page of its own, http",
    "ok inconclusive blocked",
    "dns.redirect",
    url=HTTP,
    lookup=everywhere((OTHER,)),
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
    "dns.redirect",
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
    lookup=gone(DOH),
    grades="strong",
)


# a resolver that answers for hardly any name; an answer made up on the path is not its
def hardly(said: str) -> Callable[[str, str, int], Any]:
    """The line's resolver fails on every name; the others do not."""
    return lambda r, name, n: said if r in ("system", "line") else (SITE,)


def lost(said: str) -> tuple[Measurement, ...]:
    """Other names of the run, which it does not find either, and one for which the path lies."""
    made = []
    for number in range(4):
        host = f"other{number}.example"
        answer: Any = ("10.10.34.36",) if number == 3 else said
        world = World(url=f"https://{host}/", lookup=lambda r, name, n, answer=answer: answer, control=None)
        one = measured(world, 10 + number, "first", number * SECOND, ())
        made.append(changed(one, target=host, url=world.url))
    return tuple(made)


for said in (f.SERVFAIL, f.NXDOMAIN, f.NO_ANSWER, f.DNS_REFUSED, f.TIMEOUT):
    row(
        f"the line's resolver says {said} to every name, and the path lies about one",
        "ok inconclusive",
        lookup=hardly(said),
        calm=False,
        others=lost(said),
    )

# a resolver that remembers that there was no such name, and one of the volunteer's own
HOME = Vantage(asn=9198, ipv4=True)
CHOSEN = Vantage(asn=9198, ipv4=True, resolver_asn=36692)
for said in (f.NXDOMAIN, f.NO_ANSWER):
    denied = "dns.nxdomain" if said == f.NXDOMAIN else "dns.empty"
    for title, zone in (("its zone's", "example.org"), ("the parent's", "org")):
        row(
            f"the ISP's resolver denies a new name ({said}) and sends {title} own record",
            "blocked inconclusive",
            denied,
            lookup=isp(said),
            soa=lambda r, name, zone=zone: zone if name == HOST else "example.net",
            grades="signs",
        )
    row(
        f"a resolver that never says where a denial comes from ({said})",
        "blocked inconclusive",
        denied,
        lookup=isp(said),
        soa=lambda r, name: None,
        grades="signs",
    )
    row(
        f"a denial by the record of a zone that the name does not lie in ({said})",
        "blocked",
        denied,
        lookup=isp(said),
        soa=lambda r, name: "policy.isp.example" if name == HOST else None,
        grades="strong",
    )
    for title, vantage in (("in the house", HOME), ("of the volunteer's choice", CHOSEN)):
        row(
            f"a resolver {title} denies the name ({said})",
            "blocked inconclusive",
            denied,
            lookup=isp(said),
            vantage=vantage,
            grades="signs",
        )
for title, vantage in (("in the house", HOME), ("of the volunteer's choice", CHOSEN)):
    for null in ("0.0.0.0", "127.0.0.1", "::", "10.1.1.9"):
        row(
            f"a filter {title} answers {null}",
            "blocked inconclusive",
            "dns.",
            lookup=isp((null,)),
            vantage=vantage,
            dial=on_address(f.NETWORK_UNREACHABLE, null),
            grades="signs",
        )
row(
    "a filter in the house, and the path answers so for others too",
    "blocked",
    "dns.injection",
    lookup=everywhere(("127.0.0.1",)),
    vantage=HOME,
    grades="confirmed",
)
for said, kind in ((("0.0.0.0",), "dns.bogon"), (f.NXDOMAIN, "dns.nxdomain")):
    row(
        f"a router in the house answers all lookups itself, whoever is asked: {said}",
        "blocked inconclusive",
        kind,
        lookup=everywhere(said),
        vantage=HOME,
        ip_ttl=64,
        grades="signs",
    )
row(
    "a table of this machine's own says 0.0.0.0",
    "inconclusive",
    lookup=isp(("0.0.0.0",), line=False),
)
row(
    "the ISP's resolver leads to a filtering resolver's page",
    "blocked inconclusive",
    "dns.redirect",
    lookup=isp(("146.112.61.106",)),
    site=(SITE,),
    grades="signs",
)

# a router that relays two replies for every name
for failure in (f.SERVFAIL, f.DNS_REFUSED, f.NXDOMAIN):
    row(
        f"a router relays two replies for every name: {failure}, then the answer",
        "ok inconclusive",
        lookup=relayed(failure),
        late=relayed_late,
    )
    row(
        f"the same, {failure} to the system always",
        "ok inconclusive blocked",
        "dns.",
        lookup=lambda r, name, n, failure=failure: (SITE,) if r == DOH else failure,
        late=relayed_late,
        grades="signs",
    )
row(
    "a router relays two resolvers' answers by place for every name",
    "ok inconclusive",
    lookup=lambda r, name, n: (OTHER,) if r in ("line", *UDP) else (SITE,),
    late=relayed_late,
)
row(
    "SERVFAIL first and the answer behind it, for this name alone",
    "blocked",
    "dns.servfail",
    "dns.fails",
    lookup=everywhere(f.SERVFAIL),
    late=late_truth,
    grades="signs",
)

# a zone that fails or refuses one resolver
row(
    "REFUSED from the ISP, as where a zone refuses its resolver",
    "blocked",
    "dns.refused",
    lookup=isp(f.DNS_REFUSED),
    grades="signs",
)
row(
    "broken signatures: whoever validates fails, the helper does not validate",
    "inconclusive",
    "",
    "dns.fails",
    lookup=lambda r, name, n: f.SERVFAIL if name == HOST else (SITE,),
)
row(
    "broken signatures, no encrypted resolver",
    "inconclusive blocked",
    "dns.servfail",
    lookup=lambda r, name, n: f.SERVFAIL if name == HOST else (SITE,),
    resolvers=("system", *UDP),
    grades="signs",
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
