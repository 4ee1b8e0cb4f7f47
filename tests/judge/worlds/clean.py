"""Worlds in which nothing is blocked, and those in which the server itself refuses."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge.world import CUT, GOOD, GOOD_HOSTS, HOST, SECOND, SITE, SITE2, UDP, Hello, Page, resolves
from tests.judge.worlds.say import HTTP, SLOW, on_address, redirecting, row

# Clean.
row("clean https", "ok", rule="page.tls")
row("clean http", "ok", rule="page.cleartext", url=HTTP)
row("clean https, no helper", "ok", rule="page.tls", control=None)
row("clean https, helper down", "ok", rule="page.tls", control={"failure": f.TIMEOUT, "status": None})
row("clean http, no helper", "ok", rule="page.cleartext", url=HTTP, control=None)
row("http upgrades to https", "ok", url=HTTP, page=redirecting(f"https://{HOST}/"))
row(
    "303 to a path (A)",
    "ok",
    page=lambda url, a: Page(status=303, location="/x") if url.endswith("/") else Page(),
)
row(
    "http redirects to another clean site",
    "ok",
    url=HTTP,
    page=redirecting(f"https://{GOOD_HOSTS[0]}/"),
    answer=lambda a, h, t, n: Page() if a in GOOD and h == GOOD_HOSTS[0] and t else None,
)
row(
    "control got a challenge (D)",
    "ok",
    url=HTTP,
    control={"status": 403, "title": "Just a moment...", "body_length": 900},
)
row(
    "control got a challenge, and a proxy on the path gives every name its own page",
    "ok inconclusive",
    url=HTTP,
    answer=lambda a, h, t, n: None if t else Page(title=f"The front page of {h}", length=5_000 + 97 * len(h)),
    shake=lambda a, sni, n: CUT if a == SITE else None,
    control={"status": 403, "title": "Just a moment...", "body_length": 900},
)
row("multi-CDN over https (L)", "ok", lookup=lambda r, name, n: (SITE2,) if r == "system" else (SITE,))
row(
    "a URL that is an address, with a certificate for it",
    "ok",
    rule="page.address",
    url=f"https://{SITE}/",
    shake=lambda a, sni, n: Hello(),
)
row(
    "a URL that is an address, with a certificate for it, no helper",
    "ok",
    rule="page.address",
    url=f"https://{SITE}/",
    shake=lambda a, sni, n: Hello(),
    control=None,
)
row(
    "dynamic http page (N)",
    "ok",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(title=f"News of minute {n}: all quiet", length=7_000 + 13 * (n % 50))
        if h == HOST and a == SITE
        else None
    ),
    control={"title": "Other headlines entirely", "body_length": 11_900},
)
row("404 for everybody", "ok down", page=lambda url, a: Page(status=404, title="Not Found", length=300))
row(
    "server errs for everybody",
    "down",
    rule="page.tls",
    page=lambda url, a: Page(status=500, title="Oops", length=300),
)
row(
    "server errs for everybody, http",
    "down",
    rule="page.cleartext",
    url=HTTP,
    page=lambda url, a: Page(status=500, title="Oops", length=300),
)
row("reach, clean", "ok", rule="page.none", probe="reach")
row("tls endpoint", "ok", url=f"https://{HOST}:443/", probe="reach")
row("dns, clean", "ok", rule="name.resolves", probe="dns")
row(
    "every resolver that is heard tells the same lie, nobody encrypted is heard",
    "inconclusive",
    rule="name.resolves",
    probe="dns",
    lookup=lambda r, name, n: f.TIMEOUT if r.startswith("https:") else ("92.46.33.7",),
    control=None,
)
row(
    "the same, and somebody takes connections there",
    "inconclusive",
    rule="page.none",
    url=f"tcp://{HOST}:5222",
    probe="reach",
    lookup=lambda r, name, n: f.TIMEOUT if r.startswith("https:") else ("92.46.33.7",),
    control=None,
)
row(
    "no resolver answers at first, so nothing was dialled",
    "inconclusive",
    rule="name.resolves",
    probe="dns",
    lookup=lambda r, name, n: f.TIMEOUT if n == 0 else (SITE,),
    attempts=1,
)
row(
    "one lost packet (I)",
    "ok",
    lookup=lambda r, name, n: f.TIMEOUT if n == 0 or (r == "system" and n < 4 and n == 0) else (SITE,),
)
row("server slow for everybody", "ok", page=lambda url, a: SLOW, control={"us": 15 * SECOND})
row("passing trouble", "ok", shake=lambda a, sni, n: CUT if n in range(5, 11) and sni == HOST else None)
row(
    "one of two addresses dead (Y)",
    "ok",
    rule="page.tls",
    lookup=resolves(SITE, SITE2),
    dial=on_address(f.TIMEOUT, SITE2),
)
row(
    "injection elsewhere only",
    "ok",
    lookup=resolves(SITE),
    late=lambda r, name: ("127.0.0.1",) if r == UDP[0] else None,
)
row(
    "resolver dead",
    "ok",
    rule="dns.dead",
    calm=False,
    lookup=lambda r, name, n: f.DNS_TEMPORARY if r in ("system", "line") else (SITE,),
)

# The server refuses.
row(
    "451 over https (H)",
    "refused",
    rule="page.tls",
    page=lambda url, a: Page(status=451, title="Unavailable", length=200),
    control={"status": 200},
)
row(
    "403 for everybody, http",
    "refused",
    rule="page.cleartext",
    url=HTTP,
    page=lambda url, a: Page(status=403, title="Forbidden", length=200),
)
row(
    "challenge over https",
    "refused",
    page=lambda url, a: Page(status=503, title="Just a moment...", length=900),
    control={"status": 200},
)
row(
    "403 in cleartext only here",
    "refused",
    url=HTTP,
    answer=lambda a, h, t, n: Page(status=403, title="Forbidden", length=200) if a == SITE else None,
)
