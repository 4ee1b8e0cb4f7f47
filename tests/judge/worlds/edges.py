"""Worlds in which a site has several edges: one has an ordinary fault, or a page of its own; and the helper
met another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blockwatch import failure as f
from tests.judge import forged
from tests.judge.world import CUT, GOOD, GOOD_AT, HOST, SECOND, SITE, SITE2, Hello, Page
from tests.judge.worlds.interception import TRUE
from tests.judge.worlds.pages import WELCOME
from tests.judge.worlds.say import HTTP, OLD, SELF, at_site, broken_for_control, by_sni, ends, row

STALE = Hello(
    trust=f.INVALID_CERTIFICATE, detail="X509 10: certificate has expired", chain=forged.plain(HOST)
)
MISNAMED = Hello(
    trust=f.INVALID_HOSTNAME, detail="X509 62: hostname mismatch", chain=forged.plain("edge.example.net")
)
SHORT = Hello(
    trust=f.UNKNOWN_AUTHORITY,
    detail="X509 20: unable to get local issuer certificate",
    chain=forged.plain(HOST),
)
ELSEWHERE: dict[str, Any] = {"endpoints": ends(address=SITE2), "addresses": (SITE2, SITE)}

row("expired at the same address (edge)", "inconclusive", rule="tls.untrusted", shake=at_site(STALE))
row(
    "an expired host, the server's default is valid, no helper",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(STALE, TRUE),
    control=None,
)
row(
    "an expired host, the server's default is valid",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(STALE, TRUE),
)
row(
    "a CDN's default chain at one edge",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(MISNAMED),
    control=ELSEWHERE,
)
row(
    "a CDN's default chain, though the helper's is valid at the same address",
    "blocked",
    "tls.mitm",
    "tls.mitm",
    shake=at_site(MISNAMED),
    grades="signs",
)
row(
    "an edge without its intermediate",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(SHORT),
    control=ELSEWHERE,
)
row(
    "an edge without its intermediate, though the helper's is valid at the same address",
    "blocked",
    "tls.mitm",
    "tls.mitm",
    shake=at_site(SHORT),
    grades="signs",
)
row(
    "a host without its intermediate, the default sends the same leaf with it",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(SHORT, TRUE),
)
row(
    "an appliance's own certificate at one edge",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.whole("appliance.example.net"))),
    control=ELSEWHERE,
)
row(
    "local antivirus",
    "inconclusive",
    rule="line.antivirus",
    shake=lambda a, sni, n: (
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain(HOST, "AO Kaspersky Lab"))
        if sni == HOST
        else None
    ),
)
row(
    "certificate broken for everybody (G)",
    "down ok",
    rule="tls.broken",
    url=f"https://{HOST}:8443/",
    shake=by_sni(SELF),
    control=broken_for_control(endpoints=()),
)
row(
    "certificate expired for everybody",
    "down ok",
    rule="tls.broken",
    shake=by_sni(OLD),
    control=broken_for_control(endpoints=ends(tls=f.INVALID_CERTIFICATE)),
)
row("certificate broken, no helper", "inconclusive", rule="tls.untrusted", shake=by_sni(SELF), control=None)
row(
    "clock days off",
    "inconclusive",
    rule="line.clock",
    shake=by_sni(OLD),
    clock_offset_us=9 * 86_400 * SECOND,
)

row(
    "server resets everybody, control servers turn strange names away, no helper",
    "inconclusive",
    rule="tls.alone",
    shake=lambda a, sni, n: CUT if sni is not None and GOOD_AT.get(sni) != a else None,
    control=None,
)

# What a server may do by itself, shown by unrelated addresses that do not do it for the name.
row(
    "a refusal for legal reasons, in the server's own words",
    "inconclusive",
    rule="page.cleartext",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(status=451, title="Not here: blocked by a court order", length=600)
        if a == SITE and h == HOST and not t
        else None
    ),
    shake=lambda a, sni, n: CUT if a == SITE else None,
)
row(
    "a cleartext host with a page of its own",
    "inconclusive",
    rule="page.cleartext",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(title="We are moving", length=3_000, headers=()) if a == SITE and h == HOST and not t else None
    ),
)
row(
    "a cleartext host that leads to a bare address",
    "inconclusive ok",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(status=302, location="http://62.122.9.9/start")
        if a == SITE and h == HOST and not t
        else Page(title="Start", length=4_000)
        if a == "62.122.9.9"
        else None
    ),
)
row(
    "a control that got a smaller page, where every server gives every name its own",
    "ok inconclusive",
    url=HTTP,
    answer=lambda a, h, t, n: None if t else Page(title=f"Front page of {h}", length=5_000 + 97 * len(h)),
    shake=lambda a, sni, n: CUT if a == SITE else None,
    control={"title": "Welcome.", "body_length": 120, "headers": ()},
)

# Control addresses that are, unknown to us, nodes of the platform that the site lives on.
HERE = Page(title="Наш сайт: новости", length=8_192)


def _platform(*nodes: str) -> Callable[[str, str, bool, int], Page | str | None]:
    """The nodes give the site's name our edition of the page, and names that they do not know a welcome."""

    def answer(address: str, host: str, tls: bool, n: int) -> Page | str | None:
        if tls:
            return None
        if host == HOST:
            return HERE if address in nodes else f.TIMEOUT
        return WELCOME if address in nodes and GOOD_AT.get(host) != address else None

    return answer


for count, nodes in (("one", GOOD[:1]), ("two", GOOD)):
    row(
        f"an edition of the page for us, given by other nodes of the platform too, {count} of them asked",
        "ok inconclusive",
        url=HTTP,
        answer=_platform(SITE, *nodes),
        shake=lambda a, sni, n: CUT if a == SITE else None,
        control={"title": "Our site: news", "body_length": 8_400},
    )
