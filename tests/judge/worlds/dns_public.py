"""Worlds in which public resolvers say what the line's says: they filter, they remember, or the path lies."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from blockwatch import failure as f
from blockwatch.run import Vantage
from tests.judge import forged
from tests.judge.world import DOH, HOST, SITE, SITE2, UDP, Answer, Hello
from tests.judge.worlds.say import HTTP, ends, everywhere, isp, late_truth, on_address, row

MINE = ("system", "line")
FIRST, SECOND = UDP
NULL = ("0.0.0.0",)
DENIALS: tuple[Answer, ...] = (f.NXDOMAIN, f.NO_ANSWER, NULL)
VANTAGES = {
    "the provider's": Vantage(asn=9198, ipv4=True, resolver_asn=9198),
    "a router's": Vantage(asn=9198, ipv4=True, resolver_local=True),
    "that resolver itself": Vantage(asn=9198, ipv4=True, resolver_asn=19281, resolver_local=False),
}


def tcp(resolver: str) -> str:
    """The same resolver, over TCP."""
    return resolver.replace("udp:", "tcp:")


def from_these(said: Answer, resolvers: Collection[str]) -> Callable[[str, str, int], Any]:
    """These resolvers say so of the site; all others tell the truth."""
    return lambda r, name, n: said if r in resolvers and name == HOST else (SITE,)


# a public resolver that filters, and a line whose resolver asks it
for said in DENIALS:
    for whose, vantage in VANTAGES.items():
        row(
            f"one public resolver filters, {whose} asks it: {said}",
            "blocked inconclusive",
            "dns.bogon" if said == NULL else "dns.",
            lookup=from_these(said, (*MINE, SECOND, tcp(SECOND))),
            vantage=vantage,
            grades="signs",
        )
    row(
        f"the same, over TCP nothing comes: {said}",
        "blocked inconclusive",
        "dns.bogon" if said == NULL else "dns.nx" if said == f.NXDOMAIN else "dns.empty",
        lookup=lambda r, name, n, said=said: (
            (SITE,) if name != HOST or r in (FIRST, DOH) else f.TIMEOUT if r.startswith("tcp:") else said
        ),
        grades="signs",
    )
    row(
        f"the only public resolver that is asked filters, the line's resolver asks it: {said}",
        "blocked inconclusive",
        "dns.",
        lookup=from_these(said, (*MINE, SECOND, tcp(SECOND))),
        resolvers=("system", SECOND, DOH),
        grades="signs",
    )

# the path: over TCP the same resolvers tell the truth
for said in DENIALS:
    grades = "confirmed" if said == NULL else "strong"
    row(
        f"the path answers for one public resolver alone: {said}",
        "blocked",
        "dns.injection",
        lookup=from_these(said, (*MINE, FIRST)),
        grades=grades,
    )
    row(
        f"the path answers for every resolver over UDP: {said}",
        "blocked",
        "dns.injection",
        lookup=everywhere(said),
        grades=grades,
    )
    row(
        f"the path answers for every resolver over UDP, and drops all TCP to them: {said}",
        "blocked",
        "dns.injection",
        lookup=lambda r, name, n, said=said: (
            f.TIMEOUT if r.startswith("tcp:") else (SITE,) if r == DOH or name != HOST else said
        ),
        grades=grades,
    )
    row(
        f"the path answers for every resolver, but lets each third query through: {said}",
        "blocked",
        "dns.",
        lookup=lambda r, name, n, said=said: (
            (SITE,) if name != HOST or r.startswith(("https:", "tcp:")) or (r in UDP and n % 3 == 0) else said
        ),
        grades="strong confirmed",
    )
    row(
        f"the provider answers for every resolver itself, over TCP as well: {said}",
        "blocked",
        "dns.",
        lookup=from_these(said, (*MINE, *UDP, *map(tcp, UDP))),
        grades="signs",
    )
    row(
        f"only the provider's resolver lies, public ones do not: {said}",
        "blocked",
        "dns.bogon" if said == NULL else "dns.",
        lookup=isp(said),
        grades=grades,
    )

# a name that was deleted today; those who find it remember it
for zone in ("example.org", "org", "site.example.org"):
    for said in (f.NXDOMAIN, f.NO_ANSWER):
        for url in (f"https://{HOST}/", HTTP):
            row(
                f"every resolver but the encrypted one denies {url} with the SOA of {zone}: {said}",
                "blocked inconclusive",
                "dns.nxdomain" if said == f.NXDOMAIN else "dns.empty",
                url=url,
                lookup=from_these(said, (*MINE, *UDP, *map(tcp, UDP))),
                soa=lambda r, name, zone=zone: zone if name == HOST else "example.net",
                grades="signs",
            )
row(
    "the same, and over TCP, from another machine, it is found",
    "blocked inconclusive",
    "dns.nxdomain",
    lookup=everywhere(f.NXDOMAIN),
    soa=lambda r, name: "org" if name == HOST else "example.net",
    grades="signs",
)
row(
    "public resolvers deny it with the zone's record, the line's without",
    "blocked inconclusive",
    "dns.nxdomain",
    lookup=from_these(f.NXDOMAIN, (*MINE, *UDP, *map(tcp, UDP))),
    soa=lambda r, name: (
        None if name == HOST and r in MINE else "example.org" if name == HOST else "example.net"
    ),
    grades="signs",
)

# a zone that itself leads this country nowhere: whoever asks from here is told so, however he asks
for resolvers in ((*MINE, *UDP, *map(tcp, UDP)), (*MINE, FIRST, tcp(FIRST))):
    row(
        f"the zone says 127.0.0.1 to this country: {len(resolvers)} ways",
        "blocked inconclusive",
        "dns.bogon",
        lookup=from_these(("127.0.0.1",), resolvers),
        grades="signs",
    )

# a box of the house that takes all lookups over UDP to itself: in a container, or behind a second router
for said in DENIALS:
    for ttl in (63, 127, 254, 62):
        row(
            f"a box of the house answers whoever is asked over UDP, with IP TTL {ttl}: {said}",
            "blocked inconclusive",
            "dns.bogon" if said == NULL else "dns.",
            lookup=everywhere(said),
            vantage=VANTAGES["a router's"],
            ip_ttl=ttl,
            grades="signs",
        )
    row(
        f"a resolver of the house, and the path answers for every resolver: {said}",
        "blocked",
        "dns.injection",
        lookup=everywhere(said),
        vantage=VANTAGES["a router's"],
        ip_ttl=57,
        grades="confirmed" if said == NULL else "strong",
    )

# whoever else could know better is blocked as well; the true answer comes behind the false one
FOREIGN = ("31.13.94.37", "104.244.43.57", "157.240.7.8", "199.59.148.97")
STRANGERS = Hello(trust=f.INVALID_HOSTNAME, chain=forged.plain("stranger.example"))


def in_turn(resolver: str, name: str, n: int) -> Answer:
    """A foreign address, another one each time; the encrypted resolver cannot be reached."""
    if name != HOST:
        return (SITE,)
    return f.TIMEOUT if resolver == DOH else (FOREIGN[n % len(FOREIGN)],)


for url in (f"https://{HOST}/", HTTP):
    row(
        f"foreign addresses by turns, the true one behind them, nobody else to ask: {url}",
        "blocked",
        "dns.injection",
        url=url,
        lookup=in_turn,
        late=late_truth,
        control=None,
        shake=lambda a, sni, n: STRANGERS if a in FOREIGN else None,
        grades="signs strong confirmed",
    )
    row(
        f"a gateway passes on what two resolvers say, both true: {url}",
        "ok",
        url=url,
        late=lambda resolver, name: (SITE2,) if name == HOST else None,
    )

row(
    "foreign addresses of many networks by turns, all dead, over TCP too; the helper reaches the site",
    "blocked",
    "dns.redirect",
    lookup=in_turn,
    dial=on_address(f.TIMEOUT, *FOREIGN),
    control={"endpoints": (*ends(), *(end for a in FOREIGN for end in ends(tcp=f.TIMEOUT, address=a)))},
    grades="signs",
)
row(
    "a public resolver fails once over UDP, and finds the name over TCP",
    "blocked inconclusive",
    "dns.empty",
    lookup=lambda r, name, n: (
        f.NO_ANSWER if name == HOST and (r in MINE or (r == FIRST and n < 3)) else (SITE,)
    ),
    vantage=VANTAGES["a router's"],
    grades="signs",
)
