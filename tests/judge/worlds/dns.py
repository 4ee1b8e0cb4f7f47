"""Worlds in which the line's resolver, or the path to it, lies; and names that are simply gone."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge import forged
from tests.judge.world import DOH, HOST, OTHER, SITE, SITE2, Hello, resolves
from tests.judge.worlds.say import (
    BLOCK,
    HTTP,
    broken_for_control,
    by_place,
    ends,
    everywhere,
    isp,
    late_truth,
    on_address,
    row,
)

# DNS.
row("bogon from the ISP", "blocked", "dns.bogon", "dns.bogon", lookup=isp(("127.0.0.1",)), grades="confirmed")
row(
    "private address from the ISP",
    "blocked",
    "dns.redirect",
    "dns.bogon",
    lookup=isp(("10.10.34.35",)),
    dial=on_address(f.NETWORK_UNREACHABLE, "10.10.34.35"),
)
row(
    "bogon injected, true answer late",
    "blocked",
    "dns.injection",
    "dns.bogon",
    lookup=everywhere(("127.0.0.1",)),
    late=late_truth,
)
row("NXDOMAIN from the ISP", "blocked", "dns.nxdomain", "dns.fails", lookup=isp(f.NXDOMAIN), grades="strong")
row(
    "NXDOMAIN from the ISP, no helper",
    "blocked",
    "dns.nxdomain",
    "dns.fails",
    lookup=isp(f.NXDOMAIN),
    control=None,
)
row(
    "NXDOMAIN injected",
    "blocked",
    "dns.injection",
    "dns.fails",
    lookup=everywhere(f.NXDOMAIN),
    late=late_truth,
)
row(
    "REFUSED hidden by getaddrinfo",
    "blocked",
    "dns.refused",
    lookup=lambda r, name, n: (
        (f.DNS_TEMPORARY if r == "system" else f.DNS_REFUSED if r == "line" else (SITE,))
        if name == HOST
        else (SITE,)
    ),
)
row("SERVFAIL from the ISP", "blocked", "dns.servfail", lookup=isp(f.SERVFAIL), grades="signs")
row("empty answer from the ISP", "blocked", "dns.empty", lookup=isp(f.NO_ANSWER))
row("silence from the ISP", "blocked", "dns.timeout", lookup=isp(f.TIMEOUT), grades="signs")
row(
    "ISP points to a stranger, as to an address that the site has left",
    "blocked",
    "dns.redirect",
    "dns.certificate",
    lookup=isp((OTHER,)),
    grades="signs",
)
row(
    "stranger injected for all, true answer late",
    "blocked",
    "dns.injection",
    "dns.certificate",
    lookup=everywhere((OTHER,)),
    late=late_truth,
    grades="confirmed",
)
row(
    "stranger for all who ask over UDP, as where a site answers by place",
    "blocked",
    "dns.redirect",
    "dns.certificate",
    lookup=by_place((OTHER,)),
    grades="signs",
)
row(
    "stranger at whom nobody connects, the control neither",
    "inconclusive",
    "",
    "dns.certificate",
    lookup=isp((OTHER,)),
    dial=on_address(f.REFUSED, OTHER),
    controls=lambda url: {"endpoints": ends() + ends(tcp=f.REFUSED, address=OTHER)},
)
row(
    "such a stranger for all who ask over UDP; over TCP the same resolvers give the site",
    "blocked",
    "dns.",
    "dns.certificate",
    lookup=everywhere((OTHER,)),
    dial=on_address(f.REFUSED, OTHER),
    controls=lambda url: {"endpoints": ends() + ends(tcp=f.REFUSED, address=OTHER)},
    grades="signs",
)
row(
    "such a stranger for all who ask, over TCP as well",
    "inconclusive",
    "",
    "dns.certificate",
    lookup=lambda r, name, n: (OTHER,) if r != DOH and name == HOST else (SITE,),
    dial=on_address(f.REFUSED, OTHER),
    controls=lambda url: {"endpoints": ends() + ends(tcp=f.REFUSED, address=OTHER)},
)
row(
    "stranger where we cannot connect, and the control meets somebody without TLS",
    "blocked",
    "dns.redirect",
    "dns.certificate",
    lookup=isp((OTHER,)),
    dial=on_address(f.REFUSED, OTHER),
    controls=lambda url: {"endpoints": ends() + ends(tls=f.UNKNOWN_AUTHORITY, address=OTHER)},
    grades="signs",
)
row(
    "the same in cleartext: nobody connects, the control neither",
    "inconclusive",
    url=HTTP,
    lookup=isp((OTHER,)),
    dial=on_address(f.REFUSED, OTHER),
    controls=lambda url: {"endpoints": ends(port=80) + ends(tcp=f.REFUSED, address=OTHER, port=80)},
)
row(
    "ISP points to a block page, http (Z2)",
    "blocked",
    "dns.redirect",
    "dns.page",
    url=HTTP,
    lookup=isp((OTHER,)),
    site=(SITE,),
    dial=lambda a, port, n: f.REFUSED if port == 443 else None,
    answer=lambda a, h, t, n: BLOCK if a == OTHER else None,
    controls=lambda url: {"endpoints": ()},
)
row(
    "spoof inside one AS, bad certificates at both (W)",
    "blocked",
    "dns.redirect",
    "dns.named",
    lookup=isp((OTHER,)),
    control=broken_for_control(
        endpoints=ends(tls=f.INVALID_CERTIFICATE) + ends(tls=f.UNKNOWN_AUTHORITY, address=OTHER)
    ),
    shake=lambda a, sni, n: (
        Hello(trust=f.INVALID_CERTIFICATE, chain=forged.plain(HOST))
        if a == SITE
        else Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain("router.lan"))
        if a == OTHER
        else None
    ),
)
for title, nobody, states in (
    ("", f.NXDOMAIN, "blocked"),
    (" that wildcards what does not exist", (OTHER,), "down"),
):
    row(
        f"ghost, given by whoever is asked over UDP{title}",
        states,
        "dns.injection",
        "dns.ghost",
        url=HTTP,
        lookup=lambda r, name, n: f.NXDOMAIN if r == DOH else (OTHER,) if name == HOST else (SITE,),
        nobody=lambda r, nobody=nobody: nobody,
        site=(),
        control=broken_for_control(addresses=(), dns_failure=f.NXDOMAIN, endpoints=()),
        grades="signs",
    )
row(
    "ghost from the ISP only",
    "down",
    rule="dns.ghost",
    url=HTTP,
    lookup=lambda r, name, n: (
        (OTHER,) if r in ("system", "line") and name == HOST else f.NXDOMAIN if name == HOST else (SITE,)
    ),
    site=(),
    control=broken_for_control(addresses=(), dns_failure=f.NXDOMAIN, endpoints=()),
)
row(
    "a zone whose signatures are broken, for the control's resolver alone",
    "ok inconclusive",
    url=HTTP,
    control=broken_for_control(addresses=(), dns_failure=f.DNS_MISBEHAVING, endpoints=()),
)
row(
    "a zone broken for everybody, the control's resolver included",
    "down",
    rule="dns.gone",
    lookup=lambda r, name, n: f.SERVFAIL if name == HOST else (SITE,),
    control=broken_for_control(addresses=(), dns_failure=f.DNS_MISBEHAVING, endpoints=()),
)
row(
    "name gone for everybody",
    "down",
    rule="dns.gone",
    lookup=lambda r, name, n: f.NXDOMAIN if name == HOST else (SITE,),
    control=broken_for_control(addresses=(), dns_failure=f.NXDOMAIN, endpoints=()),
)
row(
    "name gone, no helper",
    "down",
    rule="dns.gone",
    lookup=lambda r, name, n: f.NXDOMAIN if name == HOST else (SITE,),
    control=None,
)
row(
    "zone says 127.0.0.1",
    "down",
    rule="dns.zone",
    url=HTTP,
    lookup=resolves("127.0.0.1"),
    site=(),
    control=broken_for_control(addresses=("127.0.0.1",), endpoints=()),
)
row(
    "IPv6 only (J)",
    "inconclusive",
    rule="dns.ipv6",
    lookup=lambda r, name, n: (
        f.NO_ANSWER
        if r in ("system", "line") and name == HOST
        else ("2a00:1450::5",)
        if name == HOST
        else (SITE,)
    ),
    dial=on_address(f.NETWORK_UNREACHABLE, "2a00:1450::5"),
    site=("2a00:1450::5",),
)
row(
    "resolver dead, nothing else",
    "inconclusive",
    rule="dns.dead",
    calm=False,
    lookup=lambda r, name, n: f.DNS_TEMPORARY,
    resolvers=("system",),
    controls=lambda url: {"addresses": (SITE,)},
    probe="dns",
)
row(
    "NXDOMAIN, nobody to ask (B)",
    "inconclusive",
    rule="dns.alone",
    lookup=lambda r, name, n: f.NXDOMAIN if name == HOST else (SITE,),
    control=None,
    resolvers=("system",),
)

row(
    "one page a hop, fetched over another address than the resolver's",
    "ok",
    rule="page.tls",
    lookup=lambda r, name, n: (SITE,) if r == "system" else (SITE, SITE2),
    answer=lambda a, h, t, n: None,
    dial=lambda a, port, n: None,
)
row(
    "injected whoever is asked, but the first answer got lost",
    "blocked",
    "dns.injection",
    "dns.injected",
    lookup=lambda r, name, n: (SITE,) if r == DOH or name != HOST or n == 0 else ("127.0.0.1",),
    late=late_truth,
    grades="strong",
)
row(
    "SERVFAIL injected whoever is asked, but the first answer got lost",
    "blocked",
    "dns.injection",
    "dns.injected",
    lookup=lambda r, name, n: (SITE,) if r == DOH or name != HOST or n == 0 else f.SERVFAIL,
    late=late_truth,
    grades="strong",
)
row(
    "SERVFAIL from the first of two resolvers that a router asks, and one sender's packets",
    "ok",
    lookup=lambda r, name, n: (SITE,) if r == DOH or name != HOST or n == 0 else f.SERVFAIL,
    late=late_truth,
    ip_ttl=56,
)
