"""Interference with requests and transfers, in ways that are easily missed or named wrongly."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import pages, say
from blockwatch.lab.scenarios.say import at, blocked, http, https, ok, redirect, serve, site
from blockwatch.lab.world import HttpRule, Manners, TlsRule

row = partial(say.row, family="http", world="more")

_LARGE = serve("large", bytes=300000, html=True)
_SLOWED = ("throttle", "http.timeout", "tls.timeout", "freeze")

ROWS = (
    row(
        "page-race",
        "page injected beside the path, the true one follows",
        http(blocked("http.blockpage"), see="any"),
        source="own: boxes beside the path",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="race", response=pages.DENIED),),
    ),
    row(
        "host-rst-to-server",
        "reset to the server alone by Host: late, it comes after the answer, and blocks nothing",
        http(blocked("http."), ok(), see="any"),
        source="own: boxes that see one direction",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="rstserver"),),
    ),
    row(
        "host-one-way",
        "what the server says is swallowed, by Host",
        http(blocked("http.timeout"), see="http.timeout"),
        source="own: boxes that see one direction",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="dropdown"),),
    ),
    row(
        "page-gzip",
        "injected page, compressed",
        http(blocked("http.blockpage", "http.redirect"), see="any"),
        source="own: block pages that do not look like one",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="page", response=pages.CLOSED_GZIP),),
    ),
    row(
        "page-in-a-frame",
        "injected page with nothing but a frame",
        http(blocked("http.blockpage", "http.redirect"), see="any"),
        source="own: block pages that do not look like one",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="page", response=pages.IN_A_FRAME),),
    ),
    row(
        "page-kazakh",
        "injected page in Kazakh",
        http(blocked("http.blockpage", "http.redirect"), see="any"),
        source="own: block pages that do not look like one",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="page", response=pages.KAZAKH),),
    ),
    row(
        "page-long",
        "injected page of 24 KB",
        http(blocked("http.blockpage", "http.redirect"), see="any"),
        source="own: block pages that do not look like one",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="page", response=pages.LONG),),
    ),
    row(
        "page-of-dynamic",
        "injected page without a word of blocking; the site's page changes",
        http(blocked("http.blockpage"), see="any"),
        source="own: block pages that do not look like one",
        sites=(site(https=None, http=serve("dynamic")),),
        rules=(HttpRule(host="@a@", do="page", response=pages.MAINTENANCE),),
    ),
    row(
        "page-strict",
        "injected page; the site's server and its https are strict about names",
        http(blocked("http.blockpage"), see="any"),
        source="own: servers that know their own name alone",
        sites=(site(manners=Manners(unknown_host="404", unknown_sni="reset")),),
        rules=(HttpRule(host="@a@", do="page", response=pages.RU_UTF8),),
    ),
    row(
        "page-control-refused",
        "injected page; the site refuses the control with 403",
        http(blocked("http.blockpage"), see="any"),
        source="own: blocked sites that are odd themselves",
        sites=(site(https=None, http=serve("status", code=403, audience="helper")),),
        rules=(HttpRule(host="@a@", do="page", response=pages.RU_UTF8),),
    ),
    row(
        "host-control-unanswered",
        "RST by Host; the control gets no answer",
        http(blocked("http.reset"), see="http.reset"),
        source="own: blocked sites that are odd themselves",
        sites=(site(https=None, http=serve("hang", audience="helper")),),
        rules=(HttpRule(host="@a@", do="rst"),),
    ),
    row(
        "redirect-inward",
        "injected redirect to a private address",
        http(blocked("http.redirect", "http.blockpage"), see="tcp.timeout"),
        source="own: block page servers inside",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", do="page", response=pages.REDIRECT_INWARD),),
        dead=("10.200.0.9",),
    ),
    row(
        "redirect-to-stranger",
        "injected redirect to an ordinary site of somebody else",
        http(blocked("http.redirect", "http.blockpage"), see="any"),
        source="own: redirects to an ordinary site",
        sites=(site(https=None), site("b", https=None)),
        rules=(HttpRule(host="@a@", do="page", response=pages.REDIRECT_TO_B_PLAIN),),
    ),
    row(
        "redirect-to-isp-name",
        "injected redirect to a name that the ISP's resolver alone knows",
        http(blocked("http.redirect", "http.blockpage"), see="any"),
        source="own: redirects to names of the provider",
        sites=(
            site(https=None),
            site(
                "b",
                https=None,
                http=serve("blockpage", lang="ru"),
                dns={"views": {"isp": ["@b.ip@"], "*": "nxdomain"}},
            ),
        ),
        rules=(HttpRule(host="@a@", do="page", response=pages.REDIRECT_TO_B_PLAIN),),
    ),
    row(
        "page-second-hop-tls",
        "https redirects to cleartext, which gets an injected page",
        https(blocked("http.blockpage"), see="any"),
        source="own: blocked redirect hops",
        sites=(site(https=redirect("http://@b@/x", 302)), site("b", https=None)),
        rules=(HttpRule(host="@b@", do="page", response=pages.MAINTENANCE),),
    ),
    row(
        "host-drop-tls-fine",
        "cleartext dropped by Host, https works and is asked too",
        http(blocked("http.timeout"), see="http.timeout"),
        at(https(ok(), see="ok"), "https://@a@/"),
        source="own: cleartext and TLS of one site",
        rules=(HttpRule(host="@a@"),),
    ),
    row(
        "mute-page-three",
        "one wordless page injected at three sites by Host",
        *(http(blocked("http.blockpage"), key=k, see="any") for k in "abc"),
        source="own: one page at several sites",
        sites=tuple(site(k, https=None) for k in "abc"),
        rules=tuple(HttpRule(host=f"@{k}@", do="page", response=pages.MAINTENANCE) for k in "abc"),
    ),
    row(
        "bare-403-three",
        "one injected 403 without words at three sites by Host",
        *(http(blocked("http.blockpage"), key=k, see="http.status:403") for k in "abc"),
        source="own: one page at several sites",
        sites=tuple(site(k, https=None) for k in "abc"),
        rules=tuple(HttpRule(host=f"@{k}@", do="page", response=pages.BARE_403) for k in "abc"),
    ),
    row(
        "url-rst",
        "RST for one path only",
        at(http(blocked("http.reset"), see="http.reset"), "http://@a@/politics/17"),
        source="own: filters that read the path",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", path="/politics", do="rst"),),
    ),
    row(
        "url-redirect",
        "redirect injected for one path only",
        at(http(blocked("http.redirect", "http.blockpage"), see="any"), "http://@a@/politics/17"),
        source="own: filters that read the path",
        sites=(site(https=None),),
        rules=(HttpRule(host="@a@", path="/politics", do="page", response=pages.REDIRECT_TO_ADDRESS),),
    ),
    row(
        "rst-after-20k",
        "reset after 20 KB",
        https(blocked("http.reset", "freeze", "http.", "throttle"), see="any", slow=True),
        source="own: transfers that are cut",
        sites=(site(https=_LARGE),),
        rules=(TlsRule(sni="@a@", do="rstafter", after=20000),),
    ),
    row(
        "throttle-h2",
        "name throttled to 15 kB/s at a content network (HTTP/2)",
        https(blocked(*_SLOWED), see="throttle", slow=True),
        family="throttle",
        source="own: transfers over HTTP/2",
        sites=(site(pool="cloudflare", https=_LARGE),),
        rules=(TlsRule(sni="@a@", do="throttle", rate=15),),
    ),
    row(
        "freeze-h2",
        "HTTP/2 flow freezes after 20 KB",
        https(blocked("freeze", "throttle", "http.timeout"), see="freeze", slow=True),
        family="throttle",
        source="own: transfers over HTTP/2",
        sites=(site(pool="aws", https=_LARGE),),
        rules=(TlsRule(sni="@a@", do="freeze", after=20000),),
    ),
)
