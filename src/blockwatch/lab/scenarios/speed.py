"""Interference with speed, and servers that are slow by themselves."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import blocked, down, http, https, ok, serve, site, unclear
from blockwatch.lab.world import HttpRule, TlsRule

row = partial(say.row, family="throttle")

ROWS = (
    row(
        "o45",
        "large https download slowed by SNI (300 ms, 10 % loss)",
        https(blocked("throttle", "http.timeout", "tls.timeout"), see="throttle", slow=True),
        source="ooni-qa",
        sites=(site(http=None, https=serve("large", bytes=33554432)),),
        rules=(TlsRule(sni="@a@", do="slow"),),
    ),
    row(
        "ca-throttle",
        "SNI throttled to 18 kB/s",
        https(blocked("throttle", "http.timeout"), see="throttle", slow=True),
        source="central-asia",
        sites=(site(http=None, https=serve("large", bytes=400000, html=True)),),
        rules=(TlsRule(sni="@a@", do="throttle", rate=18),),
    ),
    row(
        "ca-freeze",
        "TLS flow freezes after 16 KB",
        https(blocked("freeze", "throttle", "http.timeout"), see="freeze", slow=True),
        source="central-asia",
        sites=(site(http=None, https=serve("large", bytes=400000, html=True)),),
        rules=(TlsRule(sni="@a@", do="freeze", after=16384),),
    ),
    row(
        "stall-body",
        "the server itself stops after 16 KB, for everybody",
        https(down(), unclear(), ok(), see="freeze", slow=True),
        source="noise",
        sites=(site(http=None, https=serve("slowbody", rate=80, stall=1)),),
    ),
    row(
        "host-throttle",
        "http throttled to 18 kB/s by Host",
        http(blocked("throttle", "http.timeout"), see="throttle", slow=True),
        source="own",
        sites=(site(http=serve("large", bytes=400000, html=True), https=None),),
        rules=(HttpRule(host="@a@", do="throttle", rate=18),),
    ),
    row(
        "host-freeze",
        "http flow freezes after 16 KB",
        http(blocked("freeze", "throttle", "http.timeout"), see="freeze", slow=True),
        source="own",
        sites=(site(http=serve("large", bytes=400000, html=True), https=None),),
        rules=(HttpRule(host="@a@", do="freeze", after=16384),),
    ),
    row(
        "slow-server",
        "the server itself sends 24 kB/s, for everybody",
        https(ok(), down(), unclear(), see="throttle", slow=True),
        source="own",
        sites=(site(http=None, https=serve("slowbody", rate=24)),),
    ),
    row(
        "freeze-64",
        "TLS flow freezes after 64 KB",
        https(blocked("freeze", "throttle", "http.timeout"), see="any", slow=True),
        source="own: later freezes",
        sites=(site(http=None, https=serve("large", bytes=400000, html=True)),),
        rules=(TlsRule(sni="@a@", do="freeze", after=65536),),
    ),
    row(
        "throttle-40",
        "SNI throttled to 40 kB/s",
        https(blocked("throttle"), see="any", slow=True),
        source="own: milder throttling",
        sites=(site(http=None, https=serve("large", bytes=400000, html=True)),),
        rules=(TlsRule(sni="@a@", do="throttle", rate=40),),
    ),
)
