"""Sites of several houses: servers that fail at times, back-ends that differ, redirects within one owner."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import pages, say, usual
from blockwatch.lab.scenarios.say import (
    blocked,
    down,
    http,
    https,
    ok,
    redirect,
    serve,
    signs,
    site,
    to_us,
    unclear,
)
from blockwatch.lab.world import HttpRule, Manners, TlsRule

row = partial(say.row, family="noise", world="houses")

_AT_TIMES = (ok(), down(), unclear())
_FAILING = "own: servers that fail for everybody at times"
_TWO = "own: two back-ends that differ"
_LED = "own: owners with a site for each country"

ROWS = (
    row(
        "fails-at-times",
        "30 % of everybody's handshakes, or requests, are reset",
        https(*_AT_TIMES, see="any"),
        https(*_AT_TIMES, key="b", see="any"),
        http(*_AT_TIMES, key="c", see="any"),
        source=_FAILING,
        sites=(
            site(manners=Manners(tls_flaky=0.3)),
            site("b", n=2, pool="cloudflare", https=serve("flaky", share=0.3)),
            site("c", https=None, http=serve("flaky", share=0.3)),
        ),
    ),
    row(
        "fails-blocked",
        "fails 30 % for everybody, and is blocked by name",
        https(blocked("tls.reset"), unclear(), down(), see="any"),
        https(blocked("tls.timeout"), unclear(), down(), key="b", see="any"),
        http(blocked("http.blockpage"), unclear(), down(), key="c", see="any"),
        source=_FAILING,
        sites=(
            site(manners=Manners(tls_flaky=0.3)),
            site("b", manners=Manners(tls_flaky=0.3)),
            site("c", https=None, http=serve("flaky", share=0.3)),
        ),
        rules=(
            TlsRule(sni="@a@", do="rst"),
            TlsRule(sni="@b@"),
            HttpRule(host="@c@", do="page", response=pages.RU_UTF8),
        ),
    ),
    row(
        "two-certificates",
        "one of two back-ends has a certificate of its own making",
        https(*_AT_TIMES, see="any"),
        source=_TWO,
        sites=(
            site("b", host="back1.two-houses.net", cert="self"),
            site(dns={"A": ["@a.ip@", "@b.ip@"]}),
        ),
    ),
    row(
        "expired-here",
        "we are given the back-end whose certificate has expired, the control the other",
        https(*_AT_TIMES, signs("dns.", "tls."), see="any"),
        source=_TWO,
        sites=(
            site("b", host="back2.two-houses.net", cert="expired"),
            site(dns={"views": {"isp": ["@b.ip@"], "*": ["@a.ip@"]}}),
        ),
    ),
    row(
        "two-pages",
        "two back-ends with a page of their own, by turns, cleartext",
        http(ok(), unclear(), see="any"),
        source=_TWO,
        sites=(site(n=2, https=None, http=serve("bynode"), dns={"rotate": 1}),),
    ),
    row(
        "node-of-the-country",
        "the node here leads to the path of the country, others to another",
        http(ok(), unclear(), see="any"),
        source=_LED,
        sites=(
            site(
                "o",
                host="node-kz.two-houses.net",
                https=None,
                http=redirect("/kk/", 302),
                paths={"/kk/": serve("page", lang="ru")},
            ),
            site(
                https=None,
                http=redirect("/en/", 302),
                paths={"/en/": serve("page")},
                dns={"views": {"isp": ["@o.ip@"], "*": ["@a.ip@"]}},
            ),
        ),
    ),
    row(
        "led-home",
        "we alone are led to the country's host of the same owner",
        http(ok(), unclear(), see="any"),
        https(ok(), unclear(), key="b", see="any"),
        http(ok(), unclear(), key="c", see="any"),
        source=_LED,
        sites=(
            site(host="house-one.net", https=None, http=to_us("http://kz.house-one.net/")),
            site("d", host="kz.house-one.net", https=None, http=serve("page", lang="ru")),
            site("b", host="house-two.net", https=to_us("https://kz.house-two.net/")),
            site("e", host="kz.house-two.net", https=serve("page", lang="ru")),
            site("c", host="house-three.net", https=None, http=to_us("https://kz.house-three.net/")),
            site("f", host="kz.house-three.net", https=serve("page", lang="ru")),
        ),
    ),
    *usual.rows("houses", "rst ok cleartext", source="own: sites beside those of several houses"),
)
