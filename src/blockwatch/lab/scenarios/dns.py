"""Interference with names, and names that only look interfered with."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import (
    blocked,
    down,
    http,
    https,
    nowhere,
    ok,
    redirect,
    serve,
    site,
    unclear,
)
from blockwatch.lab.world import DnsRule

row = partial(say.row, family="dns")

ROWS = (
    row(
        "o04",
        "DNS injected to a server with an untrusted certificate",
        https(blocked("dns.injection", "dns.redirect"), see="dns.injection"),
        source="ooni-qa",
        sites=(
            site(),
            site("b", http=None, https=serve("reset"), cert="untrusted"),
        ),
        rules=(DnsRule(name="@a@", answers=("@b.ip@",)),),
    ),
    row(
        "o10",
        "bogon from the ISP resolver, no route to it",
        https(blocked("dns.redirect", "dns.injection", "dns.bogon"), see="dns.redirect"),
        source="ooni-qa",
        rules=(DnsRule(name="@a@", answers=("10.10.34.35",), to="isp"),),
    ),
    row(
        "o11",
        "NXDOMAIN from the ISP resolver",
        https(blocked("dns.nxdomain"), see="dns.nxdomain"),
        source="ooni-qa",
        rules=(DnsRule(name="@a@", do="nxdomain", to="isp"),),
    ),
    row(
        "o16",
        "ghost: name is gone, censor still answers with a block page address (http)",
        http(blocked("dns.injection", "dns.redirect"), down("dns"), see="dns.injection"),
        source="ooni-qa",
        sites=(nowhere(rcode=3),),
        rules=(DnsRule(name="@a@", answers=("83.224.65.41",)),),
    ),
    row(
        "tm-dns-https",
        "TM: DNS injection 127.0.0.1, TTL 300, IP-ID 30000, true answer late",
        https(blocked("dns.injection"), see="dns.injection"),
        source="central-asia",
        rules=(DnsRule(name="@a@", answers=("127.0.0.1",), ttl=300, ipid=30000, ttl0=128),),
    ),
    row(
        "ca-isp-page",
        "ISP resolver points to a Russian block page",
        http(blocked("dns.redirect", "dns.injection", "http.blockpage"), see="dns.redirect"),
        source="central-asia",
        rules=(DnsRule(name="@a@", answers=("92.46.33.7",), to="isp"),),
    ),
    row(
        "ca-dns-refused",
        "ISP resolver REFUSED",
        https(blocked("dns.refused", "dns."), see="dns.refused"),
        source="central-asia",
        rules=(DnsRule(name="@a@", do="refused", to="isp"),),
    ),
    row(
        "ca-dns-servfail",
        "ISP resolver SERVFAIL",
        https(blocked("dns.servfail", "dns."), see="dns.servfail"),
        source="central-asia",
        rules=(DnsRule(name="@a@", do="servfail", to="isp"),),
    ),
    row(
        "ca-dns-isp-drop",
        "queries for the name dropped at the ISP resolver only",
        https(blocked("dns.timeout"), see="dns.timeout"),
        source="central-asia",
        rules=(DnsRule(name="@a@", do="drop", to="isp"),),
    ),
    row(
        "ca-dns-nx-inject",
        "NXDOMAIN injected for every UDP resolver, true answer late",
        https(blocked("dns.injection", "dns.nxdomain"), see="dns.injection"),
        source="central-asia",
        rules=(DnsRule(name="@a@", do="nxdomain"),),
    ),
    row(
        "e-Z2",
        "ISP resolver points to a server whose 200 page has a Content-Length",
        http(blocked("dns.redirect", "dns.injection", "http.blockpage"), see="dns.redirect"),
        source="ooni-edge",
        sites=(site(), site("b", http=serve("blockpage"), https=None)),
        rules=(DnsRule(name="@a@", answers=("@b.ip@",), to="isp"),),
    ),
    row(
        "e-W",
        "ISP resolver points inside the same network, bad certificate at both",
        https(blocked("dns.redirect", "dns.injection"), unclear(), see="dns.redirect"),
        source="ooni-edge",
        sites=(site(cert="untrusted", pool="cloudflare"), site("b", cert="untrusted", pool="cloudflare")),
        rules=(DnsRule(name="@a@", answers=("@b.ip@",), to="isp"),),
    ),
    row(
        "dns-refused-all",
        "REFUSED for the name from every resolver asked over UDP, true answer suppressed",
        https(blocked("dns.injection", "dns.refused"), see="dns.refused"),
        source="own",
        rules=(DnsRule(name="@a@", do="refused", race=False),),
    ),
    row(
        "dns-servfail-all",
        "SERVFAIL injected for every UDP resolver, true answer late",
        https(blocked("dns.injection", "dns.servfail"), see="dns.injection"),
        source="own",
        rules=(DnsRule(name="@a@", do="servfail"),),
    ),
    row(
        "dns-empty-isp",
        "ISP resolver gives an empty answer",
        https(blocked("dns.empty"), see="dns.empty"),
        source="own",
        rules=(DnsRule(name="@a@", do="empty", to="isp"),),
    ),
    row(
        "dns-empty-all",
        "empty answer injected for every UDP resolver, true answer suppressed",
        https(blocked("dns.injection", "dns.empty"), see="dns.empty"),
        source="own",
        rules=(DnsRule(name="@a@", do="empty", race=False),),
    ),
    row(
        "dns-drop-all",
        "queries for the name dropped whoever is asked over UDP",
        https(blocked("dns.timeout"), see="dns.timeout"),
        source="own",
        rules=(DnsRule(name="@a@", do="drop"),),
    ),
    row(
        "dns-rewrite",
        "answer of every UDP resolver replaced, the true one never arrives",
        http(blocked("dns.injection", "dns.redirect"), see="dns.redirect"),
        source="own",
        sites=(site(), site("b", http=serve("blockpage"), https=None)),
        rules=(DnsRule(name="@a@", answers=("@b.ip@",), race=False),),
    ),
    row(
        "dns-suffix",
        "bogon injected for a name and all beneath it",
        https(blocked("dns.injection", "dns.bogon"), see="dns.injection"),
        source="own",
        rules=(DnsRule(name="@a@", match="suffix", answers=("127.0.0.1",)),),
    ),
    row(
        "dns-late-truth",
        "injected answer, the true one half a second later",
        https(blocked("dns.injection"), see="dns.injection"),
        source="own",
        rules=(DnsRule(name="@a@", answers=("10.10.34.36",), true_after=0.5),),
    ),
    row(
        "dns-many-one",
        "ISP resolver sends two unrelated names to one address",
        http(blocked("dns.redirect", "dns.injection", "http.blockpage"), see="dns.redirect"),
        http(blocked("dns.redirect", "dns.injection", "http.blockpage"), key="b", see="dns.redirect"),
        source="own",
        sites=(site(https=None), site("b", https=None, pool="aws")),
        rules=(
            DnsRule(name="@a@", answers=("92.46.33.7",), to="isp"),
            DnsRule(name="@b@", answers=("92.46.33.7",), to="isp"),
        ),
    ),
    row(
        "nohelper-nx",
        "NXDOMAIN from the ISP resolver, no helper",
        https(blocked("dns.nxdomain"), see="dns.nxdomain"),
        source="own",
        world="no-helper",
        rules=(DnsRule(name="@a@", do="nxdomain", to="isp"),),
    ),
    row(
        "e-B",
        "NXDOMAIN from the ISP resolver, helper unreachable",
        https(blocked("dns.nxdomain"), unclear(), see="dns.nxdomain"),
        source="ooni-edge",
        world="helper-down",
        rules=(DnsRule(name="@a@", do="nxdomain", to="isp"),),
    ),
    row(
        "views",
        "resolvers disagree, certificate of every address is valid",
        https(ok(), see="ok"),
        source="own",
        sites=(
            site(
                n=4,
                pool="aws",
                dns={
                    "views": {
                        "isp": ["@a.ip@"],
                        "helper": ["@a.ip3@"],
                        "8.8.8.8": ["@a.ip1@"],
                        "*": ["@a.ip2@"],
                    }
                },
            ),
        ),
    ),
    row(
        "dns-stranger-dead",
        "answer of every UDP resolver replaced by an address where nobody lives",
        https(blocked("dns.injection", "dns.redirect"), see="any"),
        source="own: Chinese injection of addresses of others",
        rules=(DnsRule(name="@a@", answers=("31.13.94.37",), race=False),),
    ),
    row(
        "dns-in-network",
        "answer replaced by another customer of the same content network, http",
        http(blocked("dns.injection", "dns.redirect"), see="any"),
        source="own: OONI verdict defects L and W together",
        sites=(
            site(pool="cloudflare"),
            site("b", pool="cloudflare", http=serve("status", code=403, text="Direct access denied")),
        ),
        rules=(DnsRule(name="@a@", answers=("@b.ip@",), race=False),),
    ),
    row(
        "dns-isp-own-chain",
        "ISP resolver points to a block page that has a self-signed certificate",
        https(blocked("dns.redirect", "dns.injection"), see="any"),
        source="own: block pages that offer TLS",
        sites=(site(), site("b", http=serve("blockpage"), https=serve("blockpage"), cert="self")),
        rules=(DnsRule(name="@a@", answers=("@b.ip@",), to="isp"),),
    ),
    row(
        "dns-zone-servfail",
        "the zone is broken for everybody: SERVFAIL",
        https(down(), see="any"),
        source="own: lame delegations",
        sites=(nowhere(rcode=2),),
    ),
    row(
        "dns-second-hop",
        "NXDOMAIN from the ISP resolver for the target of a redirect",
        https(blocked("dns.nxdomain"), see="any"),
        source="own: redirect hops are judged like the target",
        sites=(site(https=redirect("https://@b@/")), site("b")),
        rules=(DnsRule(name="@b@", do="nxdomain", to="isp"),),
    ),
    row(
        "views-http",
        "resolvers disagree, cleartext site without TLS",
        http(ok(), see="ok"),
        source="own: answers by place where no certificate can help",
        sites=(
            site(
                n=3,
                https=None,
                pool="aws",
                dns={"views": {"isp": ["@a.ip@"], "helper": ["@a.ip2@"], "*": ["@a.ip1@"]}},
            ),
        ),
    ),
)
