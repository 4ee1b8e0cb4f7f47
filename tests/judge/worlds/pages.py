"""Worlds in which a page comes that is not the site's: block pages, gateways, default pages."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge.world import CUT, GOOD, GOOD_AT, GOOD_HOSTS, HOST, OTHER, SITE, Page
from tests.judge.worlds.say import (
    BLOCK,
    HTTP,
    UNTITLED,
    block_server,
    by_host,
    everywhere,
    redirecting,
    row,
)

row("untitled block page (E)", "blocked", "http.blockpage", url=HTTP, answer=by_host(UNTITLED))
row(
    "short titles (E2)",
    "blocked",
    "http.blockpage",
    url=HTTP,
    answer=by_host(Page(title="Stop", length=120)),
    control={"title": "BBC"},
)
row(
    "403 block page",
    "blocked",
    "http.blockpage",
    url=HTTP,
    answer=by_host(Page(status=403, title="Forbidden", length=150)),
)
row(
    "block page at one address, https copy",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=lambda a, h, t, n: BLOCK if a == SITE and h == HOST and not t else None,
)
row(
    "block page on record",
    "blocked",
    "http.blockpage",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(title="Access to the requested website has been blocked by judicial decision!", length=140)
        if h == HOST and not t
        else None
    ),
    grades="confirmed",
)
KNOWN = Page(title="Access to the requested website has been blocked by judicial decision!", length=140)
row(
    "block page on record, no helper",
    "blocked",
    "http.blockpage",
    url=HTTP,
    answer=by_host(KNOWN),
    control=None,
    grades="confirmed",
)
row(
    "page on record that the site's own server gives, and no other",
    "blocked",
    "http.blockpage",
    url=HTTP,
    answer=lambda a, h, t, n: KNOWN if a == SITE and not t else None,
    grades="signs",
)
HOMELINE = Page(status=302, location="http://homeline.kg/access/blockpage", title=None, length=0)
row(
    "a site that itself leads to a block page on record",
    "blocked inconclusive",
    "http.redirect",
    url=HTTP,
    answer=lambda a, h, t, n: HOMELINE if a == SITE and not t else BLOCK if h == "homeline.kg" else None,
    controls=block_server,
    grades="signs",
)
row(
    "a site that leads to a block page on record once",
    "ok inconclusive",
    url=HTTP,
    answer=lambda a, h, t, n: (
        HOMELINE if a == SITE and not t and n < 8 else BLOCK if h == "homeline.kg" else None
    ),
    controls=block_server,
)

# Built like the control's page by what every server sends, or titled half like it.
USUAL = (("Server", "nginx"), ("Date", "x"), ("Content-Type", "text/html"), ("Content-Length", "1"))
row(
    "block page of the size of a small site's, no TLS",
    "blocked",
    "http.blockpage",
    url=HTTP,
    page=lambda url, a: Page(title="Welcome to our small site", length=900, headers=USUAL),
    answer=by_host(Page(title="Доступ ограничен по решению суда", length=600, headers=USUAL)),
    dial=lambda a, port, n: f.REFUSED if port == 443 and a == SITE else None,
    good=False,
)
row(
    "page on record of the size of a small site's, no TLS",
    "blocked",
    "http.blockpage",
    url=HTTP,
    page=lambda url, a: Page(title="Welcome to our small site", length=200, headers=USUAL),
    answer=by_host(KNOWN),
    dial=lambda a, port, n: f.REFUSED if port == 443 and a == SITE else None,
    good=False,
)
row(
    "block page with half of the site's title",
    "blocked",
    "http.blockpage",
    url=HTTP,
    page=lambda url, a: Page(title="Site example org"),
    answer=by_host(Page(title="Site example org: access denied", length=200, headers=USUAL)),
)
row(
    "block page with half of the site's title and a single word",
    "blocked",
    "http.blockpage",
    url=HTTP,
    page=lambda url, a: Page(title="Site example org"),
    answer=by_host(Page(title="Site example org denied", length=200, headers=USUAL)),
)
row(
    "a page that is refused with half a title, for the control as well",
    "refused inconclusive ok",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(status=403, title="Access denied: 4711", length=300) if a == SITE and not t else None
    ),
    control={"status": 403, "title": "Access denied: 4712", "body_length": 300},
)
row(
    "redirect on record",
    "blocked",
    "http.redirect",
    "http.redirect",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(status=302, location="http://reestr.mitc.uz/")
        if h == HOST and not t
        else (BLOCK if h == "reestr.mitc.uz" else None)
    ),
    controls=block_server,
    grades="confirmed",
)
row(
    "injected redirect",
    "blocked",
    "http.redirect",
    "http.redirect",
    url=HTTP,
    answer=by_host(Page(status=307, location="http://92.46.33.7/blocked?id=77")),
    controls=block_server,
)
row(
    "injected redirect to valid https (P)",
    "blocked",
    "http.redirect",
    "http.redirect",
    url=HTTP,
    answer=by_host(Page(status=302, location=f"https://{GOOD_HOSTS[0]}/stop")),
    controls=block_server,
)
row(
    "injected redirect, no helper",
    "blocked",
    "http.redirect",
    "http.redirect",
    url=HTTP,
    control=None,
    answer=by_host(Page(status=302, location=f"https://{GOOD_HOSTS[0]}/stop")),
    controls=block_server,
)
row(
    "injected redirect at one address",
    "blocked",
    "http.redirect",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(status=302, location="http://92.46.33.7/blocked") if a == SITE and h == HOST and not t else None
    ),
    controls=block_server,
)

row(
    "block page, the first control name has one too",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=lambda a, h, t, n: BLOCK if h in (HOST, GOOD_HOSTS[0]) and not t else None,
)
row(
    "block page, where every server gives every name its own page",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=lambda a, h, t, n: (
        None if t else BLOCK if h == HOST else Page(title=f"Front page of {h}", length=5_000 + 97 * len(h))
    ),
    shake=lambda a, sni, n: CUT if a == SITE else None,
    grades="signs",
)
row(
    "blocked behind a cleartext redirect to another site",
    "blocked",
    "http.timeout",
    url=HTTP,
    page=redirecting("http://other.example.com/"),
    answer=lambda a, h, t, n: f.TIMEOUT if h == "other.example.com" else None,
    grades="strong",
)
row(
    "block page of a server that says so to everybody",
    "inconclusive blocked",
    "http.blockpage",
    url=HTTP,
    answer=lambda a, h, t, n: UNTITLED if not t else None,
    grades="signs strong",
)
row(
    "stranger injected for all, http, its page came first",
    "blocked",
    "dns.injection",
    "dns.page",
    url=HTTP,
    lookup=everywhere((OTHER,)),
    site=(SITE,),
    dial=lambda a, port, n: f.REFUSED if port == 443 else None,
    answer=lambda a, h, t, n: BLOCK if a == OTHER else None,
    controls=lambda url: {"endpoints": ()},
    grades="signs",
)

WELCOME = Page(title="Welcome to nginx!", length=612)
row(
    "the default page of every server is no block page",
    "inconclusive refused ok",
    url=HTTP,
    answer=lambda a, h, t, n: WELCOME if not t and GOOD_AT.get(h) != a else None,
    shake=lambda a, sni, n: CUT if a == SITE else None,
    control={"status": 200, "title": "The site's own front page", "endpoints": ()},
)

# A mute page of middling size, the control refused, every server gives every name a page.
MUTE = Page(title=None, length=4_000, headers=(("Content-Type", "text/html"),))
row(
    "a mute injected page, the control refused, servers that know every name",
    "inconclusive blocked",
    "http.blockpage",
    url=HTTP,
    answer=lambda a, h, t, n: (
        None if t else MUTE if h == HOST else Page(title=f"Front page of {h}", length=5_000 + 97 * len(h))
    ),
    shake=lambda a, sni, n: CUT if a == SITE else None,
    control={"status": 403, "title": "Just a moment...", "body_length": 900},
    grades="signs",
)

row(
    "a titled injected page, the control refused, servers that give strangers their front page",
    "inconclusive blocked",
    "http.blockpage",
    url=HTTP,
    answer=lambda a, h, t, n: (
        None
        if t
        else Page(title="Notice", length=4_000)
        if h == HOST
        else Page(title=f"Front page of {a}", length=5_000)
        if a in GOOD and GOOD_AT.get(h) != a
        else None
    ),
    shake=lambda a, sni, n: CUT if a == SITE else None,
    control={"status": 403, "title": "Just a moment...", "body_length": 900},
)
