"""Falsified names, looked into by a run of tier 2: made up on the way, or by a resolver?"""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import blocked, down, http, https, nowhere, ok, site
from blockwatch.lab.world import Allowed, DnsRule

row = partial(say.row, family="dns", source="own: queries to those who cannot answer")

MADE_UP = Allowed(state="blocked", mechanisms=("dns.injection",), grades=("confirmed",))
PLACES = {"views": {"isp": ["@a.ip@"], "helper": ["@a.ip2@"], "*": ["@a.ip1@"]}}

ROWS = (
    row(
        "t2-stranger",
        "tier 2: a stranger's address injected for the name, whoever is asked; the true answer late",
        https(MADE_UP, see="any"),
        world="tier2",
        rules=(DnsRule(name="@a@", answers=("31.13.94.37",), true_after=0.3),),
    ),
    row(
        "t2-bogon",
        "tier 2: 127.0.0.1 injected for the name, the true answer never arrives",
        http(MADE_UP, see="dns.redirect"),
        world="tier2",
        rules=(DnsRule(name="@a@", answers=("127.0.0.1",), race=False, ttl=300, ttl0=128),),
    ),
    row(
        "t2-nxdomain",
        "tier 2: NXDOMAIN injected for the name, whoever is asked",
        https(MADE_UP, see="dns.nxdomain"),
        world="tier2",
        rules=(DnsRule(name="@a@", do="nxdomain", race=False),),
    ),
    row(
        "t2-isp",
        "tier 2: only the ISP resolver lies; nothing is made up on the way",
        https(blocked("dns.nxdomain"), see="dns.nxdomain"),
        world="tier2",
        rules=(DnsRule(name="@a@", do="nxdomain", to="isp"),),
    ),
    row(
        "t2-dropped",
        "tier 2: queries for the name dropped on the way",
        https(blocked("dns.timeout"), see="dns.timeout"),
        world="tier2",
        rules=(DnsRule(name="@a@", do="drop"),),
    ),
    row(
        "t2-gone",
        "tier 2: the name is gone for everybody",
        https(down(), see="any"),
        world="tier2",
        sites=(nowhere(rcode=3),),
    ),
    row(
        "t2-places",
        "tier 2: resolvers disagree, cleartext site without TLS",
        http(ok(), see="ok"),
        world="tier2",
        sites=(site(n=3, https=None, pool="aws", dns=PLACES),),
    ),
    *(row(f"t2-clean{n}", "tier 2: clean site", https(ok(), see="ok"), world="tier2") for n in range(3)),
    row(
        "t2-diverted-lie",
        "tier 2: the ISP answers every query, whoever is asked, and NXDOMAIN for the name",
        https(
            Allowed(
                state="blocked", mechanisms=("dns.nxdomain", "dns.injection"), grades=("signs", "strong")
            ),
            see="any",
        ),
        world="diverted",
        rules=(DnsRule(name="@a@", do="nxdomain", to="isp"),),
    ),
    row(
        "t2-diverted-gone",
        "tier 2: the ISP answers every query, whoever is asked; the name is gone for everybody",
        https(down(), see="any"),
        world="diverted",
        sites=(nowhere(rcode=3),),
    ),
    row(
        "t2-diverted-places",
        "tier 2: the ISP answers every query, whoever is asked; addresses by place, cleartext",
        http(ok(), see="any"),
        world="diverted",
        sites=(site(n=3, https=None, pool="aws", dns=PLACES),),
    ),
    *(
        row(
            f"t2-diverted-clean{n}",
            "tier 2: the ISP answers every query, whoever is asked; clean site",
            https(ok(), see="ok"),
            world="diverted",
        )
        for n in range(3)
    ),
)
