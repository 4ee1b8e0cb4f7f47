"""Worlds in which cleartext comes from the site's address alone: its own word, or that of a filter there."""

from __future__ import annotations

from tests.judge.world import HOST, SITE, Page
from tests.judge.worlds.say import HTTP, by_host, row
from tests.judge.worlds.whose import HTML, here, no_tls

# What only the site's address says is no witness of the site's: a filter may stand before that address alone.
LED = Page(status=302, title=None, length=0, headers=HTML, location="https://portal.isp.example/")
row(
    "a redirect to a stranger's TLS page, at the site's address only; the control got a page",
    "inconclusive",
    rule="http.redirect",
    url=HTTP,
    answer=here(LED),
    dial=no_tls,
    controls=lambda url: {} if HOST in url else {"title": "The portal of a provider"},
    page=lambda url, a: Page() if HOST in url else Page(title="The portal of a provider", headers=HTML),
)
row(
    "a redirect to a stranger's TLS page, at the site's address only; no helper",
    "inconclusive",
    rule="http.redirect",
    url=HTTP,
    answer=here(LED),
    control=None,
)
row(
    "a large mute page, at the site's address only",
    "inconclusive",
    rule="page.cleartext",
    url=HTTP,
    answer=here(Page(title="A provider and all of its services", length=45_000, headers=HTML)),
)
PLAIN = (("Server", "nginx"), ("Date", "now"), ("Content-Type", "text/html"), ("Connection", "close"))
row(
    "a mute page with headers that every server sends, at the site's address only",
    "inconclusive",
    rule="page.cleartext",
    url=HTTP,
    answer=here(Page(title="Warning", length=2_400, headers=PLAIN)),
    page=lambda url, a: Page(length=5_000, headers=PLAIN),
    control={"headers": PLAIN, "body_length": 5_000},
    dial=no_tls,
)
row(
    "a mute page at the site's address only, over TLS another one; the control was refused",
    "inconclusive",
    rule="page.cleartext",
    url=HTTP,
    answer=here(Page(title="Warning", length=2_400, headers=HTML)),
    control={"status": 403, "title": "403 Forbidden", "body_length": 150},
)
row(
    "a content network that denies this country a name, on control addresses that are of it, too",
    "refused inconclusive",
    rule="page.cleartext",
    url=HTTP,
    answer=by_host(Page(status=403, title="Access Denied", length=300, headers=(("Server", "AkamaiGHost"),))),
    dial=no_tls,
)
row(
    "a mute page that the one control address at hand gives to the name as well",
    "inconclusive",
    rule="page.cleartext",
    url=HTTP,
    answer=by_host(Page(title="Начало", length=700, headers=HTML)),
    dial=no_tls,
    goods=1,
)
row(
    "a page of news that changes by the minute, in cleartext, with headers that every server sends",
    "ok",
    rule="page.cleartext",
    url=HTTP,
    page=lambda url, a: Page(title="Storm hits the coast | Morning Herald", length=9_000, headers=PLAIN),
    control={"title": "They vote today - Morning Herald", "headers": PLAIN, "body_length": 15_000},
    dial=no_tls,
)
row(
    "a redirect to such a page of the owner's, under another name",
    "ok",
    rule="page.cleartext",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(status=302, title=None, length=0, headers=HTML, location="http://herald.example/")
        if a == SITE and h == HOST
        else None
    ),
    page=lambda url, a: Page(title="Storm hits the coast | Morning Herald", length=9_000, headers=PLAIN),
    control={"title": "They vote today - Morning Herald", "headers": PLAIN, "body_length": 15_000},
    dial=no_tls,
)
