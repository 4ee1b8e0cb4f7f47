"""Worlds in which cleartext comes from the server itself, its hoster, a proxy on the path, or a censor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blockwatch import failure as f
from tests.judge.stage import changed, measured
from tests.judge.world import HOST, SECOND, SITE, Page, World
from tests.judge.worlds.say import HTTP, by_host, row

HTML = (("Content-Type", "text/html"),)
SPEAKS = Page(status=403, title="Доступ к ресурсу заблокирован", length=900, headers=HTML)
LEGAL = Page(status=451, title="Unavailable For Legal Reasons", length=400, headers=HTML)
FORBIDDEN = Page(status=403, title="403 Forbidden", length=150, headers=HTML)
VIA = (("Server", "nginx"), ("Via", "1.1 proxy"))


def here(page: Any) -> Callable[[str, str, bool, int], Any]:
    """The site's address says so to its name in cleartext, and nobody else does."""
    return lambda a, host, tls, n: page if a == SITE and host.lower() == HOST and not tls else None


def no_tls(address: str, port: int, n: int) -> str | None:
    """The site has no TLS."""
    return f.REFUSED if address == SITE and port == 443 else None


# A refusal in cleartext is the server's own only if the same address does not give us the page over TLS.
row(
    "a 403 that speaks of blocking in cleartext, at the site's address only; over TLS its page comes",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=here(SPEAKS),
    grades="signs",
)
row(
    "a 451 in cleartext, at the site's address only; over TLS its page comes",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=here(LEGAL),
    grades="signs",
)
row(
    "a mute 403 in cleartext, at the site's address only; over TLS its page comes",
    "inconclusive",
    rule="page.cleartext",
    url=HTTP,
    answer=here(FORBIDDEN),
)
row(
    "a 403 of the server's own, in cleartext and over TLS",
    "refused",
    rule="page.cleartext",
    url=HTTP,
    answer=lambda a, host, tls, n: FORBIDDEN if a == SITE else None,
    control={"status": 200, "title": "The site's own front page"},
)
row(
    "a 403 of the server's own in cleartext, where it has no TLS",
    "refused",
    rule="page.cleartext",
    url=HTTP,
    answer=here(FORBIDDEN),
    dial=no_tls,
)


# A proxy of the provider takes all cleartext and goes by Host.
def proxied(page: Page) -> Callable[[str, str, bool, int], Any]:
    """It hands on, or says, this for the site's name, and gives every other name its own page anywhere."""

    def answer(address: str, host: str, tls: bool, n: int) -> Any:
        if tls:
            return None
        return (
            page
            if host.lower() == HOST
            else Page(title=f"Front page of {host}", length=2_000 + 97 * len(host))
        )

    return answer


for said, page in {
    "its own error, as the site refuses the provider": Page(
        status=503, title="ERROR: The requested URL could not be retrieved", length=3_400, headers=VIA
    ),
    "an older copy, made small": Page(title="Yesterday: rain", length=2_500, headers=VIA),
    "the site's page of maintenance": Page(title="Технические работы", length=900, headers=VIA),
    "the site's 404 for this country": Page(status=404, title="404 Not Found", length=150, headers=VIA),
    "the site's 403 for this country": Page(status=403, title="403 Forbidden", length=150, headers=VIA),
}.items():
    row(
        f"a proxy that goes by Host hands on {said}",
        "inconclusive refused ok",
        url=HTTP,
        answer=proxied(page),
        dial=no_tls,
        control={"title": "Today: sun", "body_length": 12_000},
    )
row(
    "a proxy that goes by Host hands on the site's redirect for this country",
    "inconclusive refused ok",
    url=HTTP,
    answer=proxied(Page(status=302, location="http://brand.example.kz/", title=None, length=0, headers=VIA)),
    dial=no_tls,
    controls=lambda url: {} if HOST in url else {"title": "The brand", "body_length": 9_000},
)
for mute in (Page(status=404, title="404 Not Found", length=150, headers=HTML), FORBIDDEN):
    row(
        f"a mute {mute.status} for the name, where every name gets its own page everywhere, no TLS",
        "blocked",
        "http.blockpage.host",
        "page.cleartext",
        url=HTTP,
        answer=proxied(mute),
        dial=no_tls,
        grades="signs",
    )
row(
    "a proxy that goes by Host gives a page of its own for the name; over TLS the site's comes",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=proxied(Page(title="Notice", length=900, headers=HTML)),
    grades="signs",
)
row(
    "a proxy that goes by Host says that the site is blocked, no TLS",
    "blocked",
    "http.blockpage.host",
    "page.cleartext",
    url=HTTP,
    answer=proxied(SPEAKS),
    dial=no_tls,
    grades="signs",
)


# One hoster's customers show the same notice; a middlebox shows it for sites of many hosters.
NOTICE = Page(title="Сайт заблокирован хостинг-провайдером", length=1_200, headers=HTML)


def others_at(*addresses: str) -> tuple[Any, ...]:
    """Sites of other owners, one at each address, that show the notice."""
    made = []
    for number, address in enumerate(addresses):
        host = f"other{number}.test{number}.com"
        world = World(
            url=f"http://{host}/",
            lookup=lambda resolver, name, n, address=address: (address,),
            site=(address,),
            page=lambda url, a: NOTICE,
            control=None,
        )
        one = measured(world, 20 + number, "first", number * SECOND, ())
        made.append(changed(one, target=host, url=world.url))
    return tuple(made)


row(
    "one hoster's notice for its customers, no other name at hand, no TLS",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=here(NOTICE),
    dial=no_tls,
    good=False,
    others=others_at(SITE, SITE, SITE),
    grades="signs",
)
row(
    "the same notice for sites of several hosters, no other name at hand, no TLS",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=here(NOTICE),
    dial=no_tls,
    good=False,
    others=others_at("139.59.7.7", "5.9.1.1", "78.46.1.1"),
    grades="strong",
)

# A server's errors come and go.
row(
    "a 502 of the server's own in cleartext, for us alone",
    "inconclusive down ok",
    url=HTTP,
    answer=here(Page(status=502, title="502 Bad Gateway", length=150, headers=HTML)),
    good=False,
)
row(
    "a redirect of the site's own in cleartext; the helper was refused",
    "inconclusive ok refused",
    url=HTTP,
    answer=lambda a, host, tls, n: (
        Page(status=302, location="http://shop.other.example/")
        if a == SITE and host == HOST and not tls
        else None
    ),
    controls=lambda url: {"status": 403, "title": "Just a moment...", "body_length": 900},
)
row(
    "an injected redirect that speaks of blocking; the helper was refused",
    "blocked",
    "http.redirect",
    "http.redirect",
    url=HTTP,
    answer=by_host(Page(status=302, location="http://92.46.33.7/blocked")),
    controls=lambda url: {"status": 403, "title": "Just a moment...", "body_length": 900},
)
