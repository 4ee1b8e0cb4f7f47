"""Sites that work, and look odd to a careless measurer."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import at, down, http, https, ok, redirect, serve, site, unclear
from blockwatch.lab.world import DnsRule

row = partial(say.row, family="clean")

ROWS = (
    row(
        "o21",
        "internationalised name, clean",
        at(http(ok(), see="ok"), "http://новостивыборка.рф/"),
        source="ooni-qa",
        sites=(
            site(
                http=redirect("https://xn--80abca3aoqibdwhn2k.xn--p1ai/"),
                host="xn--80abca3aoqibdwhn2k.xn--p1ai",
            ),
        ),
    ),
    row("o40", "clean, http", http(ok(), see="ok"), source="ooni-qa"),
    row("o41", "clean, https", https(ok(), see="ok"), source="ooni-qa"),
    row(
        "e-A2",
        "303 See Other, https",
        https(ok(), see="ok"),
        source="ooni-edge",
        sites=(site(paths={"/": redirect("/x", 303)}),),
    ),
    row(
        "e-L",
        "multi-CDN over HTTPS: other addresses per resolver",
        https(ok(), see="ok"),
        source="ooni-edge",
        sites=(
            site(
                n=3,
                pool="cloudflare",
                dns={"views": {"isp": ["@a.ip@"], "helper": ["@a.ip2@"], "*": ["@a.ip1@"]}},
            ),
        ),
    ),
    row(
        "dynamic-https",
        "dynamic page over HTTPS",
        https(ok(), see="ok"),
        source="noise",
        sites=(site(http=None, https=serve("dynamic")),),
    ),
    row(
        "rotating",
        "five addresses, two random ones per answer",
        https(ok(), see="ok"),
        source="noise",
        sites=(site(n=5, pool="cloudflare", dns={"rotate": 2}),),
    ),
    row(
        "gzip",
        "gzip body",
        https(ok(), see="ok"),
        source="noise",
        sites=(site(https=serve("gzip", size=30000)),),
    ),
    row(
        "chain5",
        "five redirects",
        https(ok(), see="ok"),
        source="noise",
        sites=(site(https=serve("chain", n=5)),),
    ),
    row(
        "upgrade",
        "http redirects to https www",
        http(ok(), see="ok"),
        source="noise",
        sites=(site(http=redirect("https://www.@a@/", 301), aliases=("www.@a@",)),),
    ),
    row(
        "slow4",
        "server needs 4 s",
        http(ok(), see="ok", slow=True),
        source="noise",
        sites=(site(http=serve("slow", seconds=4), https=None),),
    ),
    row(
        "drip",
        "chunked body in pieces",
        https(ok(), see="ok"),
        source="noise",
        sites=(site(https=serve("drip")),),
    ),
    row(
        "e404",
        "404 for everybody",
        https(ok(), down(), see="http.status:404"),
        source="noise",
        sites=(site(https=serve("status", code=404, text="404 Not Found")),),
    ),
    row(
        "cross",
        "redirect to another clean site",
        http(ok(), see="ok"),
        source="noise",
        sites=(
            site(http=redirect("https://@b@/", 301)),
            site("b"),
        ),
    ),
    row("clean0", "ordinary clean site", http(ok(), see="ok"), source="noise"),
    row(
        "clean1",
        "ordinary clean site",
        https(ok(), see="ok"),
        source="noise",
        sites=(site(n=2, pool="cloudflare"),),
    ),
    row("clean2", "ordinary clean site", http(ok(), see="ok"), source="noise", sites=(site(pool="aws"),)),
    row(
        "e-A",
        "303 See Other, http",
        http(ok(), see="ok"),
        source="ooni-edge",
        sites=(site(https=None, paths={"/": redirect("/x", 303)}),),
    ),
    row(
        "e-D",
        "plain page for the probe, 403 challenge for the control only",
        http(ok(), see="ok"),
        source="ooni-edge",
        sites=(site(http=serve("challenge", code=403, audience="helper"), https=None),),
    ),
    row(
        "e-N",
        "dynamic news page over plain http",
        http(ok(), see="ok"),
        source="ooni-edge",
        sites=(site(http=serve("dynamic"), https=None),),
    ),
    row(
        "e-I",
        "one lost DNS packet",
        https(ok(), see="ok"),
        source="ooni-edge",
        rules=(DnsRule(name="@a@", do="lose", first=1),),
    ),
    row(
        "empty-page",
        "200 with an empty body for everybody",
        https(ok(), down(), unclear(), see="ok"),
        source="own",
        sites=(site(https=serve("empty")),),
    ),
    row(
        "parked",
        "parked domain for everybody",
        http(ok(), down(), see="ok"),
        source="own",
        sites=(site(http=serve("parked"), https=None),),
    ),
    row(
        "cname",
        "name that is an alias of another name",
        https(ok(), see="ok"),
        source="own",
        sites=(site(aliases=("edge.@a@",), dns={"cname": "edge.@a@"}, pool="aws"),),
    ),
    row(
        "russian",
        "page in Russian, windows-1251",
        http(ok(), see="ok"),
        source="own",
        sites=(site(http=serve("page", lang="ru", charset="windows-1251"), https=None),),
    ),
    row(
        "cookie-wall",
        "redirect to itself until a cookie is sent back",
        https(ok(), down(), unclear(), see="any"),
        source="own",
        sites=(site(https=serve("cookiewall")),),
    ),
    row(
        "cross-dynamic",
        "cleartext redirect to another site whose page changes with each request",
        http(ok(), see="ok"),
        source="own: redirects that only the control can vouch for",
        sites=(
            site(http=redirect("http://@b@/", 302), https=None),
            site("b", http=serve("dynamic"), https=None),
        ),
    ),
    row(
        "h2-broken",
        "a server that resets every HTTP/2 request, and answers HTTP/1.1",
        https(ok(), unclear(), see="any"),
        source="own: clients that speak otherwise than the control",
        sites=(site(http=None, https=serve("h2broken")),),
    ),
    row(
        "login",
        "redirect to a page of its own, in cleartext",
        http(ok(), see="ok"),
        source="own: login walls",
        sites=(site(https=None, paths={"/": redirect("/login?next=/", 302), "/login": serve("page")}),),
    ),
)
