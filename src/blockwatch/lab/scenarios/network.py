"""States of the whole network and of the vantage's own line."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import blocked, http, https, ok, serve, site, unclear
from blockwatch.lab.world import DnsRule, HttpRule, OfflineRule, PortalRule, TcpRule, TlsRule

row = partial(say.row, family="global")

ROWS = (
    row(
        "o08",
        "test helper blocked by SNI and Host, HTTPS site works",
        https(ok(), see="ok"),
        source="ooni-qa",
        rules=(
            TlsRule(sni="th.example.org", do="rst"),
            HttpRule(host="th.example.org", do="rst"),
        ),
        world="helper-sni",
    ),
    row(
        "offline",
        "no packet passes",
        https(unclear(), see="dns.timeout"),
        http(unclear(), key="b", see="dns.timeout"),
        source="ooni-edge",
        sites=(
            site(),
            site("b"),
        ),
        rules=(OfflineRule(),),
        world="offline",
    ),
    row(
        "portal",
        "captive portal: http redirected to a login page, https dropped",
        https(unclear(), see="tcp.timeout"),
        http(unclear(), key="b", see="http.other"),
        source="noise",
        sites=(
            site(),
            site("b"),
        ),
        rules=(PortalRule(),),
        world="portal",
    ),
    row(
        "helper-down-clean",
        "helper unreachable, clean HTTPS site",
        https(ok(), see="ok"),
        source="noise",
        rules=(TcpRule(ip="139.59.20.20", do="drop"),),
        world="helper-down",
    ),
    row(
        "resolver-dead",
        "the system resolver is dead for every name",
        https(ok(), unclear(), see="dns.timeout"),
        source="noise",
        rules=(DnsRule(name="", match="substring", do="drop", to="isp"),),
        world="resolver-dead",
    ),
    row(
        "loss5",
        "5 % packet loss on clean sites",
        http(ok(), unclear(), see="any"),
        https(ok(), unclear(), key="b", see="any"),
        https(ok(), unclear(), key="c", see="any"),
        http(ok(), unclear(), key="d", see="any"),
        source="noise",
        sites=(
            site(),
            site("b"),
            site("c"),
            site("d"),
        ),
        world="loss",
    ),
    row(
        "nohelper-clean",
        "no helper given: clean sites",
        https(ok(), see="ok"),
        http(ok(), unclear(), key="b", see="ok"),
        source="noise",
        sites=(
            site(),
            site("b"),
        ),
        world="no-helper",
    ),
    row(
        "dns-late-dup",
        "late duplicate of the same DNS answer",
        https(ok(), see="ok"),
        source="noise",
        family="noise",
        rules=(DnsRule(name="@a@", do="dup"),),
    ),
    row(
        "loss-page",
        "larger page over a line that loses 5 %",
        https(ok(), unclear(), see="any"),
        source="own",
        world="loss",
        sites=(site(https=serve("large", bytes=120000, html=True)),),
    ),
    row(
        "helper-down-sni",
        "helper unreachable, SNI drop",
        https(blocked("tls.timeout"), see="tls.timeout"),
        source="own",
        world="helper-down",
        rules=(TlsRule(sni="@a@"),),
    ),
    row(
        "resolver-dead-sni",
        "the system resolver is dead for every name, RST on SNI",
        https(blocked("tls.reset"), unclear(), see="any"),
        source="own",
        world="resolver-dead",
        rules=(TlsRule(sni="@a@", do="rst"),),
    ),
)
