"""Interference with addresses."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import blocked, http, https, ok, redirect, site, unclear
from blockwatch.lab.world import TcpRule

row = partial(say.row, family="tcp")

ROWS = (
    row(
        "o29",
        "shortener works, its http target is blocked: rstsyn",
        https(blocked("tcp.refused", "tcp.reset"), see="tcp.refused"),
        source="ooni-qa",
        sites=(
            site(http=None, https=redirect("http://@b@/"), pool="aws"),
            site("b"),
        ),
        rules=(
            TcpRule(ip="@b.ip@", do="rst", port=80),
            TcpRule(ip="@b.ip@", do="rst", port=443),
        ),
    ),
    row(
        "o42",
        "all packets to port 443 dropped",
        https(blocked("tcp.timeout"), see="tcp.timeout"),
        source="ooni-qa",
        rules=(TcpRule(ip="@a.ip@", do="drop", port=443),),
    ),
    row(
        "e-Y",
        "one of two addresses blackholed",
        https(ok(), blocked("tcp.timeout"), see="ips:ok,tcp.timeout"),
        source="ooni-edge",
        sites=(site(n=2),),
        rules=(TcpRule(ip="@a.ip1@", do="drop"),),
    ),
    row(
        "tj-ip-drop",
        "TJ: both addresses of the site blackholed",
        https(blocked("tcp.timeout"), see="tcp.timeout"),
        source="central-asia",
        sites=(site(n=2),),
        rules=(
            TcpRule(ip="@a.ip@", do="drop"),
            TcpRule(ip="@a.ip1@", do="drop"),
        ),
    ),
    row(
        "ca-ip-rst",
        "RST on SYN to the address",
        https(blocked("tcp.refused", "tcp.reset"), see="tcp.refused"),
        source="central-asia",
        rules=(TcpRule(ip="@a.ip@", do="rst"),),
    ),
    row(
        "e-M",
        "every address of a multi-CDN site blackholed",
        https(blocked("tcp.timeout"), see="tcp.timeout"),
        source="ooni-edge",
        sites=(
            site(
                n=3, pool="aws", dns={"views": {"isp": ["@a.ip@"], "helper": ["@a.ip2@"], "*": ["@a.ip1@"]}}
            ),
        ),
        rules=(TcpRule(ip="@a.ip@"), TcpRule(ip="@a.ip1@"), TcpRule(ip="@a.ip2@")),
    ),
    row(
        "e-J",
        "IPv6-only site on a network without IPv6",
        https(unclear(), see="any"),
        source="ooni-edge",
        sites=(site(n=0, v6=1),),
    ),
    row(
        "v6-v4-blocked",
        "IPv4 address blackholed, IPv6 address works",
        https(blocked("tcp.timeout"), ok(), see="any"),
        source="own",
        world="ipv6",
        sites=(site(v6=1, pool="cloudflare"),),
        rules=(TcpRule(ip="@a.ip@"),),
    ),
    row(
        "v6-clean",
        "site with both kinds of address on a network with both",
        https(ok(), see="ok"),
        source="own",
        world="ipv6",
        sites=(site(v6=1),),
    ),
    row(
        "v6-both-blocked",
        "IPv4 and IPv6 address reset",
        https(blocked("tcp.refused", "tcp.reset"), see="tcp.refused"),
        source="own",
        world="ipv6",
        sites=(site(v6=1),),
        rules=(TcpRule(ip="@a.ip@", do="rst"), TcpRule(ip="@a.ip1@", do="rst")),
    ),
    row(
        "http-port-drop",
        "port 80 of the address dropped",
        http(blocked("tcp.timeout"), see="tcp.timeout"),
        source="own",
        rules=(TcpRule(ip="@a.ip@", port=80),),
    ),
    row(
        "nohelper-ip",
        "address blackholed, no helper: cannot be told from a dead site",
        https(unclear(), see="tcp.timeout"),
        source="own",
        world="no-helper",
        rules=(TcpRule(ip="@a.ip@"),),
    ),
    row(
        "ip-all-addresses",
        "both addresses of the site blackholed",
        https(blocked("tcp.timeout"), see="tcp.timeout"),
        source="own: every address on the list",
        sites=(site(n=2, pool="aws"),),
        rules=(TcpRule(ip="@a.ip@"), TcpRule(ip="@a.ip1@")),
    ),
    row(
        "ip-of-second-hop",
        "the address of a redirect's target blackholed",
        https(blocked("tcp.timeout"), see="any"),
        source="own: blocked redirect hops",
        sites=(site(https=redirect("https://@b@/")), site("b")),
        rules=(TcpRule(ip="@b.ip@"),),
    ),
)
