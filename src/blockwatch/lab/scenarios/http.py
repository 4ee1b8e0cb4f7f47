"""Interference with cleartext HTTP, by Host."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import pages, say
from blockwatch.lab.scenarios.say import blocked, http, https, ok, redirect, serve, site, unclear
from blockwatch.lab.world import HttpRule, TlsRule

row = partial(say.row, family="http")

ROWS = (
    row(
        "o18",
        "RST on the Host header",
        http(blocked("http.reset"), see="http.reset"),
        source="ooni-qa",
        rules=(HttpRule(host="@a@", do="rst"),),
    ),
    row(
        "o19",
        "injected 200 block page without headers, DNS clean",
        http(blocked("http.blockpage"), see="http.other"),
        source="ooni-qa",
        rules=(HttpRule(host="@a@", do="page", response=pages.DENIED_BARE),),
    ),
    row(
        "o34",
        "shortener works, its http target is blocked: fin",
        https(blocked("http.eof"), see="http.eof"),
        source="ooni-qa",
        sites=(
            site(http=None, https=redirect("http://@b@/"), pool="aws"),
            site("b"),
        ),
        rules=(
            HttpRule(host="@b@", do="fin"),
            TlsRule(sni="@b@", do="fin"),
        ),
    ),
    row(
        "o36",
        "shortener works, its http target is blocked: drop",
        https(blocked("http.timeout"), see="http.timeout"),
        source="ooni-qa",
        sites=(
            site(http=None, https=redirect("http://@b@/"), pool="aws"),
            site("b"),
        ),
        rules=(
            HttpRule(host="@b@", do="drop"),
            TlsRule(sni="@b@", do="drop"),
        ),
    ),
    row(
        "e-Z",
        "200 block page with Content-Length",
        http(blocked("http.blockpage"), see="http.other"),
        source="ooni-edge",
        rules=(HttpRule(host="@a@", do="page", response=pages.DENIED),),
    ),
    row(
        "tm-http-rst",
        "TM: RST to both sides on Host",
        http(blocked("http.reset"), see="http.reset"),
        source="central-asia",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="rst", ipid=30000, ttl0=128),),
    ),
    row(
        "uz-redirect",
        "UZ: injected redirect to the registry page",
        http(blocked("http.redirect", "http.blockpage"), see="http.other"),
        source="central-asia",
        rules=(HttpRule(host="@a@", do="page", response=pages.UZ_REDIRECT),),
    ),
    row(
        "kg-elcat",
        "KG: injected page 'blocked by judicial decision'",
        http(blocked("http.blockpage"), see="http.other"),
        source="central-asia",
        rules=(HttpRule(host="@a@", do="page", response=pages.KG_JUDICIAL),),
    ),
    row(
        "ca-page-utf8",
        "http-only site, injected Russian page, UTF-8",
        http(blocked("http.blockpage"), see="http.other"),
        source="central-asia",
        sites=(site(http=serve("page", lang="ru"), https=None),),
        rules=(HttpRule(host="@a@", do="page", response=pages.RU_UTF8),),
    ),
    row(
        "ca-host-drop",
        "http time-out after the Host header",
        http(blocked("http.timeout"), see="http.timeout"),
        source="central-asia",
        rules=(HttpRule(host="@a@", do="drop"),),
    ),
    row(
        "ca-host-fin",
        "http FIN after the Host header",
        http(blocked("http.eof"), see="http.eof"),
        source="central-asia",
        rules=(HttpRule(host="@a@", do="fin"),),
    ),
    row(
        "ca-redirect-ip",
        "injected redirect to a block page on an address",
        http(blocked("http.redirect", "http.blockpage"), see="http.other"),
        source="central-asia",
        rules=(HttpRule(host="@a@", do="page", response=pages.REDIRECT_TO_ADDRESS),),
    ),
    row(
        "e-E",
        "200 block page without a title, site titled in short words",
        http(blocked("http.blockpage"), see="http.other"),
        source="ooni-edge",
        sites=(site(http=serve("page", title="The Sun at One"), https=None),),
        rules=(HttpRule(host="@a@", do="page", response=pages.UNTITLED),),
    ),
    row(
        "e-E2",
        '200 block page titled "Stop", site titled "BBC"',
        http(blocked("http.blockpage"), see="http.other"),
        source="ooni-edge",
        sites=(site(http=serve("page", title="BBC"), https=None),),
        rules=(HttpRule(host="@a@", do="page", response=pages.STOP),),
    ),
    row(
        "e-P",
        "injected redirect to an https block page with a valid certificate",
        http(blocked("http.redirect", "http.blockpage"), see="http.other"),
        source="ooni-edge",
        sites=(site(https=None), site("b", http=None, https=serve("blockpage"))),
        rules=(HttpRule(host="@a@", do="page", response=pages.REDIRECT_TO_B),),
    ),
    row(
        "page-1251",
        "injected Russian page, windows-1251, no Content-Length",
        http(blocked("http.blockpage"), see="http.other"),
        source="own",
        sites=(site(http=serve("page", lang="ru"), https=None),),
        rules=(HttpRule(host="@a@", do="page", response=pages.RU_1251),),
    ),
    row(
        "page-untitled",
        "injected page without a title, no Content-Length",
        http(blocked("http.blockpage"), see="http.other"),
        source="own",
        rules=(HttpRule(host="@a@", do="page", response=pages.UNTITLED_BARE),),
    ),
    row(
        "page-403",
        "injected page with status 403",
        http(blocked("http.blockpage"), see="http.status:403"),
        source="own",
        rules=(HttpRule(host="@a@", do="page", response=pages.DENIED_403),),
    ),
    row(
        "host-flaky",
        "RST on every second Host header",
        http(blocked("http.reset"), ok(), unclear(), see="any"),
        source="own",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="rst", share=0.5),),
    ),
    row(
        "host-residual",
        "drop on the Host header; the address stays dead for 20 s",
        http(blocked("http.timeout", "tcp.timeout"), see="http.timeout"),
        source="own",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", residual=20.0),),
    ),
    row(
        "nohelper-host",
        "RST on the Host header, no helper",
        http(blocked("http.reset"), see="http.reset"),
        source="own",
        world="no-helper",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="rst"),),
    ),
    row(
        "nohelper-page",
        "known block page injected, no helper",
        http(blocked("http.blockpage", "http.redirect"), see="http.other"),
        source="own",
        world="no-helper",
        rules=(HttpRule(host="@a@", do="page", response=pages.KG_JUDICIAL),),
    ),
)
