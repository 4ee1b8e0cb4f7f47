"""Interference with lookups and addresses, in ways that are easily missed or named wrongly."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import blocked, http, https, notice, ok, redirect, serve, site
from blockwatch.lab.world import DnsRule, TcpRule

row = partial(say.row, family="dns", world="more")

_TO_A_PAGE = ("dns.redirect", "dns.injection", "http.blockpage", "http.redirect")

ROWS = (
    row(
        "three-names-one-address",
        "three unrelated names get one dead public address from the ISP",
        *(https(blocked("dns.redirect", "dns.injection", "dns."), key=k, see="dns.redirect") for k in "abc"),
        source="own: one dead address for many names",
        sites=(site(), site("b", pool="aws"), site("c", pool="cloudflare")),
        rules=tuple(DnsRule(name=f"@{k}@", answers=("81.88.150.77",), to="isp") for k in "abc"),
    ),
    row(
        "isp-alias",
        "the ISP's resolver gives an alias of its block host",
        http(blocked(*_TO_A_PAGE), see="dns.redirect"),
        source="own: resolvers that answer with an alias",
        sites=(site(https=None),),
        rules=(DnsRule(name="@a@", answers=("92.46.33.7",), to="isp", alias="reestr.mitc.uz"),),
    ),
    row(
        "isp-valid-stranger",
        "the ISP's resolver leads to a block host with a valid certificate of its own and a large page",
        https(blocked("dns.redirect", "dns.injection"), see="dns.redirect"),
        source="own: block hosts with a certificate of their own",
        sites=(site(), site("b", https=serve("page", lang="ru", bytes=40000))),
        rules=(DnsRule(name="@a@", answers=("@b.ip@",), to="isp"),),
    ),
    row(
        "inject-empty",
        "empty answer injected, the true one follows",
        https(blocked("dns.injection", "dns.empty"), see="dns.injection"),
        source="own: injected empty answers",
        rules=(DnsRule(name="@a@", do="empty"),),
    ),
    row(
        "nxdomain-for-a",
        "the ISP's resolver denies A alone",
        https(blocked("dns.nxdomain", "dns."), see="dns.nxdomain"),
        source="own: resolvers that deny one type",
        rules=(DnsRule(name="@a@", do="nxdomain", to="isp", types=("A",)),),
    ),
    row(
        "nxdomain-platform",
        "NXDOMAIN from the ISP for a platform and all beneath it: two blogs",
        *(https(blocked("dns.nxdomain"), key=k, see="dns.nxdomain") for k in "ab"),
        source="own: platforms blocked with all beneath them",
        sites=(site(host="open-journal.com"), site("b", host="anna.open-journal.com", share="a")),
        rules=(DnsRule(name="@a@", match="suffix", do="nxdomain", to="isp"),),
    ),
    row(
        "inject-second-hop",
        "injection for the second hop of a cleartext redirect",
        http(blocked("dns.injection", "dns.redirect", "http.blockpage"), see="any"),
        source="own: blocked redirect hops",
        sites=(site(https=None, http=redirect("http://@b@/", 301)), site("b", https=None)),
        rules=(DnsRule(name="@b@", answers=("83.224.65.41",)),),
    ),
    row(
        "isp-default-site",
        "the ISP's resolver sends two names to a hoster's default page with TLS of its own",
        *(https(blocked("dns."), key=k, see="dns.redirect") for k in "ab"),
        source="own: names led to a hoster's default page",
        sites=(site(), site("b", pool="aws"), site("c", https=notice("Default", "Default site."))),
        rules=tuple(DnsRule(name=f"@{k}@", answers=("@c.ip@",), to="isp") for k in "ab"),
    ),
    row(
        "rst-to-443",
        "RST to SYNs at port 443 alone",
        https(blocked("tcp.refused", "tcp.reset"), see="tcp.refused"),
        family="tcp",
        source="own: RST to SYNs at one port",
        rules=(TcpRule(ip="@a.ip@", port=443, do="rst"),),
    ),
    row(
        "drop-in-view",
        "the address that the line's resolver gives is dropped, the others are not",
        https(blocked("tcp.timeout"), ok(), see="tcp.timeout"),
        family="tcp",
        source="own: one of a site's nodes is dropped",
        sites=(site(n=2, pool="cloudflare", dns={"views": {"isp": ["@a.ip@"], "*": ["@a.ip1@"]}}),),
        rules=(TcpRule(ip="@a.ip@"),),
    ),
    row(
        "drop-hop-443",
        "port 443 of a redirect's target dropped",
        http(blocked("tcp.timeout"), see="tcp.timeout"),
        family="tcp",
        source="own: blocked redirect hops",
        sites=(site(http=redirect("https://@b@/", 302)), site("b")),
        rules=(TcpRule(ip="@b.ip@", port=443),),
    ),
    row(
        "shared-address-dropped",
        "an address of a content network dropped: two sites of it",
        *(https(blocked("tcp.timeout"), key=k, see="tcp.timeout") for k in "ab"),
        family="tcp",
        source="own: collateral damage of one address",
        sites=(site(pool="cloudflare"), site("b", share="a")),
        rules=(TcpRule(ip="@a.ip@"),),
    ),
)
