"""Servers that misbehave on purpose: the tool must survive them, in bounded time and memory."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import down, http, https, nowhere, ok, redirect, serve, site, unclear

row = partial(say.row, family="hostile")

ROWS = (
    row(
        "http-garbage",
        "bytes that are not HTTP",
        http(down(), unclear(), see="any"),
        source="own",
        sites=(site(http=serve("garbage"), https=None),),
        world="hostile",
    ),
    row(
        "endless-headers",
        "header lines without end",
        http(down(), unclear(), see="any", slow=True),
        source="own",
        sites=(site(http=serve("endlessheaders"), https=None),),
        world="hostile",
    ),
    row(
        "endless-body",
        "a body without end",
        https(ok(), down(), unclear(), see="any", slow=True),
        source="own",
        sites=(site(http=None, https=serve("endlessbody")),),
        world="hostile",
    ),
    row(
        "gzip-bomb",
        "gzip body that unpacks to 1 GB",
        http(ok(), down(), unclear(), see="any"),
        source="own",
        sites=(site(http=serve("bomb"), https=None),),
        world="hostile",
    ),
    row(
        "maze",
        "10,000 different redirects",
        https(down(), unclear(), ok(), see="any"),
        source="own",
        sites=(site(http=None, https=serve("maze", n=10000)),),
        world="hostile",
    ),
    row(
        "bad-redirect",
        "redirect with a broken Location",
        https(down(), unclear(), ok(), see="any"),
        source="own",
        sites=(site(http=None, https=redirect("http://[broken", 302)),),
        world="hostile",
    ),
    row(
        "bad-chunks",
        "chunk sizes that are not numbers",
        http(ok(), down(), unclear(), see="any"),
        source="own",
        sites=(site(http=serve("badchunks"), https=None),),
        world="hostile",
    ),
    row(
        "wrong-length",
        "Content-Length larger than what comes",
        http(ok(), down(), unclear(), see="any"),
        source="own",
        sites=(site(http=serve("shortbody"), https=None),),
        world="hostile",
    ),
    row(
        "two-lengths",
        "two Content-Length headers that differ",
        http(ok(), down(), unclear(), see="any"),
        source="own",
        sites=(site(http=serve("twolengths"), https=None),),
        world="hostile",
    ),
    row(
        "tls-truncated",
        "TLS record cut short, then FIN, for everybody",
        https(down(), see="any"),
        source="own",
        sites=(site(http=None, https=None, raw443="truncated"),),
        world="hostile",
    ),
    row(
        "tls-garbage",
        "random bytes after the ClientHello, for everybody",
        https(down(), unclear(), see="any"),
        source="own",
        sites=(site(http=None, https=None, raw443="garbage"),),
        world="hostile",
    ),
    row(
        "tls-endless",
        "plain bytes without end after the ClientHello, for everybody",
        https(down(), unclear(), see="any"),
        source="own",
        sites=(site(http=None, https=None, raw443="endless"),),
        world="hostile",
    ),
    row(
        "dns-garbage",
        "resolvers answer with bytes that are not DNS",
        https(down(), unclear(), see="any"),
        source="own",
        sites=(nowhere(malformed="garbage"),),
        world="hostile",
    ),
    row(
        "dns-loop",
        "compression pointer to itself",
        https(down(), unclear(), see="any"),
        source="own",
        sites=(nowhere(malformed="loop"),),
        world="hostile",
    ),
    row(
        "dns-cut",
        "message cut in the middle of a record",
        https(down(), unclear(), see="any"),
        source="own",
        sites=(nowhere(malformed="cut"),),
        world="hostile",
    ),
    row(
        "dns-counts",
        "header promises 65,535 answers and brings none",
        https(down(), unclear(), see="any"),
        source="own",
        sites=(nowhere(malformed="counts"),),
        world="hostile",
    ),
    row(
        "dns-other-question",
        "answer to another question",
        https(down(), unclear(), see="any"),
        source="own",
        sites=(nowhere(malformed="question"),),
        world="hostile",
    ),
    row(
        "dns-cname-loop",
        "two names that are aliases of each other",
        https(down(), unclear(), see="any"),
        source="own",
        sites=(nowhere(cname="@a@"),),
        world="hostile",
    ),
)
