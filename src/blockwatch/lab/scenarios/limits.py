"""Servers that stop answering us once we have asked often: nobody interferes."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import down, http, https, notice, ok, refused, serve, signs, site, unclear
from blockwatch.lab.world import Manners, TcpRule

row = partial(say.row, family="noise", world="limits")

_GEO = notice(
    "Limited",
    "Access to this page from your region is limited by the hosting provider.",
    audience="probe",
)

ROWS = (
    row(
        "ban-http",
        "the server's firewall drops all of ours after 4 connections; four cleartext names there",
        *(http(ok(), unclear(), signs("tcp.", "http."), refused(), key=k, see="any") for k in "abcd"),
        source="own: the firewall of a server that counts connections",
        sites=(site(https=None), *(site(k, https=None, share="a") for k in "bcd")),
        rules=(TcpRule(ip="@a.ip@", after=4),),
    ),
    row(
        "ban-after-notice",
        "an unlike page for us; the firewall drops us after 4 connections",
        http(ok(), unclear(), refused(), signs("tcp."), see="any"),
        source="own: the firewall of a server that counts connections",
        sites=(site(https=None, http=_GEO),),
        rules=(TcpRule(ip="@a.ip@", after=4),),
    ),
    row(
        "ban-after-dynamic",
        "a page unlike the control's; the firewall drops us after 2 connections",
        http(ok(), unclear(), refused(), signs("tcp."), see="any"),
        source="own: the firewall of a server that counts connections",
        sites=(site(https=None, http=serve("page", audience="probe", lang="ru", bytes=26000)),),
        rules=(TcpRule(ip="@a.ip@", after=2),),
    ),
    row(
        "ban-after-slow",
        "a slow server; the firewall drops us after 3 connections",
        https(ok(), down(), unclear(), refused(), signs("tcp.", "tls."), see="any", slow=True),
        source="own: the firewall of a server that counts connections",
        sites=(site(https=serve("slowbody", rate=20, bytes=100000)),),
        rules=(TcpRule(ip="@a.ip@", after=3),),
    ),
    row(
        "ban-refused",
        "the firewall refuses us after 3 connections; four names there",
        *(https(ok(), unclear(), refused(), signs("tcp.", "tls."), key=k, see="any") for k in "abcd"),
        source="own: the firewall of a server that counts connections",
        sites=(site(), *(site(k, share="a") for k in "bcd")),
        rules=(TcpRule(ip="@a.ip@", do="rst", after=3),),
    ),
    row(
        "wakes-then-tires",
        "server resets the first request, and everything of a client after six connections",
        https(ok(), down(), unclear(), signs("tls.", "http.", "tcp."), refused(), see="any"),
        source="own: the firewall of a server that counts connections",
        sites=(site(https=serve("early", n=1), manners=Manners(limit=6, over="reset")),),
    ),
    row(
        "wakes-then-hangs",
        "server resets the first request, and lets a client hang after five connections, cleartext",
        http(ok(), down(), unclear(), signs("http."), refused(), see="any"),
        source="own: the firewall of a server that counts connections",
        sites=(site(https=None, http=serve("early", n=1), manners=Manners(limit=5, over="hang")),),
    ),
    row(
        "handshake-limit",
        "server resets all of a client's handshakes after three; four names there",
        *(https(ok(), unclear(), refused(), down(), signs("tls."), key=k, see="any") for k in "abcd"),
        source="own: the firewall of a server that counts connections",
        sites=(site(manners=Manners(limit=3, over="reset")), *(site(k, share="a") for k in "bcd")),
    ),
    row(
        "limits-clean",
        "ordinary clean sites",
        *(https(ok(), see="ok", key=key) for key in "abcd"),
        http(ok(), key="e", see="ok"),
        family="clean",
        source="own: names that serve as controls",
        sites=(site(), site("b", pool="aws"), site("c", pool="cloudflare"), site("d"), site("e", https=None)),
    ),
)
