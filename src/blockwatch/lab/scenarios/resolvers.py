"""Resolvers of the line that fail, are slow or remember too long for all names alike, and filters at home."""

from __future__ import annotations

from functools import partial
from typing import Any

from blockwatch.lab.scenarios import say, usual
from blockwatch.lab.scenarios.say import (
    blocked,
    down,
    http,
    https,
    notice,
    ok,
    redirect,
    signs,
    site,
    unclear,
)
from blockwatch.lab.world import DnsRule, Expected, Scenario, Site

row = partial(say.row, family="clean")
_STALE = {"views": {"isp": ["@o.ip@"], "*": ["@a.ip@"]}}
_MOVED = (ok(), down(), unclear(), signs("dns.", "tcp.", "tls.", "http."))
_OWN_FILTER = (unclear(), ok(), down(), signs("dns."))


def _moved(id: str, desc: str, target: Expected, old: Site, **new: Any) -> Scenario:
    """A site that moved: the line's resolver still has the address of ``old``."""
    return row(
        f"stale-{id}",
        f"site moved; at the address that the line's resolver still has: {desc}",
        target,
        source="own: stale answers of the line's resolver",
        world="names-flaky",
        sites=(old, site(dns=_STALE, **new)),
    )


def _at_home(id: str, desc: str, target: Expected, **rule: Any) -> Scenario:
    """A name that the resolver of the own network answers so, or the ISP's behind it."""
    return row(
        f"home-{id}",
        desc,
        target,
        source="own: routers, and filters of the own network",
        world="router",
        sites=(site(https=None),) if target.url.startswith("http:") else (),
        rules=(DnsRule(name="@a@", to="isp", **rule),),
    )


ROWS = (
    *usual.rows(
        "names-flaky",
        "rst page ip ok*2 cdn cleartext upgrade hop dead",
        source="own: resolvers that answer every second query",
        open_to="ip ok cdn cleartext upgrade hop",
    ),
    *usual.rows(
        "names-servfail",
        "rst page ok cleartext upgrade",
        source="own: resolvers that fail for all names",
        open_to="all",
    ),
    *usual.rows(
        "names-denied",
        "rst page ok cleartext upgrade",
        source="own: resolvers that deny all names",
        open_to="all",
    ),
    *(
        row(
            f"long-answer-{name}",
            "many addresses: answers only fit TCP",
            target(ok(), unclear(), see="any"),
            source="own: firewalls that let lookups pass over UDP alone",
            world="names-flaky",
            sites=(site(n=6, pool="aws", dns={"tcp_only": where}),),
        )
        for name, target, where in (
            ("http", http, True),
            ("https", https, True),
            ("isp-http", http, "isp"),
            ("isp-https", https, "isp"),
        )
    ),
    _moved(
        "same-page",
        "the same page",
        http(ok(), unclear(), see="ok"),
        site("o", host="rack1.old-racks.net", https=None),
        https=None,
    ),
    _moved(
        "closed",
        "a notice, 503",
        http(*_MOVED, see="any"),
        site("o", host="rack2.old-racks.net", https=None, http=notice("Maintenance", "We moved.", code=503)),
        https=None,
    ),
    _moved(
        "moved-notice",
        "a notice that it has moved",
        http(*_MOVED, see="any"),
        site("o", host="rack3.old-racks.net", https=None, http=notice("Переезд", "Сайт на новом сервере.")),
        https=None,
    ),
    _moved(
        "forward",
        "a redirect to another name of the site",
        http(ok(), unclear(), signs("dns."), see="any"),
        site("o", host="rack4.old-racks.net", https=None, http=redirect("http://new.@a@/", 301)),
        https=None,
        aliases=("new.@a@",),
    ),
    _moved(
        "self-signed",
        "a self-signed certificate",
        https(*_MOVED, see="any"),
        site("o", host="rack6.old-racks.net", cert="self"),
    ),
    # A home router that asks the ISP's resolver, or filters itself: nothing tells which of the two it was.
    *usual.rows("router", "rst inject page ok cleartext gone", source="own: routers that answer lookups"),
    *(
        _at_home(
            f"nowhere-{kind}",
            "led to 0.0.0.0, as filters of advertising do",
            target(*_OWN_FILTER, see="any"),
            answers=("0.0.0.0",),  # noqa: S104  (an answer, nothing is bound)
        )
        for kind, target in (("http", http), ("https", https))
    ),
    _at_home("denied", "denied", https(*_OWN_FILTER, see="any"), do="nxdomain"),
    _at_home(
        "block-page",
        "led to a block page on record",
        http(blocked("dns.redirect", "http.blockpage"), see="any"),
        answers=("92.46.33.7",),
    ),
)
