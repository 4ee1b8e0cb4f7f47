"""Interference with TLS, in ways that are easily missed or named wrongly."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import pages, say
from blockwatch.lab.scenarios.say import blocked, down, http, https, ok, redirect, serve, site, unclear
from blockwatch.lab.world import DnsRule, HttpRule, Manners, Mitm, TlsRule

row = partial(say.row, family="tls", world="more")

ROWS = (
    row(
        "rst-to-server",
        "reset to the server alone: late, it comes in the midst of the request",
        https(blocked("tls.", "http.reset"), see="any"),
        source="own: boxes that see one direction",
        rules=(TlsRule(sni="@a@", do="rstserver"),),
    ),
    row(
        "one-way",
        "what the server says is swallowed",
        https(blocked("tls.timeout"), see="tls.timeout"),
        source="own: boxes that see one direction",
        rules=(TlsRule(sni="@a@", do="dropdown"),),
    ),
    row(
        "close-notify",
        "close_notify injected instead of a ServerHello",
        https(blocked("tls.eof", "tls.alert", "tls."), see="any"),
        source="own: alerts of boxes",
        rules=(TlsRule(sni="@a@", do="page", response=pages.CLOSE_NOTIFY),),
    ),
    row(
        "plain-redirect",
        "plain HTTP redirect after the ClientHello",
        https(blocked("tls.plaintext"), see="tls.plaintext"),
        source="own: plain text in place of a ServerHello",
        rules=(TlsRule(sni="@a@", do="page", response=pages.REDIRECT_TO_ADDRESS),),
    ),
    row(
        "mitm-gateway",
        "interception by an authority nobody knows",
        https(blocked("tls.mitm"), see="tls.cert:unknown"),
        source="own: interception by an authority nobody knows",
        mitm=(Mitm(site="a", style="gateway"),),
    ),
    row(
        "mitm-stranger",
        "TLS led to a block page's server with a valid certificate of its own name",
        https(blocked("tls.mitm"), unclear(), see="tls.cert:name"),
        source="own: block hosts with a certificate of their own",
        mitm=(Mitm(site="a", style="stranger"),),
    ),
    row(
        "mitm-isca-expired",
        "known interception of a site whose certificate has expired",
        https(blocked("tls.mitm"), see="tls.cert:unknown"),
        source="own: interception of a site that is broken itself",
        sites=(site(host="lapsed-seal.org", cert="expired"),),  # below .kz it may be lawful
        mitm=(Mitm(site="a", style="isca"),),
    ),
    row(
        "sni-at-home",
        "drop by name, at the site's own address alone; a neighbour there is well",
        https(blocked("tls.timeout"), unclear(), see="any"),
        https(ok(), key="b", see="any"),
        source="own: name and address on the list",
        sites=(site(), site("b", share="a")),
        rules=(TlsRule(sni="@a@", ip="@a.ip@"),),
    ),
    row(
        "sni-www",
        "the bare name works, www is reset by name",
        https(blocked("tls.reset"), see="tls.reset"),
        source="own: blocked redirect hops",
        sites=(
            site(host="bare-name.kz", https=redirect("https://www.bare-name.kz/")),
            site("w", host="www.bare-name.kz", share="a"),
        ),
        rules=(TlsRule(sni="@w@", do="rst"),),
    ),
    row(
        "sni-platform",
        "a platform and all beneath it: RST by suffix",
        *(https(blocked("tls.reset"), key=k, see="any") for k in "ab"),
        http(blocked("http.reset"), key="d", see="any"),
        source="own: platforms blocked with all beneath them",
        sites=(
            site(host="blog-platform.com", pool="cloudflare"),
            site("b", host="anna.blog-platform.com", share="a"),
            site("d", host="http.blog-platform.com", share="a"),
        ),
        rules=(TlsRule(sni="@a@", match="suffix", do="rst"), HttpRule(host="@a@", match="suffix", do="rst")),
    ),
    row(
        "nxdomain-and-rst",
        "NXDOMAIN from the ISP and RST by name",
        https(blocked("dns.nxdomain", "tls.reset"), see="any"),
        source="own: two ways at once",
        rules=(DnsRule(name="@a@", do="nxdomain", to="isp"), TlsRule(sni="@a@", do="rst")),
    ),
    row(
        "sni-control-refused",
        "RST by name; the site refuses the control with 403",
        https(blocked("tls.reset"), see="tls.reset"),
        source="own: blocked sites that are odd themselves",
        sites=(site(https=serve("status", code=403, audience="helper")),),
        rules=(TlsRule(sni="@a@", do="rst"),),
    ),
    row(
        "sni-flaky-site",
        "drop by name; the site resets 35 % of the handshakes by itself",
        https(blocked("tls.timeout"), unclear(), down(), see="any"),
        source="own: blocked sites that are odd themselves",
        sites=(site(manners=Manners(tls_flaky=0.35)),),
        rules=(TlsRule(sni="@a@"),),
    ),
    row(
        "rst-at-certificate",
        "reset when the certificate passes",
        https(blocked("tls.reset"), see="tls.reset"),
        source="own: boxes that read certificates",
        rules=(TlsRule(sni="@a@", do="rstafter", after=300),),
    ),
)
