"""Test helpers that are late, die, err or lie: what one helper says is not the truth."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import pages, say, usual
from blockwatch.lab.scenarios.say import blocked, down, http, https, ok, signs, site, unclear
from blockwatch.lab.world import DnsRule, HttpRule, TcpRule, TlsRule

row = partial(say.row, family="noise", world="helper-walled")
_WALLED = "own: helpers whose own network blocks"
_ANY = (signs("dns.", "tcp.", "tls.", "http."),)


ROWS = (
    *usual.rows(
        "helper-says-down",
        "rst nxdomain page ok*3 cleartext dead",
        source="own: helpers without a network, which call every site down",
        open_to="rst nxdomain page cleartext",
    ),
    *usual.rows(
        "helper-says-empty",
        "rst nxdomain page ok*4 cleartext dead closed",
        source="own: helpers behind a proxy, which call every site up",
        open_to="rst nxdomain page cleartext",
        also=_ANY,
    ),
    *usual.rows(
        "helper-dies",
        "rst nxdomain page ok cleartext*2 dead",
        source="own: helpers that answer after 20 s, and die in mid-run",
        open_to="nxdomain page cleartext",
    ),
    # The helper's own network blocks the sites that are asked about, and shows others as they are.
    row(
        "walled-clean",
        "the helper cannot reach two sites that work",
        https(ok(), see="ok"),
        http(ok(), unclear(), key="b", see="ok"),
        source=_WALLED,
        sites=(site(host="one-walled.net"), site("b", host="two-walled.net", https=None)),
    ),
    row(
        "walled-rst",
        "reset by name, and the helper cannot reach it",
        https(blocked("tls.reset"), unclear(), down(), see="tls.reset"),
        source=_WALLED,
        sites=(site(host="three-walled.net"),),
        rules=(TlsRule(sni="@a@", do="rst"),),
    ),
    row(
        "walled-page",
        "block page by Host, and the helper cannot reach it",
        http(blocked("http.blockpage"), unclear(), see="any"),
        source=_WALLED,
        sites=(site(host="four-walled.net", https=None),),
        rules=(HttpRule(host="@a@", do="page", response=pages.RU_UTF8),),
    ),
    row(
        "walled-nxdomain",
        "denied by the ISP's resolver, and the helper cannot reach it",
        https(blocked("dns.nxdomain"), unclear(), down(), see="dns.nxdomain"),
        source=_WALLED,
        sites=(site(host="five-walled.net"),),
        rules=(DnsRule(name="@a@", do="nxdomain", to="isp"),),
    ),
    row(
        "walled-ip",
        "address dropped, and the helper cannot reach it",
        https(down(), unclear(), blocked("tcp.timeout"), see="tcp.timeout"),
        source=_WALLED,
        sites=(site(host="six-walled.net"),),
        rules=(TcpRule(ip="@a.ip@"),),
    ),
    *usual.rows(
        "helper-walled",
        "ok cleartext",
        source=_WALLED,
    ),
)
