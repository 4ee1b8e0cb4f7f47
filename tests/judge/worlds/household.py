"""Worlds with filters of homes and companies, and with what only looks like theirs."""

from __future__ import annotations

from typing import Any

from blockwatch import failure as f
from blockwatch.judge.names import parts
from blockwatch.run import Vantage
from tests.judge.world import HOST, SITE, Page
from tests.judge.worlds.say import HTTP, ends, isp, row

BLOCKS = "92.46.1.1"  # of AS50482, as the provider's resolver; the line is of AS9198: one owner
DENIED = Page(title="Доступ к сайту ограничен по решению суда", length=600)
SISTER = Vantage(asn=9198, ipv4=True, resolver_asn=50482, resolver_local=False)


def redirected(location: str, server: str = "x", url: str = HTTP) -> dict[str, Any]:
    """Somebody on the path answers the name with a redirect, whose destination shows a page."""
    headers = (("Server", server),)
    sent, page = Page(status=302, location=location, headers=headers), Page(title="Access Denied", length=190)
    return {
        "url": url,
        "lookup": lambda resolver, name, n: (SITE,) if name == HOST else (BLOCKS,),
        "answer": lambda a, h, tls, n: sent if h == HOST and not tls else page if a == BLOCKS else None,
        "controls": lambda asked: (
            {} if parts(asked).host == HOST else {"title": "Access Denied", "body_length": 190}
        ),
    }


# A page or redirect that names a product.
ASKED = f"http://{HOST}/eset-and-kaspersky"
KNOWN = "http://homeline.kg/access/blockpage.html"
for name, grades, answer in (
    ("on record, of a provider whose machine says what it is", "confirmed", redirected(KNOWN, "UserGate")),
    ("of a machine that says what it is", "signs", redirected("http://block.isp.example/?u=1", "UserGate")),
    (
        "that quotes a URL with a product in it",
        "confirmed",
        redirected(f"http://b.example/?u={ASKED}", url=ASKED),
    ),
    (
        "that quotes it and names another",
        "signs",
        redirected(f"http://fortiguard.example/?u={ASKED}", url=ASKED),
    ),
):
    row(f"a redirect {name}", "blocked", "http.redirect", grades=grades, **answer)

# The provider's resolver stands in another network of the provider's.
row(
    "a resolver in another network of the same owner gives 127.0.0.1",
    "blocked",
    "dns.bogon",
    grades="confirmed",
    vantage=SISTER,
    lookup=isp(("127.0.0.1",)),
)
row(
    "a resolver of a stranger's network gives 127.0.0.1",
    "blocked",
    "dns.bogon",
    grades="signs",
    vantage=Vantage(asn=9198, ipv4=True, resolver_asn=29355, resolver_local=False),
    lookup=isp(("127.0.0.1",)),
)
row(
    "a router's resolver gives the address of a block page in another network of the provider's",
    "blocked",
    "dns.redirect",
    grades="strong confirmed",
    url=HTTP,
    vantage=Vantage(asn=9198, ipv4=True, resolver_local=True),
    lookup=isp((BLOCKS,)),
    site=(SITE,),
    control={"endpoints": ends()},
    answer=lambda a, h, tls, n: DENIED if a == BLOCKS else None,
    dial=lambda a, port, n: f.REFUSED if a == BLOCKS and port == 443 else None,
)
