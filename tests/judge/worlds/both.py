"""Worlds in which the control gets the block page as well, or the site's own page speaks of blocking."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge.world import HOST, SITE, Page
from tests.judge.worlds.say import HTTP, broken_for_control, by_host, isp, row

row(
    "the helper's resolver gives the null address that the line's gives; others find the site",
    "blocked",
    "dns.bogon",
    lookup=isp(("127.0.0.1",)),
    control=broken_for_control(addresses=("127.0.0.1",), endpoints=(), http_failure=f.TIMEOUT),
    grades="signs",
)

# the helper stands behind the same censor, or is told the same lie
COURT = Page(
    title="Доступ к ресурсу заблокирован по решению суда",
    length=700,
    headers=(("Content-Type", "text/html"),),
)
SAME = {"title": COURT.title, "body_length": COURT.length, "headers": COURT.headers}
row(
    "the control is shown the very block page that every address gives for the name",
    "blocked",
    "http.blockpage",
    url=HTTP,
    answer=by_host(COURT),
    control=SAME,
    grades="strong",
)
row(
    "the same, and no other address can be asked",
    "inconclusive",
    url=HTTP,
    answer=by_host(COURT),
    control=SAME,
    good=False,
    dial=lambda a, port, n: f.REFUSED if port == 443 else None,
)
row(
    "a site whose own page speaks of blocking, in cleartext alone",
    "ok",
    url=HTTP,
    page=lambda url, a: COURT,
    dial=lambda a, port, n: f.REFUSED if port == 443 and a == SITE else None,
)
row(
    "a site whose own page speaks of blocking, over TLS as well; no other address can be asked",
    "ok",
    url=HTTP,
    page=lambda url, a: COURT,
    good=False,
)


def to_provider(address: str, host: str, tls: bool, n: int) -> Page | None:
    """The path leads the site's name to a page on record."""
    if host == "homeline.kg":
        return Page(title="Blocked", length=800)
    if host.lower() == HOST and not tls:
        return Page(status=302, title=None, length=0, location="http://homeline.kg/access/blockpage.html")
    return None


for good, states in ((True, "blocked"), (False, "inconclusive")):
    row(
        f"the control is led to the block page on record, too; other addresses are at hand: {good}",
        states,
        "http.redirect",
        url=HTTP,
        answer=to_provider,
        controls=lambda url: {"title": "Blocked", "body_length": 800},
        good=good,
        dial=lambda a, port, n: f.REFUSED if port == 443 and a == SITE else None,
        grades="strong",
    )
