"""Broken for everybody: nobody interferes."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import (
    PAGE,
    at,
    down,
    http,
    https,
    nowhere,
    ok,
    redirect,
    refused,
    serve,
    site,
    unclear,
)

row = partial(say.row, family="down")

ROWS = (
    row(
        "o01",
        "certificate untrusted for everybody, server closes after the handshake",
        https(down(), ok(), see="tls.cert:unknown"),
        source="ooni-qa",
        sites=(site(http=None, https=serve("reset"), cert="untrusted"),),
    ),
    row(
        "o02",
        "certificate expired for everybody, server closes after the handshake",
        https(down(), ok(), see="tls.cert:expired"),
        source="ooni-qa",
        sites=(site(http=None, https=serve("reset"), cert="expired"),),
    ),
    row(
        "o25",
        "the zone itself says 127.0.0.1 for everybody",
        http(down(), unclear(), see="bogon"),
        source="ooni-qa",
        sites=(nowhere(A=["127.0.0.1"]),),
    ),
    row(
        "o48",
        "name does not exist for anybody",
        http(down(), see="dns.nxdomain"),
        source="ooni-qa",
        sites=(nowhere(rcode=3),),
    ),
    row(
        "e-C",
        "redirect target refuses everybody",
        https(down(), see="tcp.refused"),
        source="ooni-edge",
        sites=(
            site(http=None, https=redirect("https://@b@/"), pool="aws"),
            site("b", http=None, https=None),
        ),
    ),
    row(
        "e-C2",
        "redirect target does not exist for anybody",
        https(down(), see="dns.nxdomain"),
        source="ooni-edge",
        sites=(
            site(http=None, https=redirect("https://@b@/"), pool="aws"),
            nowhere("b", rcode=3),
        ),
    ),
    row(
        "e-G",
        "custom port with a certificate broken for everybody",
        at(https(down(), ok(), see="tls.cert:unknown"), "https://@a@:8443/"),
        source="ooni-edge",
        sites=(site(cert="untrusted", ports={8443: ("https", PAGE)}),),
    ),
    row(
        "down-timeout",
        "address dead for everybody",
        https(down(), see="tcp.timeout"),
        source="noise",
        sites=(site(n=0, dns={"A": ["62.122.7.7"]}),),
        dead=("62.122.7.7",),
    ),
    row(
        "down-refused",
        "ports closed for everybody",
        https(down(), see="tcp.refused"),
        source="noise",
        sites=(site(http=None, https=None),),
    ),
    row(
        "cert-self",
        "self-signed certificate for everybody, page served",
        https(down(), ok(), see="tls.cert:unknown"),
        source="noise",
        sites=(site(cert="self"),),
    ),
    row(
        "cert-expired",
        "expired certificate for everybody, page served",
        https(down(), ok(), see="tls.cert:expired"),
        source="noise",
        sites=(site(cert="expired"),),
    ),
    row(
        "down-tls-hang",
        "server never answers the ClientHello, for everybody",
        https(down(), see="tls.timeout"),
        source="noise",
        sites=(site(https=None, raw443="hang"),),
    ),
    row(
        "cert-wrong",
        "certificate of another name for everybody, page served",
        https(down(), ok(), see="tls.cert:name"),
        source="own",
        sites=(site(cert="wrong"),),
    ),
    row(
        "down-reset",
        "server resets every request, for everybody",
        http(down(), see="http.reset"),
        source="own",
        sites=(site(http=serve("reset"), https=None),),
    ),
    row(
        "down-hang",
        "server accepts the request and never answers, for everybody",
        http(down(), see="http.timeout"),
        source="own",
        sites=(site(http=serve("hang"), https=None),),
    ),
    row(
        "down-500",
        "server error for everybody",
        https(down(), ok(), refused(), see="http.status:500"),
        source="own",
        sites=(site(https=serve("status", code=500)),),
    ),
    row(
        "down-alert",
        "server answers every ClientHello with alert 40, for everybody",
        https(down(), see="tls.alert:40"),
        source="own",
        sites=(site(https=None, raw443="alert"),),
    ),
    row(
        "down-servfail",
        "the zone is broken: SERVFAIL for everybody",
        https(down(), see="dns.servfail"),
        source="own",
        sites=(nowhere(rcode=2),),
    ),
    row(
        "down-empty",
        "the name exists and has no address",
        https(down(), unclear(), see="dns.empty"),
        source="own",
        sites=(nowhere(empty=True),),
    ),
    row(
        "flaky-server",
        "server that resets every third request, for everybody",
        http(ok(), down(), unclear(), see="any"),
        source="own",
        sites=(site(http=serve("flaky", share=0.33), https=None),),
    ),
    row(
        "redirect-loop",
        "redirects to itself without end, for everybody",
        https(down(), unclear(), ok(), see="any"),
        source="own",
        sites=(site(https=serve("loop")),),
    ),
)
