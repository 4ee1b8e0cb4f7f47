"""Servers that are slow, strict, tired or broken by themselves, for everybody or for us."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import (
    at,
    down,
    http,
    https,
    nowhere,
    ok,
    redirect,
    refused,
    serve,
    signs,
    site,
    unclear,
)
from blockwatch.lab.world import Manners

row = partial(say.row, family="noise", world="more")

_LARGE = serve("large", bytes=300000, html=True)

ROWS = (
    row(
        "strict-tls",
        "server resets unknown and missing names, page dynamic",
        https(ok(), see="ok"),
        source="own: servers that know their own name alone",
        sites=(site(https=serve("dynamic"), manners=Manners(unknown_sni="reset")),),
    ),
    row(
        "wrong-name-and-strict",
        "wrong name for everybody; unknown names get an alert",
        https(ok(), down(), unclear(), see="tls.cert:name"),
        family="down",
        source="own: servers that know their own name alone",
        sites=(site(cert="wrong", manners=Manners(unknown_sni="alert")),),
    ),
    row(
        "expired-and-flaky",
        "expired for everybody, and 40 % resets",
        https(ok(), down(), unclear(), see="any"),
        source="own: overloaded servers",
        sites=(site(cert="expired", manners=Manners(tls_flaky=0.4)),),
    ),
    row(
        "wakes-up",
        "server that resets the first three requests of each client",
        https(ok(), down(), unclear(), see="any"),
        source="own: servers that start when they are asked",
        sites=(site(https=serve("early", n=3)),),
    ),
    row(
        "client-certificate",
        "server wants a certificate of the client, TLS 1.3",
        https(ok(), down(), refused(), unclear(), see="any"),
        source="own: servers that want a certificate of the client",
        sites=(site(manners=Manners(client_cert=True)),),
    ),
    row(
        "tls12-only",
        "server speaks TLS 1.2 alone",
        https(ok(), see="ok"),
        family="clean",
        source="own: servers without TLS 1.3",
        sites=(site(manners=Manners(tls12=True)),),
    ),
    row(
        "slow-handshake",
        "handshakes take 4 s",
        https(ok(), see="any", slow=True),
        family="clean",
        source="own: slow servers",
        sites=(site(manners=Manners(tls_delay=4)),),
    ),
    row(
        "rate-limit",
        "429 in cleartext after three requests; flaky before",
        http(ok(), down(), refused(), unclear(), see="any"),
        source="own: servers that count requests",
        sites=(site(https=None, http=serve("ratelimit", n=1)),),
    ),
    row(
        "denies-everybody",
        "the site itself shows 'access denied' to everybody, small page",
        http(ok(), refused(), down(), unclear(), see="any"),
        family="clean",
        source="own: sites that show such words themselves",
        sites=(site(https=None, http=serve("blockpage", lang="ru")),),
    ),
    row(
        "ends-late",
        "page without length, closed after 25 s",
        http(ok(), down(), unclear(), see="any", slow=True),
        source="own: servers that keep the connection open",
        sites=(site(https=None, http=serve("endsopen")),),
    ),
    row(
        "cuts-its-page",
        "half a page, then a reset, everybody",
        http(ok(), down(), unclear(), see="http.reset"),
        source="own: servers that fail by themselves",
        sites=(site(https=None, http=serve("cutbody")),),
    ),
    row(
        "goaway",
        "GOAWAY to every request over HTTP/2",
        https(ok(), down(), unclear(), see="ok"),
        family="clean",
        source="own: clients that speak otherwise than the control",
        sites=(site(pool="cloudflare", https=serve("goaway")),),
    ),
    row(
        "h2-cut",
        "HTTP/2 connection reset in half a page",
        https(ok(), down(), unclear(), see="any"),
        source="own: servers that fail by themselves",
        sites=(site(pool="cloudflare", https=serve("cutbody")),),
    ),
    row(
        "slow-for-us",
        "needs 9 s for us, none for the control",
        http(ok(), unclear(), see="any", slow=True),
        source="own: servers that are slow for some networks",
        sites=(site(https=None, http=serve("slow", seconds=9, audience="probe")),),
    ),
    row(
        "trickles-for-us",
        "20 kB/s for us alone, by the server",
        https(ok(), unclear(), signs("throttle"), see="throttle", slow=True),
        source="own: servers that are slow for some networks",
        sites=(site(https=serve("slowbody", rate=20, audience="probe")),),
    ),
    row(
        "slow-vhost",
        "the same in cleartext",
        http(ok(), down(), unclear(), key="b", see="throttle", slow=True),
        source="own: one slow site of a quick server",
        sites=(
            site(https=None, http=_LARGE),
            site("b", share="a", https=None, http=serve("slowbody", rate=15)),
        ),
    ),
    row(
        "stalled-vhost",
        "the same in cleartext",
        http(ok(), down(), unclear(), key="b", see="freeze", slow=True),
        source="own: one slow site of a quick server",
        sites=(
            site(https=None, http=_LARGE),
            site("b", share="a", https=None, http=serve("slowbody", rate=80, stall=1)),
        ),
    ),
    row(
        "silent-vhost",
        "one vhost never answers anybody; its neighbour does",
        https(down(), unclear(), key="b", see="http.timeout"),
        family="down",
        source="own: one dead site of a living server",
        sites=(site(), site("b", share="a", https=serve("hang"))),
    ),
    row(
        "cuts-for-us",
        "half a page, then a reset, for us alone",
        https(ok(), unclear(), refused(), down(), signs("http."), see="any"),
        source="own: servers that cut some networks off",
        sites=(site(https=serve("cutbody", audience="probe")),),
    ),
    row(
        "chain-to-nowhere",
        "http, three redirects, the last site is gone for everybody",
        http(down(), see="dns.nxdomain"),
        family="down",
        source="own: redirects to sites that are gone",
        sites=(
            site(http=redirect("https://@b@/", 302)),
            site("b", https=redirect("http://@c@/", 302)),
            nowhere("c", rcode=3),
        ),
    ),
    row(
        "address-in-url",
        "a URL with an address instead of a name",
        at(http(ok(), unclear(), see="ok"), "http://@a.ip@/"),
        family="clean",
        source="own: lists with addresses instead of names",
        sites=(site(https=None),),
    ),
    row(
        "path-gone",
        "a path that is gone for everybody",
        at(https(ok(), down(), see="http.status:404"), "https://@a@/old/page"),
        family="clean",
        source="own: old links",
        sites=(site(paths={"/old/page": serve("status", code=404)}),),
    ),
)
