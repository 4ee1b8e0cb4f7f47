"""Interference with TLS, by server name."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import pages, say
from blockwatch.lab.scenarios.say import blocked, https, ok, redirect, site, unclear
from blockwatch.lab.world import HttpRule, Mitm, TlsRule

row = partial(say.row, family="tls")

ROWS = (
    row(
        "o32",
        "shortener works, its https target is blocked: rst",
        https(blocked("tls.reset"), see="tls.reset"),
        source="ooni-qa",
        sites=(
            site(http=None, https=redirect("https://@b@/"), pool="aws"),
            site("b"),
        ),
        rules=(
            HttpRule(host="@b@", do="rst"),
            TlsRule(sni="@b@", do="rst"),
        ),
    ),
    row(
        "o46",
        "RST on SNI",
        https(blocked("tls.reset"), see="tls.reset"),
        source="ooni-qa",
        rules=(TlsRule(sni="@a@", do="rst"),),
    ),
    row(
        "uz-plain-tls",
        "UZ: 'Object not found' in plain text after the ClientHello, then FIN",
        https(blocked("tls.plaintext"), see="tls.plaintext"),
        source="central-asia",
        rules=(TlsRule(sni="@a@", do="page", response=b"Object not found\r\n", ipid=13330),),
    ),
    row(
        "kz-sni-drop",
        "KZ: SNI drop, time-out after the ClientHello",
        https(blocked("tls.timeout"), see="tls.timeout"),
        source="central-asia",
        rules=(TlsRule(sni="@a@", do="drop"),),
    ),
    row(
        "kz-sni-neighbour",
        "KZ: SNI drop, another name on the same address works",
        https(blocked("tls.timeout"), see="tls.timeout"),
        https(ok(), key="b", see="ok"),
        source="central-asia",
        sites=(
            site(pool="cloudflare"),
            site("b", share="a"),
        ),
        rules=(TlsRule(sni="@a@", do="drop"),),
    ),
    row(
        "kz-mitm-isca",
        "KZ: interception, chain C=KZ,O=ISCA, intermediate expired",
        https(blocked("tls.mitm"), see="tls.cert:unknown"),
        source="central-asia",
        mitm=(Mitm(site="a", style="isca"),),
    ),
    row(
        "ca-sni-fin",
        "FIN injected on SNI",
        https(blocked("tls.eof"), see="tls.eof"),
        source="central-asia",
        rules=(TlsRule(sni="@a@", do="fin"),),
    ),
    row(
        "e-F",
        "RST on SNI, the certificate is expired for everybody",
        https(blocked("tls.reset"), see="tls.reset"),
        source="ooni-edge",
        sites=(site(cert="expired"),),
        rules=(TlsRule(sni="@a@", do="rst"),),
    ),
    row(
        "kz-mitm-qaznet",
        "KZ 2019: interception, leaf copied from the true one, exponent 3",
        https(blocked("tls.mitm"), see="tls.cert:unknown"),
        source="central-asia",
        mitm=(Mitm(site="a", style="qaznet"),),
    ),
    row(
        "local-av",
        "antivirus of the machine itself intercepts unrelated names",
        https(ok(), unclear(), see="tls.cert:unknown"),
        https(ok(), unclear(), key="b", see="tls.cert:unknown"),
        source="own",
        world="antivirus",
        sites=(site(), site("b", pool="cloudflare")),
        mitm=(Mitm(site="a", style="av"), Mitm(site="b", style="av")),
    ),
    row(
        "tls-alert",
        "alert 112 (unrecognized name) injected on SNI",
        https(blocked("tls.alert"), see="tls.alert:112"),
        source="own",
        rules=(TlsRule(sni="@a@", do="page", response=pages.ALERT_UNRECOGNIZED_NAME),),
    ),
    row(
        "tls-alert-40",
        "alert 40 (handshake failure) injected on SNI",
        https(blocked("tls.alert"), see="tls.alert:40"),
        source="own",
        rules=(TlsRule(sni="@a@", do="page", response=pages.ALERT_HANDSHAKE_FAILURE),),
    ),
    row(
        "sni-suffix",
        "SNI drop of a name and all beneath it",
        https(blocked("tls.timeout"), see="tls.timeout"),
        source="own",
        rules=(TlsRule(sni="@a@", match="suffix"),),
    ),
    row(
        "sni-rst-probe-only",
        "RST on SNI towards the probe alone",
        https(blocked("tls.reset"), see="tls.reset"),
        source="own",
        rules=(TlsRule(sni="@a@", do="rst", both=False),),
    ),
    row(
        "sni-one-address",
        "SNI drop towards one of two addresses",
        https(ok(), blocked("tls.timeout"), see="any"),
        source="own",
        sites=(site(n=2),),
        rules=(TlsRule(sni="@a@", ip="@a.ip1@"),),
    ),
    row(
        "sni-flaky",
        "SNI reset of every second flow",
        https(blocked("tls.reset"), ok(), unclear(), see="any"),
        source="own",
        rules=(TlsRule(sni="@a@", do="rst", share=0.5),),
    ),
    row(
        "sni-residual",
        "SNI drop; the address stays dead for 20 s, also for its neighbour",
        https(blocked("tls.timeout", "tcp.timeout"), see="tls.timeout"),
        https(ok(), unclear(), key="b", see="any"),
        source="own",
        sites=(site(), site("b", share="a")),
        rules=(TlsRule(sni="@a@", residual=20.0),),
    ),
    row(
        "plain-html",
        "HTTP block page in plain text after the ClientHello",
        https(blocked("tls.plaintext"), see="tls.plaintext"),
        source="own",
        rules=(TlsRule(sni="@a@", do="page", response=pages.DENIED),),
    ),
    row(
        "nohelper-sni",
        "SNI drop, no helper",
        https(blocked("tls.timeout"), see="tls.timeout"),
        source="own",
        world="no-helper",
        rules=(TlsRule(sni="@a@"),),
    ),
    row(
        "nohelper-sni-rst",
        "RST on SNI, no helper",
        https(blocked("tls.reset"), see="tls.reset"),
        source="own",
        world="no-helper",
        rules=(TlsRule(sni="@a@", do="rst"),),
    ),
    row(
        "loss-sni",
        "SNI drop on a line that loses 5 %",
        https(blocked("tls.timeout"), see="any"),
        source="own",
        world="loss",
        rules=(TlsRule(sni="@a@"),),
    ),
)
